-- What is usual of a metric at this hour of this kind of day (working or free): of the six weeks
-- before ``p_from``, hour by hour, the median and the range that holds nine of ten hours. Nothing of
-- an hour with less than three such days; nothing of directions (°), which have no order.
CREATE OR REPLACE FUNCTION dash.usual(
    p_stream text, p_sensor text, p_metric text, p_from timestamptz, p_to timestamptz
) RETURNS TABLE ("time" timestamptz, usual double precision, low double precision,
                 high double precision, days bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
#variable_conflict use_column
BEGIN
    IF p_from IS NULL OR p_to IS NULL OR p_to <= p_from OR NOT EXISTS (
        SELECT 1 FROM dash.metrics m
        WHERE m.stream = p_stream AND m.metric = p_metric AND m.unit <> '°') THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH slots AS (SELECT d.kind,'
        '     floor(extract(epoch FROM r.window_start - d.begins) / 3600)::int AS hour,'
        '     percentile_cont(ARRAY[0.05, 0.5, 0.95]) WITHIN GROUP ('
        '         ORDER BY r.%1$I::float8 / r.%2$I) AS q, count(*) AS days'
        '   FROM %3$I r JOIN dash.local_days d'
        '     ON r.window_start >= d.begins AND r.window_start < d.ends'
        '   WHERE r.sensor = $1 AND r.%2$I > 0 AND r.window_start < $2'
        '     AND r.window_start >= $2 - interval ''42 days'''
        '   GROUP BY 1, 2 HAVING count(*) >= 3)'
        ' SELECT g.t, s.q[2], s.q[1], s.q[3], s.days'
        ' FROM generate_series(date_trunc(''hour'', $2), $3, interval ''1 hour'') g (t)'
        ' JOIN dash.local_days d ON g.t >= d.begins AND g.t < d.ends'
        ' JOIN slots s ON s.kind = d.kind'
        '   AND s.hour = floor(extract(epoch FROM g.t - d.begins) / 3600)::int'
        ' ORDER BY 1 LIMIT 2000',
        p_metric || '_sum', p_metric || '_used', 'rollup_1h_' || p_stream
    ) USING p_sensor, p_from, p_to;
END $$;
