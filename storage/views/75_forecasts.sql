-- What comes, what was said before, and how right it was. A time is the start of the hour meant.

-- The forecast that stands for a series, from the newest issue; nothing once that is 3 h old. Bands
-- are null while the series is learning.
CREATE OR REPLACE FUNCTION dash.forecast(
    p_stream text, p_metric text, p_subject text, p_level text DEFAULT 'sensor'
) RETURNS TABLE ("time" timestamptz, median double precision, low80 double precision,
                 high80 double precision, low95 double precision, high95 double precision,
                 issued_at timestamptz, status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 24 AS $$
    SELECT n.issued_at + make_interval(secs => l.lead_s - 3600),
           nullif(n.q[5 * l.n - 2], 'NaN'), nullif(n.q[5 * l.n - 3], 'NaN'),
           nullif(n.q[5 * l.n - 1], 'NaN'), nullif(n.q[5 * l.n - 4], 'NaN'),
           nullif(n.q[5 * l.n], 'NaN'), n.issued_at, s.status
    FROM forecast_series s JOIN forecast_newest n ON n.series = s.id,
         unnest(n.leads_s) WITH ORDINALITY l (lead_s, n)
    WHERE s.stream = p_stream AND s.metric = p_metric AND s.subject = p_subject
      AND s.level = p_level AND n.issued_at > now() - interval '3 hours 10 minutes'
    ORDER BY 1 LIMIT 100
$$;

-- What had been said a lead before each hour, beside what came: the honest chart.
CREATE OR REPLACE FUNCTION dash.forecast_as_of(
    p_stream text, p_metric text, p_subject text, p_lead_h integer,
    p_from timestamptz, p_to timestamptz, p_level text DEFAULT 'sensor'
) RETURNS TABLE ("time" timestamptz, median double precision, low80 double precision,
                 high80 double precision, truth double precision, issued_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 500 AS $$
    WITH lead AS (SELECT make_interval(hours => p_lead_h - 1) AS span, p_lead_h * 3600 AS s
                  WHERE p_lead_h BETWEEN 1 AND 72)
    SELECT f.issued_at + lead.span, nullif(f.q[5 * l.n - 2], 'NaN'), nullif(f.q[5 * l.n - 3], 'NaN'),
           nullif(f.q[5 * l.n - 1], 'NaN'), c.truth, f.issued_at
    FROM forecast_series s CROSS JOIN lead
    JOIN forecasts f ON f.series = s.id
        AND f.issued_at >= p_from - lead.span AND f.issued_at < p_to - lead.span
    CROSS JOIN LATERAL unnest(f.leads_s) WITH ORDINALITY l (lead_s, n)
    LEFT JOIN forecast_scores c ON c.series = s.id AND c.lead_s = lead.s
        AND c.valid_at = f.issued_at + lead.span
    WHERE s.stream = p_stream AND s.metric = p_metric AND s.subject = p_subject
      AND s.level = p_level AND l.lead_s = lead.s
    ORDER BY 1 LIMIT 5000
$$;

-- The record of each series at a lead: mean error, how much smaller than that of both naive
-- forecasts on the same hours (per cent), how often the bands held, over the last days.
CREATE OR REPLACE FUNCTION dash.forecast_skill(
    p_stream text, p_lead_h integer, p_days integer, p_origin text DEFAULT NULL
) RETURNS TABLE (metric text, level text, subject text, status text, n bigint,
                 mae double precision, gain_day_pct double precision,
                 gain_last_pct double precision, inside80_pct double precision,
                 inside95_pct double precision, width80 double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 100 AS $$
    SELECT s.metric, s.level, s.subject, s.status, c.n, c.mae,
           100 * (1 - c.mae_on_day / nullif(c.day, 0)), 100 * (1 - c.mae_on_last / nullif(c.last, 0)),
           100 * c.in80, 100 * c.in95, c.width
    FROM forecast_series s CROSS JOIN LATERAL (
        SELECT count(*) AS n, avg(abs(truth - median)) AS mae,
               avg(abs(truth - median)) FILTER (WHERE base_day IS NOT NULL) AS mae_on_day,
               avg(abs(truth - base_day)) AS day,
               avg(abs(truth - median)) FILTER (WHERE base_last IS NOT NULL) AS mae_on_last,
               avg(abs(truth - base_last)) AS last,
               avg(inside80::int) AS in80, avg(inside95::int) AS in95, avg(width80) AS width
        FROM forecast_scores x
        WHERE x.series = s.id AND x.lead_s = p_lead_h::bigint * 3600
          AND x.valid_at >= now() - make_interval(days => least(greatest(p_days, 0), 90))
          AND (p_origin IS NULL OR x.origin = p_origin)
    ) c
    WHERE s.stream = p_stream AND p_lead_h BETWEEN 1 AND 72 AND c.n > 0
    ORDER BY 1, 2, 3 LIMIT 1000
$$;

-- How likely a value lies above a limit, by straight lines between the issued quantiles. Beyond
-- the outer ones it is the half of what they leave; null while there are no bands.
CREATE OR REPLACE FUNCTION dash.chance_above(
    q0 double precision, q1 double precision, q2 double precision, q3 double precision,
    q4 double precision, p_limit double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN q0 IS NULL OR q4 IS NULL OR q0 = 'NaN' OR q4 = 'NaN' THEN NULL
        WHEN p_limit <= q0 THEN 0.9875
        WHEN p_limit <= q1 THEN 0.975 - 0.075 * (p_limit - q0) / nullif(q1 - q0, 0)
        WHEN p_limit <= q2 THEN 0.9 - 0.4 * (p_limit - q1) / nullif(q2 - q1, 0)
        WHEN p_limit <= q3 THEN 0.5 - 0.4 * (p_limit - q2) / nullif(q3 - q2, 0)
        WHEN p_limit <= q4 THEN 0.1 - 0.075 * (p_limit - q3) / nullif(q4 - q3, 0)
        ELSE 0.0125 END
$$;

-- What may cross a limit within the next hours: the likeliest hour of each sensor and rule. The
-- chance is the largest of the hours, never a product: neighbouring hours are no new throws. What is
-- beyond the limit already is the business of its alert.
DROP FUNCTION IF EXISTS dash.outlook(text, integer, double precision, text);
CREATE FUNCTION dash.outlook(
    p_district text, p_hours integer, p_least double precision, p_lang text
) RETURNS TABLE (stream text, sensor text, title text, district text, rule text, rule_title text,
                 severity smallint, chance double precision, "time" timestamptz, metric text,
                 unit text, decimals integer, median double precision,
                 limit_value double precision, issued_at timestamptz, title_zh text,
                 title_en text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 50 AS $$
    WITH said AS (
        SELECT s.stream, s.metric, s.subject, n.issued_at,
               n.issued_at + make_interval(secs => l.lead_s - 3600) AS at,
               n.q[5 * l.n - 4] AS q0, n.q[5 * l.n - 3] AS q1, n.q[5 * l.n - 2] AS q2,
               n.q[5 * l.n - 1] AS q3, n.q[5 * l.n] AS q4
        FROM forecast_series s JOIN forecast_newest n ON n.series = s.id,
             unnest(n.leads_s) WITH ORDINALITY l (lead_s, n)
        WHERE s.level = 'sensor' AND s.status = 'ready'
          AND n.issued_at > now() - interval '3 hours 10 minutes'
          AND l.lead_s <= least(greatest(p_hours, 1), 72)::bigint * 3600
    ), limits AS (
        SELECT t.stream, t.rule, t.metric, t.op, t.severity, t.value, t.attribute,
               coalesce(t.attribute_offset, 0) AS beyond
        FROM dash.thresholds t
        WHERE (t.effective_from IS NULL OR t.effective_from <= current_date)
          AND (t.effective_to IS NULL OR t.effective_to > current_date)
          AND t.hours_from IS NULL AND t.condition_zh IS NULL
    ), chances AS (
        SELECT said.*, limits.rule, limits.severity, v.value AS limit_value,
               CASE WHEN limits.op LIKE '>%' THEN dash.chance_above(q0, q1, q2, q3, q4, v.value)
                    ELSE 1 - dash.chance_above(q0, q1, q2, q3, q4, v.value) END AS chance,
               x.title_zh, x.title_en, x.district
        FROM said JOIN limits ON limits.stream = said.stream AND limits.metric = said.metric
        JOIN sensors x ON x.sensor = said.subject AND x.status <> 'retired'
        CROSS JOIN LATERAL (SELECT coalesce(limits.value,
            (x.attributes ->> limits.attribute)::float8 + limits.beyond) AS value) v
        WHERE v.value IS NOT NULL AND (coalesce(p_district, '') IN ('', 'all')
                                       OR x.district = p_district)
    ), best AS (
        SELECT DISTINCT ON (stream, subject, rule, severity) * FROM chances
        WHERE chance >= greatest(p_least, 0.05)
        ORDER BY stream, subject, rule, severity, chance DESC, at
    )
    SELECT b.stream, b.subject,
           coalesce(nullif(CASE p_lang WHEN 'en' THEN b.title_en ELSE b.title_zh END, ''), b.subject),
           b.district, r.rule, CASE p_lang WHEN 'en' THEN r.title_en ELSE r.title_zh END, b.severity,
           b.chance, b.at, b.metric, m.unit, m.decimals, b.q2::float8, b.limit_value, b.issued_at,
           b.title_zh, b.title_en
    FROM best b
    JOIN dash.rules r ON r.stream = b.stream AND r.rule IN (b.rule, b.stream || '.' || b.rule)
    JOIN dash.metrics m ON m.stream = b.stream AND m.metric = b.metric
    WHERE NOT EXISTS (SELECT 1 FROM episodes e WHERE e.rule = r.rule AND e.sensor = b.subject
                      AND e.cleared_at IS NULL AND e.severity <= b.severity)
    ORDER BY b.severity, b.chance DESC, b.subject LIMIT 200
$$;

-- Whether the outlook can say anything: series of sensors that are forecast, how many have bands, and
-- the newest issue. With none ready yet all is still learning.
CREATE OR REPLACE FUNCTION dash.outlook_state()
RETURNS TABLE (series bigint, ready bigint, issued_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
    SELECT count(*), count(*) FILTER (WHERE s.status = 'ready'), max(n.issued_at)
    FROM forecast_series s LEFT JOIN forecast_newest n ON n.series = s.id
    WHERE s.level = 'sensor'
$$;

-- What came of a rule's early warnings: hits, false and withdrawn ones, misses; share of the
-- crossings that were told (POD), of the warnings that did not come (FAR), median lead. Brier: mean of
-- (chance said - what came)^2 over what was raised; skill: how much smaller than that of saying
-- nothing. On trial (nobody is told): fewer than 20 verified, more than half not come, or no skill.
DROP FUNCTION IF EXISTS dash.warning_record(text, integer);
CREATE FUNCTION dash.warning_record(p_rule text, p_days integer)
RETURNS TABLE (rule text, severity smallint, standing bigint, hits bigint, false_ones bigint,
               withdrawn bigint, misses bigint, pod double precision, far double precision,
               lead_h double precision, brier double precision, skill double precision,
               on_trial boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 50 AS $$
    WITH counted AS (
        SELECT w.rule, w.severity, count(*) FILTER (WHERE outcome = 'open') AS standing,
               count(*) FILTER (WHERE outcome = 'hit') AS hits,
               count(*) FILTER (WHERE outcome = 'false') AS falses,
               count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
               count(*) FILTER (WHERE outcome = 'miss') AS misses,
               percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY extract(epoch FROM crossed_at - raised_at) / 3600 + 1)
                   FILTER (WHERE outcome = 'hit') AS lead_h,
               avg((chance - (outcome = 'hit')::int) ^ 2)
                   FILTER (WHERE outcome IN ('hit', 'false', 'withdrawn')) AS brier
        FROM forecast_warnings w
        WHERE (p_rule IS NULL OR w.rule = p_rule)
          AND w.raised_at >= now() - make_interval(days => least(greatest(p_days, 0), 3650))
        GROUP BY w.rule, w.severity
    ), ended AS (
        SELECT *, hits + falses + withdrawn AS n,
               1 - brier / nullif(hits::float8 / nullif(hits + falses + withdrawn, 0), 0) AS skill
        FROM counted
    )
    SELECT rule, severity, standing, hits, falses, withdrawn, misses,
           hits / nullif(hits + misses, 0)::float8, (falses + withdrawn) / nullif(n, 0)::float8,
           lead_h, brier, skill,
           n < 20 OR falses + withdrawn > 0.5 * n OR coalesce(skill, 0) <= 0
    FROM ended ORDER BY 1, 2 LIMIT 500
$$;

-- The warnings of a rule, the newest first, each with what came of it.
CREATE OR REPLACE FUNCTION dash.warnings(p_rule text, p_days integer, p_lang text)
RETURNS TABLE (id bigint, sensor text, title text, severity smallint, limit_value double precision,
               raised_at timestamptz, chance double precision, expected_at timestamptz,
               ended_at timestamptz, outcome text, crossed_at timestamptz, on_trial boolean,
               origin text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 100 AS $$
    SELECT w.id, s.subject,
           coalesce(nullif(CASE p_lang WHEN 'en' THEN x.title_en ELSE x.title_zh END, ''), s.subject),
           w.severity, w.limit_value, w.raised_at, w.chance, w.expected_at, w.ended_at, w.outcome,
           w.crossed_at, w.on_trial, w.origin
    FROM forecast_warnings w JOIN forecast_series s ON s.id = w.series
    LEFT JOIN sensors x ON x.stream = s.stream AND x.sensor = s.subject
    WHERE w.rule = p_rule
      AND w.raised_at >= now() - make_interval(days => least(greatest(p_days, 0), 3650))
    ORDER BY w.raised_at DESC, w.severity, s.subject LIMIT 200
$$;

-- The forecast series of a stream that a page can choose from: the whole first, then districts and
-- sensors; the value is metric|level|subject.
CREATE OR REPLACE FUNCTION dash.forecast_choices(p_stream text, p_lang text)
RETURNS TABLE (__text text, __value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 50 AS $$
    SELECT CASE p_lang WHEN 'en' THEN m.title_en ELSE m.title_zh END || ' · ' || coalesce(
               CASE s.level WHEN 'city' THEN CASE p_lang WHEN 'en' THEN 'whole city' ELSE '全市' END
               END,
               CASE p_lang WHEN 'en' THEN d.title_en ELSE d.title_zh END,
               nullif(CASE p_lang WHEN 'en' THEN x.title_en ELSE x.title_zh END, ''), s.subject),
           concat_ws('|', s.metric, s.level, s.subject)
    FROM forecast_series s
    JOIN dash.metrics m ON m.stream = s.stream AND m.metric = s.metric
    LEFT JOIN dash.districts d ON s.level = 'district' AND d.district = s.subject
    LEFT JOIN sensors x ON s.level = 'sensor' AND x.stream = s.stream AND x.sensor = s.subject
    WHERE s.stream = p_stream AND (s.level <> 'sensor' OR x.status <> 'retired')
    ORDER BY m.position, array_position(ARRAY['city', 'district', 'sensor'], s.level), s.subject
    LIMIT 1000
$$;

-- What was forecast of the hours of a span and what came, a row a quantity: mean error 24 h ahead,
-- gain on the day before at 1, 6 and 24 h (per cent), share inside the band of 80 % at 24 h.
CREATE OR REPLACE FUNCTION dash.forecast_day(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (stream text, metric text, title_zh text, title_en text, unit text, decimals integer,
               n bigint, mae double precision, gain1_pct double precision,
               gain6_pct double precision, gain24_pct double precision,
               inside80_pct double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 20 AS $$
    WITH by_lead AS (
        SELECT s.stream, s.metric, c.lead_s, count(*) AS n, avg(abs(c.truth - c.median)) AS mae,
               100 * (1 - avg(abs(c.truth - c.median)) FILTER (WHERE c.base_day IS NOT NULL)
                        / nullif(avg(abs(c.truth - c.base_day)), 0)) AS gain,
               100 * avg(c.inside80::int) AS inside80
        FROM forecast_scores c JOIN forecast_series s ON s.id = c.series
        WHERE c.valid_at >= p_from AND c.valid_at < p_to AND s.level = 'sensor'
          AND c.lead_s IN (3600, 21600, 86400)
        GROUP BY s.stream, s.metric, c.lead_s
    )
    SELECT m.stream, m.metric, m.title_zh, m.title_en, m.unit, m.decimals,
           sum(b.n) FILTER (WHERE b.lead_s = 86400)::bigint,
           max(b.mae) FILTER (WHERE b.lead_s = 86400),
           max(b.gain) FILTER (WHERE b.lead_s = 3600), max(b.gain) FILTER (WHERE b.lead_s = 21600),
           max(b.gain) FILTER (WHERE b.lead_s = 86400),
           max(b.inside80) FILTER (WHERE b.lead_s = 86400)
    FROM by_lead b JOIN dash.metrics m ON m.stream = b.stream AND m.metric = b.metric
    JOIN dash.streams t ON t.stream = m.stream
    GROUP BY m.stream, m.metric, m.title_zh, m.title_en, m.unit, m.decimals, t.position, m.position
    ORDER BY t.position, m.position LIMIT 100
$$;

-- The early warnings of a span: raised, and what came of those that ended in it; crossings missed.
CREATE OR REPLACE FUNCTION dash.warnings_day(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (raised bigint, hits bigint, not_come bigint, misses bigint, told bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
    SELECT count(*) FILTER (WHERE outcome <> 'miss' AND raised_at >= p_from AND raised_at < p_to),
           count(*) FILTER (WHERE outcome = 'hit' AND ended_at >= p_from AND ended_at < p_to),
           count(*) FILTER (WHERE outcome IN ('false', 'withdrawn')
                            AND ended_at >= p_from AND ended_at < p_to),
           count(*) FILTER (WHERE outcome = 'miss' AND ended_at >= p_from AND ended_at < p_to),
           count(*) FILTER (WHERE outcome <> 'miss' AND NOT on_trial
                            AND raised_at >= p_from AND raised_at < p_to)
    FROM forecast_warnings WHERE origin = 'live' AND raised_at < p_to
      AND (ended_at IS NULL OR ended_at >= p_from)
$$;
