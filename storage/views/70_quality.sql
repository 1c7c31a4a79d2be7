-- Is the data itself alive and sound?

-- flags per step, split by test or by stream
CREATE OR REPLACE FUNCTION dash.flag_counts(
    p_from timestamptz, p_to timestamptz, p_step interval, p_by text DEFAULT 'test',
    p_stream text DEFAULT NULL, p_lang text DEFAULT 'zh'
)
RETURNS TABLE ("time" timestamptz, label text, value bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT time_bucket(greatest(p_step, interval '1 minute', (p_to - p_from) / 500), q.observed_at),
           CASE p_by WHEN 'stream' THEN
               CASE p_lang WHEN 'en' THEN d.title_en ELSE d.title_zh END ELSE q.test END,
           count(*)
    FROM dash.streams d
    JOIN sensors s ON s.stream = d.stream
    CROSS JOIN LATERAL (
        SELECT f.observed_at, f.test FROM qc_flags f WHERE f.stream = s.stream
        AND f.sensor = s.sensor AND f.observed_at BETWEEN p_from AND p_to LIMIT 5000) q
    WHERE p_stream IS NULL OR d.stream = p_stream
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 20000
$$;

-- readings that came and were good, against what the cadence promises of each sensor since it is
-- registered, or since its first reading if that is older
CREATE OR REPLACE FUNCTION dash.completeness(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    stream text, domain text, title_zh text, title_en text, sensors bigint,
    expected double precision, received double precision, complete_pct double precision,
    good_pct double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
    chosen record;
    names text[];
BEGIN
    FOR item IN
        SELECT s.*, m.metric FROM dash.streams s
        JOIN dash.metrics m ON m.stream = s.stream AND m.kind = 'measured' AND m.position = 0
        WHERE p_to > p_from ORDER BY s.position
    LOOP
        SELECT array_agg(s.sensor) INTO names FROM sensors s
        WHERE s.stream = item.stream AND s.status = 'registered';
        CONTINUE WHEN names IS NULL;
        SELECT * INTO chosen FROM dash.level(
            item.stream, false, 3600, extract(epoch FROM p_to - p_from)::float8,
            cardinality(names), 15000);
        RETURN QUERY EXECUTE format(
            'SELECT $1, $2, $3, $4, cardinality($5)::bigint, c.expected, c.received,'
            ' least(100, c.received * 100 / nullif(c.expected, 0)), c.good * 100'
            ' / nullif(c.carried, 0) FROM (SELECT sum(greatest(0, extract(epoch FROM'
            ' least($7, now()) - greatest($6, least(s.created_at, a.first)))))::float8 / $8'
            ' AS expected, coalesce(sum(a.n), 0)::float8 AS received,'
            ' sum(a.carried)::float8 AS carried, sum(a.good)::float8 AS good'
            ' FROM sensors s LEFT JOIN (SELECT w.sensor, min(w.window_start) AS first, sum(w.n) AS n,'
            ' sum(w.%2$I) AS carried, sum(w.%3$I) AS good FROM %1$I w WHERE w.sensor = ANY ($5)'
            ' AND w.window_start >= $6 AND w.window_start < $7 GROUP BY 1) a ON a.sensor = s.sensor'
            ' WHERE s.stream = $1 AND s.sensor = ANY ($5)) c',
            chosen."table", item.metric || '_n', item.metric || '_good'
        ) USING item.stream, item.domain, item.title_zh, item.title_en, names, p_from, p_to,
                item.cadence_s;
    END LOOP;
END $$;

-- what could not be used, by reason; open ones first
CREATE OR REPLACE FUNCTION dash.dead_letters(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    stream text, stage text, code text, reason text, letters bigint, open bigint,
    newest_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.stream, d.stage, d.code, left(max(d.reason), 120), count(*),
           count(*) FILTER (WHERE d.status = 'open'), max(d.at)
    FROM dead_letters d WHERE d.at BETWEEN p_from AND p_to OR d.status = 'open'
    GROUP BY 1, 2, 3 ORDER BY 6 DESC, 7 DESC LIMIT 200
$$;

-- sensors that nobody declared, or that fell silent
CREATE OR REPLACE FUNCTION dash.silent_sensors(max_rows integer DEFAULT 100)
RETURNS TABLE (
    stream text, sensor text, title_zh text, title_en text, district text, freshness text,
    age_s double precision
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.stream, s.sensor, coalesce(nullif(s.title_zh, ''), s.sensor),
           coalesce(nullif(s.title_en, ''), s.sensor), s.district,
           CASE WHEN l.observed_at IS NULL THEN 'never' ELSE 'stale' END,
           extract(epoch FROM now() - l.observed_at)::float8
    FROM sensors s
    JOIN dash.streams d ON d.stream = s.stream
    LEFT JOIN sensor_last l ON l.stream = s.stream AND l.sensor = s.sensor
    WHERE s.status <> 'retired' AND coalesce(l.observed_at, '-infinity')
          < now() - make_interval(secs => d.silent_after_s)
    ORDER BY l.observed_at DESC NULLS LAST, d.stream, s.sensor
    LIMIT least(greatest(max_rows, 0), 1000)
$$;
