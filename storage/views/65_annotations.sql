-- Marks on the time axis besides alerts: planned work, and windows that late readings changed.

-- maintenance windows and silences in force within the asked time; reason and author as written
CREATE OR REPLACE FUNCTION dash.maintenance(
    p_from timestamptz, p_to timestamptz, p_lang text DEFAULT 'zh'
)
RETURNS TABLE ("time" timestamptz, timeend timestamptz, "text" text, tags text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT greatest(s.starts_at, p_from), least(s.ends_at, p_to),
           CASE s.kind WHEN 'maintenance'
                THEN CASE p_lang WHEN 'en' THEN '⚒ Maintenance' ELSE '⚒ 检修' END
                ELSE CASE p_lang WHEN 'en' THEN '◌ Silence' ELSE '◌ 告警屏蔽' END END
           || ' · ' || left(s.reason, 120) || ' · ' || s.author,
           s.kind
    FROM silences s
    WHERE s.starts_at < p_to AND s.ends_at > p_from
    ORDER BY 1, s.id LIMIT 200
$$;

-- one-minute windows written more than once, because readings came late: how many, when. Reads the
-- newest 20 000 windows of the asked time and says nothing about older ones.
CREATE OR REPLACE FUNCTION dash.corrections(
    p_from timestamptz, p_to timestamptz, p_lang text, p_stream text, p_sensor text DEFAULT NULL
)
RETURNS TABLE ("time" timestamptz, "text" text, tags text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    names text[];
    since timestamptz;
BEGIN
    SELECT array_agg(s.sensor) INTO names FROM sensors s
    WHERE s.stream = p_stream AND s.status <> 'retired'
      AND (coalesce(p_sensor, 'all') = 'all' OR s.sensor = p_sensor)
      AND EXISTS (SELECT FROM dash.streams d WHERE d.stream = p_stream);
    IF names IS NULL OR p_from IS NULL OR p_to IS NULL OR p_to <= p_from THEN
        RETURN;
    END IF;
    since := greatest(p_from, p_to - make_interval(mins => 20000 / cardinality(names)));
    RETURN QUERY EXECUTE format(
        'SELECT public.time_bucket($1, a.window_start), CASE $5 WHEN ''en'''
        ' THEN format(''↺ %%s windows corrected by late readings'', count(*))'
        ' ELSE format(''↺ 迟到数据修订 %%s 个窗口'', count(*)) END, ''correction'''
        ' FROM %I a WHERE a.sensor = ANY ($2) AND a.window_start >= $3 AND a.window_start < $4'
        ' AND a.revision > 1 GROUP BY 1 ORDER BY 1 LIMIT 200',
        'aggregates_' || p_stream
    ) USING greatest(interval '1 minute', (p_to - p_from) / 60), names, since, p_to, p_lang;
END $$;
