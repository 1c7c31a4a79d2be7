-- What each sensor, stream and district is doing now.

-- What a number of sensors may be called when none of them alarms: normal only while at least half
-- are heard (engineering: below that, nobody has looked at most of what the word would cover).
CREATE OR REPLACE FUNCTION dash.data_state(sensors bigint, fresh bigint, never bigint)
RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce(sensors, 0) <= coalesce(never, 0) THEN 'never'
                WHEN 2 * fresh < sensors THEN 'stale' ELSE 'normal' END
$$;

-- newest good value of a stream's headline per sensor, from the one-minute windows
CREATE OR REPLACE FUNCTION dash.headlines(p_stream text DEFAULT NULL)
RETURNS TABLE (stream text, sensor text, observed_at timestamptz, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
BEGIN
    FOR item IN SELECT * FROM dash.streams s WHERE p_stream IS NULL OR s.stream = p_stream LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %1$L::text, x.sensor, a.window_start, a.%3$I'
            ' FROM sensor_last x, LATERAL ('
            '   SELECT a.window_start, a.%3$I FROM %2$I a'
            '   WHERE a.sensor = x.sensor AND a.%3$I IS NOT NULL'
            '   AND a.window_start > x.observed_at - make_interval(secs => $1)'
            '   ORDER BY a.window_start DESC LIMIT 1) a'
            ' WHERE x.stream = %1$L',
            item.stream, 'aggregates_' || item.stream, item.headline || '_last'
        ) USING greatest(3600, 3 * item.silent_after_s);
    END LOOP;
END $$;

