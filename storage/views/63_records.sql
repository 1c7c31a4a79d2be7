-- Records: what is open in which state, for how long, what came and went, what is overdue. KPIs are
-- functions of their own, made from the declarations: dash.record_kpis_<kind>.

-- Every state that is not the last, also those in which there is none.
CREATE OR REPLACE FUNCTION dash.records_by_state(p_kind text)
RETURNS TABLE (state text, title_zh text, title_en text, nth integer, open bigint,
               overdue bigint, median_s double precision, longest_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 12 AS $$
    SELECT s.state, s.title_zh, s.title_en, s.position, count(r.id),
           count(*) FILTER (WHERE r.overdue),
           percentile_cont(0.5) WITHIN GROUP (
               ORDER BY extract(epoch FROM now() - r.state_since)::float8) FILTER (WHERE r.id > 0),
           max(extract(epoch FROM now() - r.state_since)::float8)
    FROM dash.record_states s
    LEFT JOIN records r ON r.kind = s.kind AND r.state = s.state AND r.closed_at IS NULL
    WHERE s.kind = p_kind AND NOT s.final
    GROUP BY s.state, s.title_zh, s.title_en, s.position ORDER BY s.position LIMIT 100
$$;

-- One row: open and overdue now; opened, closed and found overdue in the span.
CREATE OR REPLACE FUNCTION dash.record_figures(p_kind text, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (open bigint, overdue bigint, opened bigint, closed bigint, went_overdue bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
    SELECT n.open, n.overdue, f.opened, f.closed, f.late FROM
        (SELECT count(*) AS open, count(*) FILTER (WHERE overdue) AS overdue
         FROM records WHERE kind = p_kind AND closed_at IS NULL) n,
        (SELECT count(*) FILTER (WHERE l.move = 'open') AS opened,
                count(*) FILTER (WHERE s.final AND l.from_state <> l.to_state) AS closed,
                count(*) FILTER (WHERE l.move = 'overdue') AS late
         FROM record_log l
         LEFT JOIN dash.record_states s ON s.kind = l.kind AND s.state = l.to_state
         WHERE l.kind = p_kind AND l.at >= p_from AND l.at < p_to) f
$$;

-- Opened, closed and found overdue in each step, for stacked bars; at most 5000 rows.
CREATE OR REPLACE FUNCTION dash.record_flow(
    p_kind text, p_from timestamptz, p_to timestamptz, p_step interval, p_lang text
) RETURNS TABLE ("time" timestamptz, label text, value bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
    SELECT public.time_bucket(greatest(p_step, interval '1 minute'), l.at), c.label, count(*)
    FROM record_log l
    LEFT JOIN dash.record_states s ON s.kind = l.kind AND s.state = l.to_state
    CROSS JOIN LATERAL (SELECT CASE
        WHEN l.move = 'open' THEN CASE p_lang WHEN 'en' THEN 'Opened' ELSE '新增' END
        WHEN l.move = 'overdue' THEN CASE p_lang WHEN 'en' THEN 'Became overdue' ELSE '超期' END
        WHEN s.final AND l.from_state <> l.to_state
        THEN CASE p_lang WHEN 'en' THEN 'Closed' ELSE '办结' END END) c (label)
    WHERE l.kind = p_kind AND l.at >= p_from AND l.at < p_to AND c.label IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 5000
$$;

-- How long records stayed in a state, of the stays that ended in the span (the newest 20 000).
CREATE OR REPLACE FUNCTION dash.record_stays(p_kind text, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (state text, title_zh text, title_en text, nth integer, stays bigint,
               median_s double precision, p90_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 12 AS $$
    WITH ended AS (
        SELECT l.record, l.version, l.from_state, l.at FROM record_log l
        WHERE l.kind = p_kind AND l.at >= p_from AND l.at < p_to
          AND l.from_state <> l.to_state AND l.from_state <> ''
        ORDER BY l.at DESC LIMIT 20000
    ), stayed AS (
        SELECT e.from_state, extract(epoch FROM e.at - b.at)::float8 AS s FROM ended e
        CROSS JOIN LATERAL (
            SELECT l.at FROM record_log l
            WHERE l.record = e.record AND l.version < e.version AND l.from_state <> l.to_state
            ORDER BY l.version DESC LIMIT 1) b
    )
    SELECT s.state, s.title_zh, s.title_en, s.position, count(*),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY y.s),
           percentile_cont(0.9) WITHIN GROUP (ORDER BY y.s)
    FROM stayed y JOIN dash.record_states s ON s.kind = p_kind AND s.state = y.from_state
    GROUP BY s.state, s.title_zh, s.title_en, s.position ORDER BY s.position LIMIT 100
$$;

-- Open records that are overdue, or all (p_late false), what is due first first.
CREATE OR REPLACE FUNCTION dash.record_queue(
    p_kind text, p_late boolean, p_lang text, max_rows integer DEFAULT 100
) RETURNS TABLE (record text, what text, state text, state_title text, district text,
                 due_at timestamptz, since timestamptz, overdue boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 50 AS $$
    WITH queue AS (
        SELECT r.* FROM records r
        WHERE r.kind = p_kind AND r.closed_at IS NULL AND (NOT p_late OR r.overdue)
        ORDER BY r.due_at, r.id LIMIT least(greatest(max_rows, 0), 500)
    )
    SELECT q.kind || '-' || q.id,
           coalesce(w.said, CASE p_lang WHEN 'en' THEN k.title_en ELSE k.title_zh END), q.state,
           coalesce(CASE p_lang WHEN 'en' THEN s.title_en ELSE s.title_zh END, q.state),
           q.district, q.due_at, q.state_since, q.overdue
    FROM queue q JOIN dash.record_kinds k ON k.kind = q.kind
    LEFT JOIN dash.record_states s ON s.kind = q.kind AND s.state = q.state
    CROSS JOIN LATERAL (
        SELECT string_agg(coalesce(CASE p_lang WHEN 'en' THEN c.title_en ELSE c.title_zh END,
                                   q.fields ->> h.field), ' · ' ORDER BY h.n) AS said
        FROM unnest(k.headline) WITH ORDINALITY h (field, n)
        LEFT JOIN dash.record_choices c ON c.kind = q.kind AND c.field = h.field
             AND c.choice = q.fields ->> h.field) w
    ORDER BY q.due_at, q.id LIMIT 500
$$;

-- What KPIs can be grouped by: the district, and every field that has named values.
CREATE OR REPLACE FUNCTION dash.record_group_choices(p_kind text, p_lang text)
RETURNS TABLE (__text text, __value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 20 AS $$
    SELECT g.title, g.field FROM (
        SELECT CASE p_lang WHEN 'en' THEN f.title_en ELSE f.title_zh END, f.field, f.position
        FROM dash.record_groups f WHERE f.kind = p_kind) g (title, field, position)
    ORDER BY g.position LIMIT 100
$$;

-- The words of a group: a district, or a named value; as it is otherwise.
CREATE OR REPLACE FUNCTION dash.record_group(p_kind text, p_by text, p_value text, p_lang text)
RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(
        (SELECT CASE p_lang WHEN 'en' THEN d.title_en ELSE d.title_zh END FROM dash.districts d
         WHERE p_by = 'district' AND d.district = p_value),
        (SELECT CASE p_lang WHEN 'en' THEN c.title_en ELSE c.title_zh END FROM dash.record_choices c
         WHERE c.kind = p_kind AND c.field = p_by AND c.choice = p_value),
        nullif(p_value, ''), '–')
$$;
