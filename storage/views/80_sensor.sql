-- One sensor, for diagnosis.

CREATE OR REPLACE FUNCTION dash.sensor_card(
    p_stream text, p_sensor text, p_lang text DEFAULT 'zh'
)
RETURNS TABLE (field text, value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH chosen AS (
        SELECT s.*, d.title_zh AS district_zh, d.title_en AS district_en
        FROM sensors s LEFT JOIN dash.districts d ON d.district = s.district
        WHERE s.stream = p_stream AND s.sensor = p_sensor
    )
    SELECT f.field, f.value FROM chosen c CROSS JOIN LATERAL (
        SELECT 1, CASE p_lang WHEN 'en' THEN 'Name' ELSE '名称' END,
               CASE p_lang WHEN 'en' THEN c.title_en ELSE c.title_zh END
        UNION ALL SELECT 2, CASE p_lang WHEN 'en' THEN 'Place' ELSE '位置' END,
               concat_ws(' ', CASE p_lang WHEN 'en' THEN c.district_en ELSE c.district_zh END,
                         c.street)
        UNION ALL SELECT 3, CASE p_lang WHEN 'en' THEN 'Registration' ELSE '登记' END,
               CASE WHEN p_lang = 'en' THEN c.status WHEN c.status = 'registered' THEN '已登记'
                    WHEN c.status = 'provisional' THEN '未登记（自报）' ELSE '已停用' END
        UNION ALL SELECT 4, CASE p_lang WHEN 'en' THEN 'Fed by' ELSE '上级' END, c.parent
        UNION ALL SELECT 5, coalesce(CASE p_lang WHEN 'en' THEN t.title_en ELSE t.title_zh END,
                                     a.key), concat_ws(' ', a.value, nullif(t.unit, '1'))
        FROM jsonb_each_text(c.attributes) a LEFT JOIN dash.attributes t
             ON t.stream = c.stream AND t.attribute = a.key
    ) f (position, field, value)
    WHERE f.value <> '' ORDER BY f.position, f.field
$$;

-- the limits of one metric of one sensor, as lines through the asked time
CREATE OR REPLACE FUNCTION dash.limits(
    p_stream text, p_sensor text, p_metric text, p_from timestamptz, p_to timestamptz,
    p_lang text DEFAULT 'zh'
)
RETURNS TABLE ("time" timestamptz, label text, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.at, v.icon || ' ' || t.op || ' '
           || CASE p_lang WHEN 'en' THEN v.title_en ELSE v.title_zh END
           || CASE WHEN t.hours_from IS NULL THEN ''
                   ELSE format(' %s–%s h', t.hours_from, t.hours_to) END
           || coalesce(' ' || CASE p_lang WHEN 'en' THEN t.condition_en
                                          ELSE t.condition_zh END, ''),
           coalesce(t.value, (s.attributes ->> t.attribute)::float8 + t.attribute_offset)
    FROM (SELECT DISTINCT op, severity, value, attribute, attribute_offset, hours_from, hours_to,
                 condition_zh, condition_en
          FROM dash.thresholds WHERE stream = p_stream AND metric = p_metric
            AND coalesce(effective_from <= current_date, true)
            AND coalesce(effective_to >= current_date, true)) t
    JOIN sensors s ON s.stream = p_stream AND s.sensor = p_sensor
    JOIN dash.severities v ON v.severity = t.severity
    CROSS JOIN (VALUES (p_from), (p_to)) p (at)
    WHERE coalesce(t.value, (s.attributes ->> t.attribute)::float8) IS NOT NULL
    ORDER BY p.at, t.severity, t.value
$$;

-- every reading as the sensor sent it, newest first
CREATE OR REPLACE FUNCTION dash.raw(
    p_stream text, p_sensor text, p_metric text, p_from timestamptz, p_to timestamptz,
    max_rows integer DEFAULT 3000
)
RETURNS TABLE ("time" timestamptz, value double precision, delay_s double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM dash.metrics m WHERE m.stream = p_stream AND m.metric = p_metric
                   AND m.kind = 'measured') THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT * FROM (SELECT r.observed_at AS t, r.%2$I,'
        ' extract(epoch FROM r.received_at - r.observed_at)::float8 FROM %1$I r'
        ' WHERE r.sensor = $1 AND r.observed_at BETWEEN $2 AND $3 AND r.%2$I IS NOT NULL'
        ' ORDER BY r.observed_at DESC LIMIT $4) x ORDER BY x.t',
        'readings_' || p_stream, p_metric
    ) USING p_sensor, p_from, p_to, least(greatest(max_rows, 0), 10000);
END $$;

-- one-minute windows of one metric: how many readings, how many good, how often corrected
CREATE OR REPLACE FUNCTION dash.windows(
    p_stream text, p_sensor text, p_metric text, p_from timestamptz, p_to timestamptz,
    max_rows integer DEFAULT 1500
)
RETURNS TABLE (
    "time" timestamptz, n integer, good integer, revision integer, low double precision,
    mean double precision, high double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM dash.metrics m
                   WHERE m.stream = p_stream AND m.metric = p_metric) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT * FROM (SELECT a.window_start AS t, a.%2$I, a.%3$I, a.revision, a.%4$I,'
        ' a.%5$I / nullif(a.%7$I, 0), a.%6$I FROM %1$I a'
        ' WHERE a.sensor = $1 AND a.window_start BETWEEN $2 AND $3'
        ' ORDER BY a.window_start DESC LIMIT $4) x ORDER BY x.t',
        'aggregates_' || p_stream, p_metric || '_n', p_metric || '_good', p_metric || '_min',
        p_metric || '_sum', p_metric || '_max', p_metric || '_used'
    ) USING p_sensor, p_from, p_to, least(greatest(max_rows, 0), 10000);
END $$;

CREATE OR REPLACE FUNCTION dash.flags(
    p_stream text, p_sensor text, p_from timestamptz, p_to timestamptz,
    max_rows integer DEFAULT 200
)
RETURNS TABLE (
    "time" timestamptz, metric text, title_zh text, title_en text, test text, flag smallint,
    value double precision, unit text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT q.observed_at, q.metric, coalesce(m.title_zh, q.metric), coalesce(m.title_en, q.metric),
           q.test, q.flag, q.value, m.unit
    FROM qc_flags q LEFT JOIN dash.metrics m ON m.stream = q.stream AND m.metric = q.metric
    WHERE q.stream = p_stream AND q.sensor = p_sensor AND q.observed_at BETWEEN p_from AND p_to
    ORDER BY q.observed_at DESC, q.metric, q.test LIMIT least(greatest(max_rows, 0), 1000)
$$;

-- choices of variables; the first choice of a district is all of them
CREATE OR REPLACE FUNCTION dash.district_choices(p_lang text DEFAULT 'zh')
RETURNS TABLE (__text text, __value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.text, c.value FROM (
        SELECT CASE p_lang WHEN 'en' THEN 'All districts' ELSE '全市' END, 'all', -1
        UNION ALL SELECT CASE p_lang WHEN 'en' THEN d.title_en ELSE d.title_zh END, d.district,
        d.position FROM dash.districts d) c (text, value, position)
    ORDER BY c.position
$$;

CREATE OR REPLACE FUNCTION dash.sensor_choices(
    p_stream text, p_lang text DEFAULT 'zh', p_district text DEFAULT NULL
)
RETURNS TABLE (__text text, __value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(nullif(CASE p_lang WHEN 'en' THEN s.title_en ELSE s.title_zh END, ''),
                    s.sensor), s.sensor
    FROM sensors s WHERE s.stream = p_stream AND s.status <> 'retired'
      AND (coalesce(p_district, 'all') = 'all' OR s.district = p_district)
    ORDER BY s.sensor LIMIT 2000
$$;