-- newest value of a stream's headline per sensor: as sent where it is measured, else as computed
CREATE OR REPLACE FUNCTION dash.newest_headlines(p_stream text DEFAULT NULL)
RETURNS TABLE (stream text, sensor text, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
BEGIN
    FOR item IN SELECT s.stream, s.headline, m.kind FROM dash.streams s
                JOIN dash.metrics m ON m.stream = s.stream AND m.metric = s.headline
                WHERE p_stream IS NULL OR s.stream = p_stream LOOP
        IF item.kind = 'measured' THEN
            RETURN QUERY EXECUTE format('SELECT l.stream, l.sensor, l.%I FROM %I l',
                                        item.headline, 'last_' || item.stream);
        ELSE
            RETURN QUERY SELECT h.stream, h.sensor, h.value FROM dash.headlines(item.stream) h;
        END IF;
    END LOOP;
END $$;

-- one sensor's last value of each metric it has ever sent
CREATE OR REPLACE FUNCTION dash.last_values(p_stream text, p_sensor text)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found jsonb;
BEGIN
    IF EXISTS (SELECT FROM dash.streams s WHERE s.stream = p_stream) THEN
        EXECUTE format(
            'SELECT jsonb_strip_nulls(to_jsonb(l)'
            ' - ARRAY[''stream'', ''sensor'', ''observed_at'', ''received_at''])'
            ' FROM %I l WHERE l.sensor = $1', 'last_' || p_stream) INTO found USING p_sensor;
    END IF;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION dash.sensor_states(p_stream text DEFAULT NULL)
RETURNS TABLE (
    stream text, domain text, sensor text, title_zh text, title_en text, district text,
    street text, lon double precision, lat double precision, observed_at timestamptz,
    age_s double precision, freshness text, severity smallint, state text,
    value double precision, unit text, decimals integer
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH worst AS (
        -- silence is shown as a state of its own, not as the colour of its rule
        SELECT e.stream, e.sensor, min(e.severity) AS severity,
               min(e.severity) FILTER (WHERE e.metric IS NOT NULL) AS measured
        FROM episodes e WHERE e.cleared_at IS NULL AND e.concern = 'city'
          AND (p_stream IS NULL OR e.stream = p_stream)
        GROUP BY e.stream, e.sensor
    ), known AS (
        SELECT s.*, d.domain, d.unit, d.decimals, d.silent_after_s, l.observed_at AS at,
               greatest(0, extract(epoch FROM now() - l.observed_at))::float8 AS age
        FROM sensors s
        JOIN dash.streams d ON d.stream = s.stream
        LEFT JOIN sensor_last l ON l.stream = s.stream AND l.sensor = s.sensor
        WHERE s.status <> 'retired' AND (p_stream IS NULL OR s.stream = p_stream)
    )
    SELECT k.stream, k.domain, k.sensor, coalesce(nullif(k.title_zh, ''), k.sensor),
           coalesce(nullif(k.title_en, ''), k.sensor), k.district, k.street, k.lon, k.lat, k.at,
           k.age, f.freshness, w.severity,
           coalesce(
               v.name, nullif(f.freshness, 'fresh'),
               CASE WHEN w.severity IS NOT NULL THEN 'blue' ELSE 'normal' END),
           c.value, k.unit, k.decimals
    FROM known k
    CROSS JOIN LATERAL (SELECT CASE
        WHEN k.at IS NULL THEN 'never' WHEN k.age > k.silent_after_s THEN 'stale' ELSE 'fresh'
        END AS freshness) f
    LEFT JOIN worst w ON w.stream = k.stream AND w.sensor = k.sensor
    LEFT JOIN dash.severities v ON v.severity = w.measured
    LEFT JOIN dash.newest_headlines(p_stream) c ON c.stream = k.stream AND c.sensor = k.sensor
    ORDER BY k.stream, k.sensor
$$;

CREATE OR REPLACE FUNCTION dash.freshness()
RETURNS TABLE (
    stream text, domain text, title_zh text, title_en text, sensors bigint, fresh bigint,
    stale bigint, never bigint, newest_observed_at timestamptz, age_s double precision
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.stream, d.domain, d.title_zh, d.title_en, count(s.sensor),
           count(*) FILTER (WHERE l.observed_at >= t.oldest),
           count(*) FILTER (WHERE l.observed_at < t.oldest),
           count(*) FILTER (WHERE s.sensor IS NOT NULL AND l.observed_at IS NULL),
           max(l.observed_at),
           greatest(0, extract(epoch FROM now() - max(l.observed_at)))::float8
    FROM dash.streams d
    CROSS JOIN LATERAL (SELECT now() - make_interval(secs => d.silent_after_s) AS oldest) t
    LEFT JOIN sensors s ON s.stream = d.stream AND s.status <> 'retired'
    LEFT JOIN sensor_last l ON l.stream = s.stream AND l.sensor = s.sensor
    GROUP BY d.stream, d.domain, d.title_zh, d.title_en, d.position
    ORDER BY d.position
$$;

-- A district is normal only when each of its domains is: half the city's cameras say nothing about
-- a district whose water gauges are silent. `stale` were heard once, `never` were not.
DROP FUNCTION IF EXISTS dash.district_states(text);
CREATE OR REPLACE FUNCTION dash.district_states(
    p_domain text DEFAULT NULL, p_stream text DEFAULT NULL
)
RETURNS TABLE (
    district text, title_zh text, title_en text, lon double precision, lat double precision,
    population integer, sensors bigint, fresh bigint, stale bigint, never bigint, alerts bigint,
    red bigint, orange bigint, yellow bigint, blue bigint, worst text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH by_domain AS (
        SELECT s.district, d.domain, count(*) AS sensors,
               count(*) FILTER (WHERE l.observed_at
                   >= now() - make_interval(secs => d.silent_after_s)) AS fresh,
               count(*) FILTER (WHERE l.observed_at IS NULL) AS never
        FROM sensors s
        JOIN dash.streams d ON d.stream = s.stream
        LEFT JOIN sensor_last l ON l.stream = s.stream AND l.sensor = s.sensor
        WHERE s.status <> 'retired' AND (p_domain IS NULL OR d.domain = p_domain)
          AND (p_stream IS NULL OR d.stream = p_stream)
        GROUP BY s.district, d.domain
    ), counted AS (
        SELECT b.district, sum(b.sensors)::bigint AS sensors, sum(b.fresh)::bigint AS fresh,
               sum(b.never)::bigint AS never,
               bool_or(dash.data_state(b.sensors, b.fresh, b.never) <> 'normal') AS silent
        FROM by_domain b GROUP BY b.district
    ), alarmed AS (
        SELECT s.district, count(*) AS alerts,
               count(*) FILTER (WHERE e.severity = 1) AS red,
               count(*) FILTER (WHERE e.severity = 2) AS orange,
               count(*) FILTER (WHERE e.severity = 3) AS yellow,
               count(*) FILTER (WHERE e.severity = 4) AS blue,
               min(e.severity) FILTER (WHERE e.metric IS NOT NULL) AS worst
        FROM episodes e
        JOIN sensors s ON s.stream = e.stream AND s.sensor = e.sensor
        JOIN dash.streams d ON d.stream = e.stream
        WHERE e.cleared_at IS NULL AND e.concern = 'city'
          AND (p_domain IS NULL OR d.domain = p_domain)
          AND (p_stream IS NULL OR d.stream = p_stream)
        GROUP BY s.district
    )
    SELECT d.district, d.title_zh, d.title_en, d.lon, d.lat, d.population,
           coalesce(c.sensors, 0), coalesce(c.fresh, 0),
           coalesce(c.sensors - c.fresh - c.never, 0), coalesce(c.never, 0),
           coalesce(a.alerts, 0), coalesce(a.red, 0), coalesce(a.orange, 0),
           coalesce(a.yellow, 0), coalesce(a.blue, 0),
           coalesce(v.name, CASE WHEN coalesce(c.sensors = c.never, true) THEN 'never'
                                 WHEN c.silent THEN 'stale' ELSE 'normal' END)
    FROM dash.districts d
    LEFT JOIN counted c ON c.district = d.district
    LEFT JOIN alarmed a ON a.district = d.district
    LEFT JOIN dash.severities v ON v.severity = a.worst
    ORDER BY d.position
$$;

CREATE OR REPLACE FUNCTION dash.active_alerts(max_rows integer DEFAULT 100)
RETURNS TABLE (
    episode text, rule text, title_zh text, title_en text, stream text, domain text, sensor text,
    sensor_zh text, sensor_en text, district text, severity smallint, peak_severity smallint,
    metric text, value double precision, threshold double precision, unit text, decimals integer,
    raised_at timestamptz, acked_at timestamptz, acked_by text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, e.rule, coalesce(own.title_zh, r.title_zh, e.annotations ->> 'summary', e.rule),
           coalesce(own.title_en, r.title_en, e.annotations ->> 'summary', e.rule), e.stream,
           coalesce(d.domain, e.labels ->> 'domain'), e.sensor, coalesce(nullif(s.title_zh, ''), e.sensor),
           coalesce(nullif(s.title_en, ''), e.sensor), s.district, e.severity, e.peak_severity,
           e.metric, e.value, e.threshold,
           -- what is unusual is measured in usual spreads
           CASE WHEN r.kind IN ('unusual', 'joint') THEN '×' ELSE m.unit END,
           CASE WHEN r.kind IN ('unusual', 'joint') THEN 1 ELSE m.decimals END,
           e.raised_at, e.acked_at, e.acked_by
    FROM episodes e
    LEFT JOIN sensors s ON s.stream = e.stream AND s.sensor = e.sensor
    LEFT JOIN dash.rules r ON r.rule = e.rule
    LEFT JOIN LATERAL (
        SELECT t.title_zh, t.title_en FROM dash.thresholds t WHERE t.rule = e.rule
        AND t.severity = e.severity AND t.title_zh IS NOT NULL LIMIT 1) own ON true
    LEFT JOIN dash.streams d ON d.stream = e.stream
    LEFT JOIN dash.metrics m ON m.stream = e.stream AND m.metric = e.metric
    WHERE e.cleared_at IS NULL AND e.concern = 'city'
    ORDER BY e.severity, e.raised_at DESC, e.id
    LIMIT least(greatest(max_rows, 0), 1000)
$$;
