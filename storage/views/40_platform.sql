-- How the platform itself is doing, as far as the database knows.

-- readings stored per second over the last minute, counted from the tables
CREATE OR REPLACE FUNCTION dash.stored_per_second()
RETURNS TABLE (stream text, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
BEGIN
    FOR item IN SELECT * FROM dash.streams LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %1$L::text, count(*) / $1::float8 FROM sensor_last l CROSS JOIN LATERAL ('
            ' SELECT 1 FROM %2$I r WHERE r.sensor = l.sensor AND r.observed_at > now()'
            ' - make_interval(secs => $1)) r WHERE l.stream = %1$L'
            ' AND l.observed_at > now() - make_interval(secs => $1)',
            item.stream, 'readings_' || item.stream
        ) USING greatest(60, 2 * item.cadence_s);
    END LOOP;
END $$;

-- one-minute windows of the last quarter of an hour that late readings changed
CREATE OR REPLACE FUNCTION dash.corrected_windows()
RETURNS TABLE (stream text, windows bigint, corrected bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    item record;
BEGIN
    FOR item IN SELECT * FROM dash.streams LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %1$L::text, count(*), count(*) FILTER (WHERE a.revision > 1)'
            ' FROM sensor_last l CROSS JOIN LATERAL (SELECT a.revision FROM %2$I a'
            ' WHERE a.sensor = l.sensor AND a.window_start > now() - interval ''15 minutes'') a'
            ' WHERE l.stream = %1$L AND l.observed_at > now() - interval ''15 minutes''',
            item.stream, 'aggregates_' || item.stream
        );
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION dash.platform()
RETURNS TABLE (name text, value double precision, unit text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT 'stored_per_s', (SELECT sum(s.value) FROM dash.stored_per_second() s), '1/s'
    UNION ALL SELECT 'newest_age_s', (SELECT greatest(0, extract(epoch FROM
        now() - max(l.received_at))) FROM sensor_last l)::float8, 's'
    UNION ALL SELECT 'arrival_delay_s', (SELECT percentile_cont(0.5) WITHIN GROUP (
        ORDER BY greatest(0, extract(epoch FROM l.received_at - l.observed_at)::float8))
        FROM sensor_last l WHERE l.received_at > now() - interval '10 minutes'), 's'
    UNION ALL SELECT 'dead_letters_open',
        (SELECT count(*) FROM dead_letters d WHERE d.status = 'open')::float8, ''
    UNION ALL SELECT 'undelivered', (SELECT count(*) FROM outbox o
        WHERE o.delivered_at IS NULL AND o.failed_at IS NULL)::float8, ''
    UNION ALL SELECT 'oldest_undelivered_s', coalesce((SELECT extract(epoch FROM
        now() - min(o.created_at)) FROM outbox o
        WHERE o.delivered_at IS NULL AND o.failed_at IS NULL), 0)::float8, 's'
    UNION ALL SELECT 'given_up', (SELECT count(*) FROM outbox o
        WHERE o.failed_at > now() - interval '1 day')::float8, ''
    UNION ALL SELECT 'windows_corrected',
        (SELECT sum(c.corrected) FROM dash.corrected_windows() c)::float8, ''
$$;
