-- History of one metric: picks the table that answers the question with few enough rows.

-- The coarsest level that is still finer than the step; coarser yet when too many rows would be
-- read. Steps in seconds. Only levels whose table exists are offered.
CREATE OR REPLACE FUNCTION dash.level(
    p_stream text, p_measured boolean, p_step_s double precision, p_range_s double precision,
    p_sensors bigint, p_max_rows integer DEFAULT 20000
)
RETURNS TABLE (name text, "table" text, time_column text, base_s integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH levels AS (
        SELECT l.*, greatest(l.base_s, s.cadence_s) AS spacing_s
        FROM dash.streams s CROSS JOIN LATERAL (VALUES
            ('raw', 'readings_' || s.stream, 'observed_at', s.cadence_s, p_measured),
            ('1m', 'aggregates_' || s.stream, 'window_start', 60, true),
            ('15m', 'rollup_15m_' || s.stream, 'window_start', 900, true),
            ('1h', 'rollup_1h_' || s.stream, 'window_start', 3600, true),
            ('1d', 'rollup_1d_' || s.stream, 'window_start', 86400, true)
        ) AS l (name, "table", time_column, base_s, offered)
        WHERE s.stream = p_stream AND l.offered AND to_regclass(quote_ident(l."table")) IS NOT NULL
          AND (l.name <> 'raw' OR p_step_s < 60)
    ), judged AS (
        SELECT l.*, l.base_s <= p_step_s AS fine, p_sensors * p_range_s / l.spacing_s AS rows
        FROM levels l
    )
    SELECT j.name, j."table", j.time_column, j.base_s FROM judged j
    ORDER BY
        j.rows > p_max_rows,
        CASE WHEN j.rows > p_max_rows THEN j.rows END,
        NOT j.fine,
        CASE WHEN j.fine THEN -j.base_s ELSE j.base_s END
    LIMIT 1
$$;

-- label: the sensor, the district or the metric, whichever splits the lines (p_by). A headline whose
-- limits are the sensors' own is the distance to them, unless one sensor is asked for.
CREATE OR REPLACE FUNCTION dash.series(
    p_stream text, p_metric text, p_from timestamptz, p_to timestamptz, p_step interval,
    p_district text DEFAULT NULL, p_sensor text DEFAULT NULL, p_by text DEFAULT 'all',
    p_lang text DEFAULT 'zh'
)
RETURNS TABLE (
    "time" timestamptz, label text, value double precision, low double precision,
    high double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
#variable_conflict use_column
DECLARE
    declared dash.metrics;
    chosen record;
    wanted text[];
    names text[];
    labels text[];
    step interval;
    asked_s double precision;
    less double precision[];
    line text;
BEGIN
    SELECT * INTO declared FROM dash.metrics m WHERE m.stream = p_stream AND m.metric = p_metric;
    IF NOT FOUND OR p_from IS NULL OR p_to IS NULL OR p_to <= p_from THEN
        RETURN;
    END IF;
    SELECT array_agg(s.sensor ORDER BY s.sensor),
           array_agg(CASE p_by
               WHEN 'sensor' THEN coalesce(
                   nullif(CASE p_lang WHEN 'en' THEN s.title_en ELSE s.title_zh END, ''), s.sensor)
               WHEN 'district' THEN coalesce(
                   CASE p_lang WHEN 'en' THEN d.title_en ELSE d.title_zh END, s.district)
               ELSE CASE p_lang WHEN 'en' THEN declared.title_en ELSE declared.title_zh END
           END ORDER BY s.sensor),
           array_agg(CASE WHEN k.overall = 'margin' AND k.headline = p_metric
                          AND coalesce(p_sensor, '') IN ('', 'all')
                     THEN (s.attributes ->> k.margin_attribute)::float8 ELSE 0 END ORDER BY s.sensor)
    INTO names, labels, less
    FROM sensors s JOIN dash.streams k ON k.stream = s.stream
    LEFT JOIN dash.districts d ON d.district = s.district
    WHERE s.stream = p_stream AND s.status <> 'retired'
      AND (coalesce(p_district, '') IN ('', 'all') OR s.district = p_district)
      AND (coalesce(p_sensor, '') IN ('', 'all') OR s.sensor = p_sensor);
    IF names IS NULL THEN
        RETURN;
    END IF;
    -- no finer than the cadence: a step that not every sensor reaches would swing between groups
    SELECT greatest(extract(epoch FROM p_step), s.cadence_s)::float8 INTO asked_s
    FROM dash.streams s WHERE s.stream = p_stream;
    SELECT * INTO chosen FROM dash.level(
        p_stream, declared.kind = 'measured', asked_s,
        extract(epoch FROM p_to - p_from)::float8, cardinality(names));
    -- a step is a whole number of the level's own steps; days and weeks are local ones
    step := make_interval(secs => chosen.base_s * greatest(
        1, ceil(asked_s / chosen.base_s)));
    line := CASE WHEN declared.unit = '°'  -- the mean of 350° and 10° is 0°, and has no band
        THEN replace(' mod((degrees(atan2(avg(sin(radians(X))), avg(cos(radians(X))))) + 360)::numeric,'
                     ' 360)::float8, NULL::float8, NULL::float8', 'X',
                     CASE chosen.name WHEN 'raw' THEN 'r.%3$I' ELSE 'r.%8$I' END)
        WHEN chosen.name = 'raw'
        THEN ' avg(r.%3$I - n.less), min(r.%3$I - n.less), max(r.%3$I - n.less)'
        ELSE ' sum(r.%4$I - n.less * r.%5$I) / nullif(sum(r.%5$I), 0),'
             ' min(r.%6$I - n.less), max(r.%7$I - n.less)' END;
    RETURN QUERY EXECUTE format(
        'SELECT public.time_bucket($1, r.%1$I, timestamptz ''2000-01-03 00:00+08'') AS t, n.label,'
        || line ||
        ' FROM %2$I r JOIN unnest($4::text[], $5::text[], $6::float8[]) n (sensor, label, less)'
        ' ON n.sensor = r.sensor'
        ' WHERE r.sensor = ANY ($4) AND r.%1$I >= $2 AND r.%1$I < $3'
        || CASE WHEN chosen.name = 'raw' THEN ' AND r.%3$I IS NOT NULL'
           ELSE ' AND r.%5$I > 0' END ||
        ' GROUP BY t, n.label ORDER BY t, n.label LIMIT 20000',
        chosen.time_column, chosen."table", p_metric, p_metric || '_sum', p_metric || '_used',
        p_metric || '_min', p_metric || '_max', p_metric || '_last'
    ) USING step, p_from, p_to, names, labels, less;
END $$;
