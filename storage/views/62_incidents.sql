-- Incidents: alerts of one cause. Merged ones are shown as what they were merged into; those below
-- a parent that is open are shown as that one.

-- those that were open at some moment of the asked time, worst and newest first
CREATE OR REPLACE FUNCTION dash.incidents(
    p_from timestamptz, p_to timestamptz, max_rows integer DEFAULT 200,
    p_domain text DEFAULT NULL, p_stream text DEFAULT NULL, p_sensor text DEFAULT NULL,
    p_district text DEFAULT NULL
)
RETURNS TABLE (
    incident text, kind text, domain text, title_zh text, title_en text, status text,
    severity smallint, peak_severity smallint, stream text, sensor text, sensor_zh text,
    sensor_en text, district text, alerts bigint, opened_at timestamptz, confirmed_at timestamptz,
    resolved_at timestamptz, lasted_s double precision, acked_by text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.id, i.kind, k.domain, coalesce(k.title_zh, i.kind), coalesce(k.title_en, i.kind),
           i.status, i.severity, i.peak_severity, e.stream, i.root_sensor,
           coalesce(nullif(s.title_zh, ''), i.root_sensor),
           coalesce(nullif(s.title_en, ''), i.root_sensor), i.district,
           (SELECT count(*) FROM incidents c JOIN incident_members m ON m.incident = c.id
            WHERE c.id = i.id OR c.parent = i.id),
           i.opened_at, i.confirmed_at, i.resolved_at,
           extract(epoch FROM coalesce(i.resolved_at, now()) - i.opened_at)::float8, i.acked_by
    FROM incidents i
    JOIN episodes e ON e.id = i.root_episode
    LEFT JOIN sensors s ON s.stream = e.stream AND s.sensor = i.root_sensor
    LEFT JOIN dash.incident_kinds k ON k.kind = i.kind
    WHERE i.status <> 'merged' AND i.opened_at <= p_to
      AND coalesce(i.resolved_at, 'infinity') >= p_from
      AND (p_domain IS NULL OR k.domain = p_domain)
      AND (coalesce(p_district, 'all') = 'all' OR i.district = p_district)
      AND (p_stream IS NULL OR EXISTS (
          SELECT FROM incident_members m JOIN episodes a ON a.id = m.episode
          WHERE m.incident = i.id AND a.stream = p_stream
            AND (p_sensor IS NULL OR a.sensor = p_sensor)))
    ORDER BY i.peak_severity, i.opened_at DESC, i.id
    LIMIT least(greatest(max_rows, 0), 1000)
$$;

CREATE OR REPLACE FUNCTION dash.active_incidents(max_rows integer DEFAULT 100)
RETURNS TABLE (
    incident text, kind text, domain text, title_zh text, title_en text, status text,
    severity smallint, stream text, sensor text, sensor_zh text, sensor_en text, district text,
    alerts bigint, opened_at timestamptz, acked_by text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.incident, i.kind, i.domain, i.title_zh, i.title_en, i.status, i.severity, i.stream,
           i.sensor, i.sensor_zh, i.sensor_en, i.district, i.alerts, i.opened_at, i.acked_by
    FROM dash.incidents(now(), now(), 1000) i
    WHERE i.resolved_at IS NULL AND NOT EXISTS (
        SELECT FROM incidents c JOIN incidents p ON p.id = c.parent AND p.resolved_at IS NULL
        WHERE c.id = i.incident)
    ORDER BY i.severity, i.opened_at DESC, i.incident
    LIMIT least(greatest(max_rows, 0), 1000)
$$;

-- for annotations: start, end, text, tags
CREATE OR REPLACE FUNCTION dash.incident_notes(
    p_from timestamptz, p_to timestamptz, p_lang text DEFAULT 'zh', p_domain text DEFAULT NULL,
    p_stream text DEFAULT NULL, p_sensor text DEFAULT NULL, p_district text DEFAULT NULL
)
RETURNS TABLE ("time" timestamptz, timeend timestamptz, "text" text, tags text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT greatest(i.opened_at, p_from), least(coalesce(i.resolved_at, p_to), p_to),
           v.icon || ' ' || CASE p_lang WHEN 'en' THEN i.title_en || ' · ' || i.sensor_en
                                        ELSE i.title_zh || ' · ' || i.sensor_zh END
           || ' · ' || i.alerts || CASE p_lang WHEN 'en' THEN ' alerts' ELSE ' 起告警' END,
           i.kind || ',' || v.name
    FROM dash.incidents(p_from, p_to, 10, p_domain, p_stream, p_sensor, p_district) i
    JOIN dash.severities v ON v.severity = i.peak_severity
    ORDER BY 1
$$;
