-- Alerts over time: what was raised, how long it took, what comes again and again.

CREATE OR REPLACE FUNCTION dash.alert_history(
    p_from timestamptz, p_to timestamptz, max_rows integer DEFAULT 200,
    p_domain text DEFAULT NULL, p_stream text DEFAULT NULL, p_sensor text DEFAULT NULL,
    p_district text DEFAULT NULL
)
RETURNS TABLE (
    episode text, rule text, title_zh text, title_en text, stream text, domain text, sensor text,
    sensor_zh text, sensor_en text, district text, severity smallint, peak_severity smallint,
    value double precision, threshold double precision, unit text, raised_at timestamptz,
    cleared_at timestamptz, lasted_s double precision, acked_at timestamptz, acked_by text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, e.rule, coalesce(own.title_zh, r.title_zh, e.annotations ->> 'summary', e.rule),
           coalesce(own.title_en, r.title_en, e.annotations ->> 'summary', e.rule), e.stream,
           coalesce(d.domain, e.labels ->> 'domain'), e.sensor, coalesce(nullif(s.title_zh, ''), e.sensor),
           coalesce(nullif(s.title_en, ''), e.sensor), s.district, e.severity, e.peak_severity,
           e.value, e.threshold, CASE WHEN r.kind IN ('unusual', 'joint') THEN '×' ELSE m.unit END,
           e.raised_at, e.cleared_at,
           extract(epoch FROM coalesce(e.cleared_at, now()) - e.raised_at)::float8,
           e.acked_at, e.acked_by
    FROM episodes e
    LEFT JOIN sensors s ON s.stream = e.stream AND s.sensor = e.sensor
    LEFT JOIN dash.rules r ON r.rule = e.rule
    LEFT JOIN LATERAL (
        SELECT t.title_zh, t.title_en FROM dash.thresholds t WHERE t.rule = e.rule
        AND t.severity = e.peak_severity AND t.title_zh IS NOT NULL LIMIT 1) own ON true
    LEFT JOIN dash.streams d ON d.stream = e.stream
    LEFT JOIN dash.metrics m ON m.stream = e.stream AND m.metric = e.metric
    WHERE e.raised_at BETWEEN p_from AND p_to
      AND (p_domain IS NULL OR d.domain = p_domain)
      AND (p_stream IS NULL OR e.stream = p_stream)
      AND (p_sensor IS NULL OR e.sensor = p_sensor)
      AND (coalesce(p_district, 'all') = 'all' OR s.district = p_district)
    ORDER BY e.raised_at DESC, e.id
    LIMIT least(greatest(max_rows, 0), 1000)
$$;

-- alerts raised per step and severity; a step without any is zero, not missing
CREATE OR REPLACE FUNCTION dash.alert_counts(
    p_from timestamptz, p_to timestamptz, p_step interval, p_lang text DEFAULT 'zh'
)
RETURNS TABLE ("time" timestamptz, label text, value bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH asked AS (
        SELECT greatest(p_step, interval '1 minute', (p_to - p_from) / 500) AS step
    ), raised AS (
        SELECT time_bucket(a.step, e.raised_at) AS t, e.peak_severity AS severity, count(*) AS n
        FROM asked a, episodes e WHERE e.concern = 'city'
             AND e.raised_at >= time_bucket(a.step, p_from)
             AND e.raised_at <= p_to GROUP BY 1, 2
    )
    SELECT g.t, v.icon || ' ' || CASE p_lang WHEN 'en' THEN v.title_en ELSE v.title_zh END,
           coalesce(r.n, 0)
    FROM asked a, generate_series(time_bucket(a.step, p_from), p_to, a.step) g (t)
    CROSS JOIN dash.severities v
    LEFT JOIN raised r ON r.t = g.t AND r.severity = v.severity
    ORDER BY g.t, v.severity
$$;

-- one row: how many are active by severity, how fast they are taken and cleared
CREATE OR REPLACE FUNCTION dash.alert_figures(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    active bigint, red bigint, orange bigint, yellow bigint, blue bigint, unacked bigint,
    raised bigint, cleared bigint, ack_p50_s double precision, clear_p50_s double precision
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.active, o.red, o.orange, o.yellow, o.blue, o.unacked, h.*
    FROM (SELECT count(*) AS active, count(*) FILTER (WHERE severity = 1) AS red,
                 count(*) FILTER (WHERE severity = 2) AS orange,
                 count(*) FILTER (WHERE severity = 3) AS yellow,
                 count(*) FILTER (WHERE severity = 4) AS blue,
                 count(*) FILTER (WHERE acked_at IS NULL) AS unacked
          FROM episodes WHERE cleared_at IS NULL AND concern = 'city') o,
         (SELECT count(*), count(cleared_at),
                 percentile_cont(0.5) WITHIN GROUP (
                     ORDER BY extract(epoch FROM acked_at - raised_recorded_at)::float8),
                 percentile_cont(0.5) WITHIN GROUP (
                     ORDER BY extract(epoch FROM cleared_at - raised_at)::float8)
          FROM episodes WHERE raised_at BETWEEN p_from AND p_to AND concern = 'city') h
$$;

CREATE OR REPLACE FUNCTION dash.alert_sources(
    p_from timestamptz, p_to timestamptz, max_rows integer DEFAULT 20
)
RETURNS TABLE (
    rule text, title_zh text, title_en text, stream text, sensor text, sensor_zh text,
    sensor_en text, raised bigint, lasted_s double precision
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.rule, h.title_zh, h.title_en, h.stream, h.sensor, h.sensor_zh, h.sensor_en,
           count(*), sum(h.lasted_s)
    FROM dash.alert_history(p_from, p_to, 1000) h
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY count(*) DESC, sum(h.lasted_s) DESC, h.rule, h.sensor
    LIMIT least(greatest(max_rows, 0), 200)
$$;

-- for annotations: points, because the spans of many alerts would cover a chart; text, tags
CREATE OR REPLACE FUNCTION dash.notes(
    p_from timestamptz, p_to timestamptz, p_lang text DEFAULT 'zh', p_domain text DEFAULT NULL,
    p_stream text DEFAULT NULL, p_sensor text DEFAULT NULL, p_district text DEFAULT NULL
)
RETURNS TABLE ("time" timestamptz, timeend timestamptz, "text" text, tags text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.raised_at, NULL::timestamptz,
           v.icon || ' ' || CASE p_lang WHEN 'en' THEN h.title_en || ' · ' || h.sensor_en
                                        ELSE h.title_zh || ' · ' || h.sensor_zh END,
           h.stream || ',' || v.name
    FROM dash.alert_history(
        p_from, p_to, 200, p_domain, p_stream, p_sensor, p_district) h
    JOIN dash.severities v ON v.severity = h.peak_severity
    ORDER BY h.raised_at
$$;

-- The state of each stream or district (p_by) per step: its worst measured alert of the step; stale
-- where nothing was stored or half of the sensors were called silent; `level` is that of dash.states.
-- The newest step tells the present, whose windows are not all closed yet.
CREATE OR REPLACE FUNCTION dash.state_history(
    p_by text, p_from timestamptz, p_to timestamptz, p_step interval,
    p_domain text DEFAULT NULL, p_stream text DEFAULT NULL
)
RETURNS TABLE ("time" timestamptz, key text, level integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1000 AS $$
#variable_conflict use_column
DECLARE
    step interval := greatest(p_step, interval '1 minute', (p_to - p_from) / 100);
    until timestamptz := least(p_to, now());
    item record;
    part record;
    heard boolean[];
    stored boolean[];
    steps timestamptz[];
    present jsonb;
BEGIN
    IF p_from IS NULL OR p_to IS NULL OR until <= p_from OR p_by NOT IN ('stream', 'district') THEN
        RETURN;
    END IF;
    SELECT array_agg(g.t ORDER BY g.t) INTO steps
    FROM generate_series(time_bucket(step, p_from), until, step) g (t);
    IF p_by = 'stream' THEN
        SELECT jsonb_object_agg(f.stream, dash.data_state(f.sensors, f.fresh, f.never)) INTO present
        FROM dash.freshness() f;
    ELSE
        SELECT jsonb_object_agg(d.district, CASE WHEN d.worst IN ('stale', 'never') THEN d.worst
                                                 ELSE 'normal' END) INTO present
        FROM dash.district_states(p_domain, p_stream) d;
    END IF;
    FOR item IN
        SELECT CASE p_by WHEN 'stream' THEN s.stream ELSE s.district END AS key,
               count(*) AS sensors
        FROM sensors s JOIN dash.streams d ON d.stream = s.stream
        WHERE s.status <> 'retired' AND (p_domain IS NULL OR d.domain = p_domain)
          AND (p_stream IS NULL OR d.stream = p_stream)
          AND (p_by = 'stream' OR s.district IS NOT NULL)
        GROUP BY 1
    LOOP
        heard := array_fill(false, ARRAY[cardinality(steps)]);
        FOR part IN SELECT s.stream, array_agg(s.sensor) AS names FROM sensors s
            JOIN dash.streams d ON d.stream = s.stream
            WHERE s.status <> 'retired' AND (p_domain IS NULL OR d.domain = p_domain)
              AND (p_stream IS NULL OR d.stream = p_stream)
              AND item.key = CASE p_by WHEN 'stream' THEN s.stream ELSE s.district END
            GROUP BY s.stream
        LOOP
            EXECUTE format(
                'SELECT array_agg($1[n] OR EXISTS (SELECT FROM unnest($2::text[]) x (sensor),'
                ' LATERAL (SELECT FROM %I a WHERE a.sensor = x.sensor AND a.window_start >= $3[n]'
                ' AND a.window_start < $3[n] + $4 ORDER BY a.sensor, a.window_start LIMIT 1) a)'
                ' ORDER BY n)'
                ' FROM generate_subscripts($3, 1) n',
                CASE WHEN p_to - p_from > interval '2 days' THEN 'rollup_1h_' ELSE 'aggregates_'
                END || part.stream
            ) INTO stored USING heard, part.names, steps, step;
            heard := stored;
            EXIT WHEN NOT false = ANY (heard);
        END LOOP;
        RETURN QUERY
        WITH open AS MATERIALIZED (
            SELECT e.raised_at, coalesce(e.cleared_at, 'infinity') AS cleared_at, e.sensor,
                   CASE WHEN e.metric IS NOT NULL THEN e.severity END AS severity, r.kind
            FROM episodes e
            JOIN dash.streams d ON d.stream = e.stream
            LEFT JOIN dash.rules r ON r.rule = e.rule
            LEFT JOIN sensors s ON s.stream = e.stream AND s.sensor = e.sensor
            WHERE (e.cleared_at IS NULL OR e.raised_at > p_from - interval '7 days')
              AND coalesce(e.cleared_at, 'infinity') > p_from
              AND (p_domain IS NULL OR d.domain = p_domain)
              AND (p_stream IS NULL OR d.stream = p_stream)
              AND item.key = CASE p_by WHEN 'stream' THEN e.stream ELSE s.district END
        )
        SELECT g.t, item.key, coalesce(v.level, p.level)
        FROM unnest(steps, heard) WITH ORDINALITY g (t, heard, n)
        CROSS JOIN LATERAL (
            SELECT min(o.severity) AS severity,
                   count(DISTINCT o.sensor) FILTER (WHERE o.kind = 'absence') AS silent,
                   coalesce(bool_or(o.kind = 'stream_absence'), false) AND p_by = 'stream' AS gone
            FROM open o WHERE o.raised_at < g.t + step AND o.cleared_at > g.t
        ) a
        LEFT JOIN dash.severities c ON c.severity = a.severity
        LEFT JOIN dash.states v ON v.state = c.name
        JOIN dash.states p ON p.state = CASE
            WHEN g.n = cardinality(steps) AND p_to > now() - step
            THEN coalesce(present ->> item.key, 'never')
            WHEN NOT g.heard OR a.gone OR 2 * a.silent > item.sensors THEN 'stale'
            ELSE 'normal' END
        ORDER BY g.t;
    END LOOP;
END $$;
