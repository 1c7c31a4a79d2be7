-- Alerts: what the worker said, the episodes it makes, and what is owed to whom.
CREATE TABLE transitions (
    id text PRIMARY KEY,
    episode text NOT NULL,
    rule text NOT NULL,
    stream text NOT NULL,
    sensor text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('raised', 'changed', 'cleared')),
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    previous smallint,
    metric text,
    value double precision,
    threshold double precision,
    observed_at timestamptz NOT NULL,
    produced_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX transitions_episode ON transitions (episode, recorded_at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER transitions_append_only BEFORE UPDATE OR DELETE ON transitions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE episodes (
    id text PRIMARY KEY,
    rule text NOT NULL,
    stream text NOT NULL,
    sensor text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'cleared')),
    severity smallint NOT NULL,
    peak_severity smallint NOT NULL,
    metric text,
    value double precision,
    threshold double precision,
    raised_at timestamptz NOT NULL,
    raised_recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL,
    cleared_at timestamptz,
    cleared_recorded_at timestamptz,
    acked_at timestamptz,
    acked_by text,
    ack_note text
);
-- one open episode per rule and subject, whoever writes
CREATE UNIQUE INDEX episodes_open ON episodes (rule, sensor) WHERE cleared_at IS NULL;
CREATE INDEX episodes_recent ON episodes (raised_at DESC);

CREATE TABLE receivers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    url text NOT NULL,
    secret text NOT NULL,
    min_severity smallint NOT NULL DEFAULT 4 CHECK (min_severity BETWEEN 1 AND 4),
    domains text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    origin text NOT NULL DEFAULT 'api' CHECK (origin IN ('api', 'file')),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_reason text
);

CREATE TABLE outbox (
    id text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    receiver bigint NOT NULL REFERENCES receivers ON DELETE CASCADE,
    episode text NOT NULL,
    transition text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    delivered_at timestamptz,
    failed_at timestamptz,
    last_error text
);
CREATE INDEX outbox_due ON outbox (receiver, seq) WHERE delivered_at IS NULL AND failed_at IS NULL;

CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outbox text NOT NULL REFERENCES outbox ON DELETE CASCADE,
    attempt integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status_code integer,
    error text,
    duration_ms integer NOT NULL
);
