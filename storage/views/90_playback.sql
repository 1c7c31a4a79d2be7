-- The city as it was at a moment, from what is stored: for looking back.

-- every sensor in use with the newest good value of its stream's headline before the moment, from
-- minutes where they are kept, else from quarters of an hour, and its worst measured alert then
CREATE OR REPLACE FUNCTION dash.sensors_at(p_at timestamptz)
RETURNS TABLE (
    stream text, domain text, sensor text, title_zh text, title_en text, district text,
    lon double precision, lat double precision, state text, value double precision, unit text,
    decimals integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
BEGIN
    FOR item IN SELECT * FROM dash.streams s ORDER BY s.position LOOP
        RETURN QUERY EXECUTE format(
            'SELECT s.stream, $3, s.sensor, coalesce(nullif(s.title_zh, ''''), s.sensor),'
            ' coalesce(nullif(s.title_en, ''''), s.sensor), s.district, s.lon, s.lat,'
            ' coalesce(v.name, CASE WHEN n.value IS NULL THEN ''stale'' ELSE ''normal'' END),'
            ' n.value, $4, $5 FROM sensors s'
            ' LEFT JOIN LATERAL (SELECT coalesce('
            '   (SELECT a.%2$I FROM %1$I a WHERE a.sensor = s.sensor AND a.%2$I IS NOT NULL'
            '    AND a.window_start <= $1 AND a.window_start > $1 - make_interval(secs => $2)'
            '    ORDER BY a.window_start DESC LIMIT 1),'
            '   (SELECT r.%2$I FROM %3$I r WHERE r.sensor = s.sensor AND r.%2$I IS NOT NULL'
            '    AND r.window_start <= $1 AND r.window_start > $1 - interval ''15 minutes'''
            '    - make_interval(secs => $2) ORDER BY r.window_start DESC LIMIT 1)) AS value) n'
            ' ON true'
            ' LEFT JOIN LATERAL (SELECT min(a.severity) AS severity FROM dash.alerts_at($1, $6) a'
            '   WHERE a.sensor = s.sensor AND a.metric IS NOT NULL) w ON true'
            ' LEFT JOIN dash.severities v ON v.severity = w.severity'
            ' WHERE s.stream = $6 AND s.status <> ''retired'' ORDER BY s.sensor',
            'aggregates_' || item.stream, item.headline || '_last', 'rollup_15m_' || item.stream
        ) USING p_at, item.silent_after_s + 120, item.domain, item.unit, item.decimals,
                item.stream;
    END LOOP;
END $$;

-- alerts that were open at the moment, with the level and value that they had then
CREATE OR REPLACE FUNCTION dash.alerts_at(p_at timestamptz, p_stream text DEFAULT NULL)
RETURNS TABLE (
    episode text, rule text, title_zh text, title_en text, stream text, sensor text,
    sensor_zh text, sensor_en text, district text, severity smallint, metric text,
    value double precision, unit text, decimals integer, raised_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, e.rule, coalesce(own.title_zh, r.title_zh, e.annotations ->> 'summary', e.rule),
           coalesce(own.title_en, r.title_en, e.annotations ->> 'summary', e.rule), e.stream,
           e.sensor, coalesce(nullif(s.title_zh, ''), e.sensor),
           coalesce(nullif(s.title_en, ''), e.sensor), s.district, l.severity, e.metric,
           coalesce(t.value, e.value), m.unit, m.decimals, e.raised_at
    FROM episodes e
    LEFT JOIN LATERAL (
        SELECT t.severity, t.value FROM transitions t WHERE t.episode = e.id
        AND t.observed_at <= p_at ORDER BY t.observed_at DESC, t.recorded_at DESC LIMIT 1) t ON true
    CROSS JOIN LATERAL (SELECT coalesce(t.severity, e.severity) AS severity) l
    LEFT JOIN sensors s ON s.stream = e.stream AND s.sensor = e.sensor
    LEFT JOIN dash.rules r ON r.rule = e.rule
    LEFT JOIN LATERAL (
        SELECT x.title_zh, x.title_en FROM dash.thresholds x WHERE x.rule = e.rule
        AND x.severity = l.severity AND x.title_zh IS NOT NULL LIMIT 1) own ON true
    LEFT JOIN dash.metrics m ON m.stream = e.stream AND m.metric = e.metric
    WHERE e.concern = 'city' AND e.raised_at <= p_at AND (e.cleared_at IS NULL OR e.cleared_at > p_at)
      AND (p_stream IS NULL OR e.stream = p_stream)
    ORDER BY l.severity, e.raised_at DESC, e.id LIMIT 1000
$$;
