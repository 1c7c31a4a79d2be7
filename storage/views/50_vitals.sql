-- The city's vital signs over time, one line per stream, made of sensors as `overall` says.
CREATE OR REPLACE FUNCTION dash.vital_trend(
    p_domain text, p_from timestamptz, p_to timestamptz, p_step interval,
    p_stream text DEFAULT NULL
)
RETURNS TABLE ("time" timestamptz, stream text, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
#variable_conflict use_column
DECLARE
    item record;
    chosen record;
    names text[];
    offsets double precision[];
BEGIN
    IF p_from IS NULL OR p_to IS NULL OR p_to <= p_from THEN
        RETURN;
    END IF;
    FOR item IN
        SELECT s.*, m.kind FROM dash.streams s
        JOIN dash.metrics m ON m.stream = s.stream AND m.metric = s.headline
        WHERE (p_domain IS NULL OR s.domain = p_domain)
          AND (p_stream IS NULL OR s.stream = p_stream) ORDER BY s.position
    LOOP
        SELECT array_agg(s.sensor ORDER BY s.sensor), array_agg(CASE item.overall WHEN 'margin'
               THEN (s.attributes ->> item.margin_attribute)::float8 ELSE 0 END ORDER BY s.sensor)
        INTO names, offsets
        FROM sensors s WHERE s.stream = item.stream AND s.status <> 'retired';
        CONTINUE WHEN names IS NULL;
        -- never raw: a vital sign is made of good values
        SELECT * INTO chosen FROM dash.level(
            item.stream, false, extract(epoch FROM p_step)::float8,
            extract(epoch FROM p_to - p_from)::float8, cardinality(names), 15000);
        RETURN QUERY EXECUTE format(
            'SELECT b.t, %1$L::text, ' || CASE item.overall
                WHEN 'mean' THEN 'avg(b.v)' WHEN 'sum' THEN 'sum(b.v)'
                WHEN 'min' THEN 'min(b.v)' ELSE 'max(b.v)' END ||
            ' FROM (SELECT public.time_bucket($1, r.window_start,'
            '       timestamptz ''2000-01-03 00:00+08'') AS t,'
            '       sum(r.%3$I) / nullif(sum(r.%4$I), 0) - n.less AS v'
            '     FROM %2$I r JOIN unnest($4::text[], $5::float8[]) n (sensor, less)'
            '          ON n.sensor = r.sensor'
            '     WHERE r.sensor = ANY ($4) AND r.window_start >= $2 AND r.window_start < $3'
            '       AND r.%4$I > 0 GROUP BY t, r.sensor, n.less) b'
            ' GROUP BY b.t ORDER BY b.t LIMIT 2000',
            item.stream, chosen."table", item.headline || '_sum', item.headline || '_good'
        ) USING make_interval(secs => chosen.base_s * greatest(1, ceil(greatest(
              extract(epoch FROM p_step)::float8, item.cadence_s) / chosen.base_s))),
              p_from, p_to, names, offsets;
    END LOOP;
END $$;

-- the same with the label that a wall shows: title, and before it the icon of what is wrong; a
-- stream that said nothing in the whole time has one empty point, so that its tile does not vanish
CREATE OR REPLACE FUNCTION dash.wall_trend(
    p_domain text, p_from timestamptz, p_to timestamptz, p_step interval, p_lang text DEFAULT 'zh'
)
RETURNS TABLE ("time" timestamptz, label text, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH alarmed AS (
        SELECT e.stream, min(e.severity) AS severity, count(*) AS alerts
        FROM episodes e WHERE e.cleared_at IS NULL AND e.metric IS NOT NULL GROUP BY e.stream
    ), labels AS (
        SELECT s.stream, s.position,
               CASE WHEN d.state <> 'normal' THEN d.icon || ' '
                   || CASE p_lang WHEN 'en' THEN d.title_en ELSE d.title_zh END || ' ' ELSE '' END
               || coalesce(c.icon || ' ' || a.alerts || ' ', '')
               || CASE p_lang WHEN 'en' THEN s.vital_en ELSE s.vital_zh END AS label
        FROM dash.streams s
        JOIN dash.freshness() f ON f.stream = s.stream
        JOIN dash.states d ON d.state = dash.data_state(f.sensors, f.fresh, f.never)
        LEFT JOIN alarmed a ON a.stream = s.stream
        LEFT JOIN dash.severities c ON c.severity = a.severity
        WHERE s.domain = p_domain
    ), trend AS (
        SELECT t."time", t.stream, t.value
        FROM dash.vital_trend(p_domain, p_from, p_to, p_step) t
    )
    SELECT v."time", l.label, v.value
    FROM (SELECT * FROM trend
          UNION ALL
          SELECT p_to, s.stream, NULL FROM labels s
          WHERE p_to > p_from AND NOT EXISTS (SELECT FROM trend t WHERE t.stream = s.stream)
         ) v ("time", stream, value)
    JOIN labels l ON l.stream = v.stream
    ORDER BY v."time", l.position
$$;
