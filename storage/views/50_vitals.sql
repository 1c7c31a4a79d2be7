-- The city's vital signs: one number per stream now, and the line that led to it.

-- Newest good value of one metric of each sensor that is heard. What was sent counts at once unless
-- it is physically impossible or flagged so; then, and for what is computed, the newest one-minute
-- window with a good value. `p_hourly`: the amount of the last hour instead.
CREATE OR REPLACE FUNCTION dash.newest(p_stream text, p_metric text, p_hourly boolean)
RETURNS TABLE (sensor text, observed_at timestamptz, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
    sent text;
BEGIN
    SELECT s.silent_after_s, m.kind, m.fail_low, m.fail_high INTO item FROM dash.streams s
    JOIN dash.metrics m ON m.stream = s.stream AND m.metric = p_metric WHERE s.stream = p_stream;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_hourly THEN
        RETURN QUERY EXECUTE format(
            'SELECT l.sensor, l.observed_at, (SELECT sum(a.%3$I) FROM %2$I a'
            ' WHERE a.sensor = l.sensor AND a.%4$I > 0'
            ' AND a.window_start > now() - interval ''1 hour'')'
            ' FROM sensor_last l JOIN sensors s ON s.stream = l.stream AND s.sensor = l.sensor'
            ' WHERE l.stream = %1$L AND s.status <> ''retired'''
            ' AND l.observed_at > now() - make_interval(secs => $1)',
            p_stream, 'aggregates_' || p_stream, p_metric || '_sum', p_metric || '_used'
        ) USING item.silent_after_s;
        RETURN;
    END IF;
    sent := CASE WHEN item.kind = 'measured' THEN format('l.%I', p_metric) ELSE 'NULL::float8' END;
    RETURN QUERY EXECUTE format(
        'SELECT l.sensor, CASE WHEN g.good THEN l.observed_at ELSE a.window_start END,'
        '       CASE WHEN g.good THEN %3$s ELSE a.%4$I END'
        ' FROM %5$I l JOIN sensors s ON s.stream = %1$L AND s.sensor = l.sensor'
        ' CROSS JOIN LATERAL (SELECT coalesce(%3$s BETWEEN $2 AND $3, false) AND NOT EXISTS ('
        '     SELECT FROM qc_flags q WHERE q.stream = %1$L AND q.sensor = l.sensor'
        '     AND q.observed_at = l.observed_at AND q.metric = %6$L AND q.flag = 4) AS good) g'
        ' LEFT JOIN LATERAL (SELECT a.window_start, a.%4$I FROM %2$I a'
        '     WHERE NOT g.good AND a.sensor = l.sensor AND a.%4$I IS NOT NULL'
        '     AND a.window_start > now() - make_interval(secs => $1 + 120)'
        '     ORDER BY a.window_start DESC LIMIT 1) a ON true'
        ' WHERE s.status <> ''retired'' AND l.observed_at > now() - make_interval(secs => $1)'
        ' AND (g.good OR a.%4$I IS NOT NULL)',
        p_stream, 'aggregates_' || p_stream, sent, p_metric || '_last', 'last_' || p_stream, p_metric
    ) USING item.silent_after_s, coalesce(item.fail_low, '-infinity'),
            coalesce(item.fail_high, 'infinity');
END $$;

-- Which quantity a stream shows now. One that alarms shows what alarms; else, while there is any, the
-- amount of the last hour that it declares (rain); else its headline. `fold`: how sensors make one
-- number; `alarmed`: the sensors that the number is taken from, where each has a limit of its own; null
-- for all.
CREATE OR REPLACE FUNCTION dash.shown(p_stream text DEFAULT NULL)
RETURNS TABLE (
    stream text, metric text, fold text, hourly boolean, title_zh text, title_en text, unit text,
    decimals integer, alarmed text[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item dash.streams;
    worst record;
    amount boolean;
    sick text[];
    how text;
BEGIN
    FOR item IN SELECT s.* FROM dash.streams s
                WHERE p_stream IS NULL OR s.stream = p_stream ORDER BY s.position LOOP
        SELECT m.*, min(e.severity) AS severity, bool_or(r.op IN ('<', '<=')) AS below INTO worst
        FROM episodes e
        JOIN dash.metrics m ON m.stream = e.stream AND m.metric = e.metric
        LEFT JOIN dash.rules r ON r.rule = e.rule
        WHERE e.cleared_at IS NULL AND e.stream = item.stream
        GROUP BY m.stream, m.metric
        ORDER BY min(e.severity), m.metric <> item.headline, max(e.raised_at) DESC LIMIT 1;
        IF worst.metric IS NOT NULL THEN
            SELECT array_agg(e.sensor) INTO sick FROM episodes e
            WHERE e.cleared_at IS NULL AND e.stream = item.stream AND e.metric = worst.metric
              AND e.severity = worst.severity;
            IF EXISTS (SELECT FROM dash.newest(item.stream, worst.metric, false) n
                       WHERE n.sensor = ANY (sick)) THEN
                how := CASE WHEN worst.metric = item.headline AND item.overall NOT IN ('mean', 'sum')
                            THEN item.overall WHEN worst.below THEN 'min' ELSE 'max' END;
                -- by one limit for all the worst value is the worst sensor, alarmed yet or not
                IF how = 'margin' OR NOT EXISTS (SELECT FROM dash.thresholds t
                    WHERE t.stream = item.stream AND t.metric = worst.metric
                      AND t.attribute IS NOT NULL) THEN
                    sick := NULL;
                END IF;
                RETURN QUERY SELECT item.stream, worst.metric, how, false, worst.title_zh,
                                    worst.title_en, worst.unit, worst.decimals, sick;
                CONTINUE;
            END IF;
        END IF;
        amount := item.hourly IS NOT NULL AND EXISTS (
            SELECT FROM dash.newest(item.stream, item.hourly, true) n WHERE n.value > 0);
        RETURN QUERY SELECT item.stream, m.metric,
            CASE WHEN amount THEN 'max' ELSE item.overall END, amount,
            CASE WHEN amount THEN item.hourly_zh ELSE item.vital_zh END,
            CASE WHEN amount THEN item.hourly_en ELSE item.vital_en END,
            m.unit, m.decimals, NULL::text[]
        FROM dash.metrics m WHERE m.stream = item.stream
          AND m.metric = CASE WHEN amount THEN item.hourly ELSE item.headline END;
    END LOOP;
END $$;

-- One row per stream, in screen order: the newest good value of its worst sensor, named. Where none is
-- the worst (a mean, a sum) the city's own number stands and nobody is named.
CREATE OR REPLACE FUNCTION dash.vital_now(p_stream text DEFAULT NULL)
RETURNS TABLE (
    domain text, stream text, metric text, title_zh text, title_en text,
    value double precision, unit text, decimals integer, severity smallint, state text,
    alerts bigint, sensors bigint, fresh bigint, worst_sensor text, worst_zh text, worst_en text,
    fold text, hourly boolean, headline boolean, observed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.domain, d.stream, w.metric, w.title_zh, w.title_en, v.value, w.unit, w.decimals,
           a.severity, coalesce(c.name, dash.data_state(f.sensors, f.fresh, f.never)),
           a.alerts, f.sensors, f.fresh, v.sensor,
           coalesce(nullif(s.title_zh, ''), v.sensor), coalesce(nullif(s.title_en, ''), v.sensor),
           w.fold, w.hourly, w.metric = d.headline, v.observed_at
    FROM dash.shown(p_stream) w
    JOIN dash.streams d ON d.stream = w.stream
    JOIN dash.freshness() f ON f.stream = w.stream
    LEFT JOIN LATERAL (
        SELECT CASE WHEN w.fold IN ('mean', 'sum') THEN NULL ELSE (array_agg(
                   n.sensor ORDER BY CASE w.fold WHEN 'min' THEN n.value ELSE -n.value END,
                   n.sensor))[1] END AS sensor,
               max(n.observed_at) AS observed_at,
               CASE w.fold WHEN 'sum' THEN sum(n.value) WHEN 'mean' THEN avg(n.value)
                           WHEN 'min' THEN min(n.value) ELSE max(n.value) END AS value
        FROM (SELECT n.sensor, n.observed_at, n.value - CASE WHEN w.fold = 'margin'
                     THEN (s.attributes ->> d.margin_attribute)::float8 ELSE 0 END AS value
              FROM dash.newest(w.stream, w.metric, w.hourly) n
              JOIN sensors s ON s.stream = w.stream AND s.sensor = n.sensor
              WHERE w.alarmed IS NULL OR n.sensor = ANY (w.alarmed)) n
        WHERE n.value IS NOT NULL
    ) v ON true
    LEFT JOIN sensors s ON s.stream = w.stream AND s.sensor = v.sensor
    CROSS JOIN LATERAL (
        SELECT count(*) AS alerts, min(e.severity) AS severity FROM episodes e
        WHERE e.stream = w.stream AND e.cleared_at IS NULL AND e.metric IS NOT NULL
    ) a
    LEFT JOIN dash.severities c ON c.severity = a.severity
    ORDER BY d.position
$$;

CREATE OR REPLACE FUNCTION dash.vital_signs()
RETURNS TABLE (
    domain text, stream text, metric text, title_zh text, title_en text,
    value double precision, unit text, decimals integer, severity smallint, state text,
    alerts bigint, sensors bigint, fresh bigint, worst_sensor text, worst_zh text, worst_en text,
    headline boolean, observed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT n.domain, n.stream, n.metric, n.title_zh, n.title_en, n.value, n.unit, n.decimals,
           n.severity, n.state, n.alerts, n.sensors, n.fresh, n.worst_sensor, n.worst_zh,
           n.worst_en, n.headline, n.observed_at
    FROM dash.vital_now() n
$$;

-- One metric of a stream over time, one point per step, made of sensors as `p_fold` says. The worst
-- of a step is its worst value, not a mean of it. Never raw: a vital sign is made of good values.
CREATE OR REPLACE FUNCTION dash.trend(
    p_stream text, p_metric text, p_fold text, p_hourly boolean, p_from timestamptz,
    p_to timestamptz, p_step interval
)
RETURNS TABLE ("time" timestamptz, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
#variable_conflict use_column
DECLARE
    item dash.streams;
    chosen record;
    names text[];
    offsets double precision[];
    step interval;
    before interval := interval '0';
    per_step text;
BEGIN
    SELECT s.* INTO item FROM dash.streams s WHERE s.stream = p_stream;
    IF NOT FOUND OR p_from IS NULL OR p_to IS NULL OR p_to <= p_from OR NOT EXISTS (
        SELECT FROM dash.metrics m WHERE m.stream = p_stream AND m.metric = p_metric) THEN
        RETURN;
    END IF;
    SELECT array_agg(s.sensor ORDER BY s.sensor), array_agg(CASE p_fold WHEN 'margin'
           THEN (s.attributes ->> item.margin_attribute)::float8 ELSE 0 END ORDER BY s.sensor)
    INTO names, offsets
    FROM sensors s WHERE s.stream = p_stream AND s.status <> 'retired';
    IF names IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO chosen FROM dash.level(
        p_stream, false, extract(epoch FROM p_step)::float8,
        extract(epoch FROM p_to - p_from)::float8, cardinality(names), 15000);
    step := make_interval(secs => chosen.base_s * greatest(1, ceil(greatest(
        extract(epoch FROM p_step)::float8, item.cadence_s) / chosen.base_s)));
    per_step := CASE WHEN p_hourly THEN 'sum(r.%3$I)'
                     WHEN p_fold IN ('max', 'margin') THEN 'max(r.%5$I) - n.less'
                     WHEN p_fold = 'min' THEN 'min(r.%6$I)'
                     ELSE 'sum(r.%3$I) / nullif(sum(r.%4$I), 0)' END;
    IF p_hourly AND step < interval '1 hour' THEN  -- what came in the hour before each point's end
        before := interval '1 hour' - step;
        per_step := 'sum(sum(r.%3$I)) OVER (PARTITION BY r.sensor ORDER BY'
            ' public.time_bucket($1, r.window_start, timestamptz ''2000-01-03 00:00+08'')'
            ' RANGE BETWEEN $6 PRECEDING AND CURRENT ROW)';
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT b.t, ' || CASE WHEN p_fold = 'mean' THEN 'avg(b.v)' WHEN p_fold = 'sum'
            THEN 'sum(b.v)' WHEN p_fold = 'min' THEN 'min(b.v)' ELSE 'max(b.v)' END ||
        ' FROM (SELECT public.time_bucket($1, r.window_start,'
        '       timestamptz ''2000-01-03 00:00+08'') AS t, ' || per_step || ' AS v'
        '     FROM %2$I r JOIN unnest($4::text[], $5::float8[]) n (sensor, less)'
        '          ON n.sensor = r.sensor'
        '     WHERE r.sensor = ANY ($4) AND r.window_start >= $2 - $6 AND r.window_start < $3'
        '       AND r.%4$I > 0 GROUP BY t, r.sensor, n.less) b'
        ' WHERE b.t > $2 - $1 AND b.v IS NOT NULL GROUP BY b.t ORDER BY b.t LIMIT 2000',
        p_stream, chosen."table", p_metric || '_sum', p_metric || '_used', p_metric || '_max',
        p_metric || '_min'
    ) USING step, p_from, p_to, names, offsets, before;
END $$;

-- each stream's headline over time, for looking back (the daily report)
CREATE OR REPLACE FUNCTION dash.vital_trend(
    p_domain text, p_from timestamptz, p_to timestamptz, p_step interval,
    p_stream text DEFAULT NULL
)
RETURNS TABLE ("time" timestamptz, stream text, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
    SELECT t."time", s.stream, t.value
    FROM dash.streams s CROSS JOIN LATERAL dash.trend(
        s.stream, s.headline, s.overall, false, p_from, p_to, p_step) t
    WHERE (p_domain IS NULL OR s.domain = p_domain) AND (p_stream IS NULL OR s.stream = p_stream)
    ORDER BY s.position, t."time"
$$;

-- what each stream shows now, over time: the line beside the number of dash.vital_signs()
CREATE OR REPLACE FUNCTION dash.vital_lines(
    p_from timestamptz, p_to timestamptz, p_step interval
)
RETURNS TABLE ("time" timestamptz, stream text, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
    SELECT t."time", w.stream, t.value
    FROM dash.shown() w CROSS JOIN LATERAL dash.trend(
        w.stream, w.metric, w.fold, w.hourly, p_from, p_to, p_step) t
    ORDER BY w.stream, t."time"
$$;

-- One stream's line and, as its last point, the number now, whatever time is chosen: a panel that
-- shows the last value shows the truth. The last point is there even when nothing is known.
CREATE OR REPLACE FUNCTION dash.vital_line(
    p_stream text, p_from timestamptz, p_to timestamptz, p_step interval
)
RETURNS TABLE ("time" timestamptz, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
    WITH present AS (SELECT * FROM dash.vital_now(p_stream))
    SELECT l."time", l.value FROM (
        SELECT t."time", t.value FROM present n CROSS JOIN LATERAL dash.trend(
            n.stream, n.metric, n.fold, n.hourly, p_from, least(p_to, now()), p_step) t
        UNION ALL SELECT now(), n.value FROM present n) l ("time", value)
    ORDER BY l."time"
$$;

-- how one stream's tile is drawn: a name that says what is wrong and where, and its state
CREATE OR REPLACE FUNCTION dash.vital_mark(p_stream text, p_lang text DEFAULT 'zh')
RETURNS TABLE (name text, state text, unit text, decimals integer, metric text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT concat_ws(' ', CASE WHEN n.state <> 'normal' THEN t.icon END,
               nullif(n.alerts, 0)::text,
               CASE WHEN n.state IN ('stale', 'never') THEN
                   CASE p_lang WHEN 'en' THEN t.title_en ELSE t.title_zh END END,
               CASE p_lang WHEN 'en' THEN n.title_en ELSE n.title_zh END)
           || coalesce(' · ' || CASE p_lang WHEN 'en' THEN n.worst_en ELSE n.worst_zh END, ''),
           n.state, n.unit, n.decimals, n.metric
    FROM dash.vital_now(p_stream) n JOIN dash.states t ON t.state = n.state
$$;
DROP FUNCTION IF EXISTS dash.wall_trend(text, timestamptz, timestamptz, interval, text);
