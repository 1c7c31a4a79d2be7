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

-- webhooks: attempts per step and how they ended, and the time from alert to receipt
CREATE OR REPLACE FUNCTION dash.delivery_counts(
    p_from timestamptz, p_to timestamptz, p_step interval, p_lang text DEFAULT 'zh'
)
RETURNS TABLE ("time" timestamptz, label text, value bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT time_bucket(greatest(p_step, interval '1 minute', (p_to - p_from) / 500), d.at),
           CASE WHEN d.status_code BETWEEN 200 AND 299
                THEN CASE p_lang WHEN 'en' THEN 'delivered' ELSE '已送达' END
                ELSE CASE p_lang WHEN 'en' THEN 'failed attempt' ELSE '失败重试' END END,
           count(*)
    FROM deliveries d WHERE d.at BETWEEN p_from AND p_to
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 5000
$$;

CREATE OR REPLACE FUNCTION dash.delivery_figures(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    receiver text, enabled boolean, waiting bigint, delivered bigint, given_up bigint,
    attempts bigint, p50_ms double precision, p99_ms double precision, last_error text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.name, r.enabled,
           count(*) FILTER (WHERE o.delivered_at IS NULL AND o.failed_at IS NULL AND o.id <> ''),
           count(o.delivered_at), count(o.failed_at), coalesce(sum(o.attempts), 0),
           percentile_cont(0.5) WITHIN GROUP (
               ORDER BY extract(epoch FROM o.delivered_at - o.created_at)::float8 * 1000),
           percentile_cont(0.99) WITHIN GROUP (
               ORDER BY extract(epoch FROM o.delivered_at - o.created_at)::float8 * 1000),
           (array_agg(left(o.last_error, 80) ORDER BY o.seq DESC)
               FILTER (WHERE o.last_error IS NOT NULL))[1]
    FROM receivers r
    LEFT JOIN outbox o ON o.receiver = r.id AND (o.created_at BETWEEN p_from AND p_to
         OR (o.delivered_at IS NULL AND o.failed_at IS NULL))
    GROUP BY r.id, r.name, r.enabled ORDER BY r.name LIMIT 200
$$;

-- who reads Kafka into the database, and when it last moved
CREATE OR REPLACE FUNCTION dash.consumers()
RETURNS TABLE (consumer text, partitions bigint, next_offsets bigint, age_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.consumer, count(*), sum(c.next_offset)::bigint,
           greatest(0, extract(epoch FROM now() - max(c.updated_at)))::float8
    FROM consumer_offsets c GROUP BY c.consumer
    UNION ALL
    SELECT p.app, count(*), sum(p.next_offset)::bigint,
           greatest(0, extract(epoch FROM now() - max(p.updated_at)))::float8
    FROM checkpoints p GROUP BY p.app
    ORDER BY 1 LIMIT 100
$$;

CREATE OR REPLACE FUNCTION dash.table_sizes()
RETURNS TABLE ("table" text, bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    -- from the planner's page counts: exact sizes would stat every file of every chunk
    SELECT h.table_name::text, (sum(r.relpages::bigint + coalesce(i.pages, 0))
           * current_setting('block_size')::bigint)::bigint
    FROM _timescaledb_catalog.hypertable h
    JOIN _timescaledb_catalog.chunk c ON c.hypertable_id = h.id AND NOT c.dropped
    JOIN pg_namespace n ON n.nspname = c.schema_name
    JOIN pg_class r ON r.relnamespace = n.oid AND r.relname = c.table_name
    LEFT JOIN LATERAL (SELECT sum(x.relpages)::bigint AS pages FROM pg_index j
         JOIN pg_class x ON x.oid = j.indexrelid WHERE j.indrelid = r.oid) i ON true
    WHERE h.schema_name = 'public'
    GROUP BY h.table_name ORDER BY 2 DESC, 1 LIMIT 15
$$;
