-- Tables that every stream shares; the tables of one stream derive from its declaration.
CREATE TABLE districts (
    code text PRIMARY KEY,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    population integer NOT NULL
);

CREATE TABLE sensors (
    stream text NOT NULL,
    sensor text NOT NULL,
    title_zh text NOT NULL DEFAULT '',
    title_en text NOT NULL DEFAULT '',
    city text NOT NULL DEFAULT '',
    district text NOT NULL DEFAULT '',
    street text NOT NULL DEFAULT '',
    lon double precision,
    lat double precision,
    attributes jsonb NOT NULL DEFAULT '{}',
    parent text,
    status text NOT NULL CHECK (status IN ('registered', 'provisional', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, sensor)
);
CREATE INDEX sensors_district ON sensors (district);

CREATE TABLE sensor_last (
    stream text NOT NULL,
    sensor text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    readings jsonb NOT NULL,
    PRIMARY KEY (stream, sensor)
) WITH (fillfactor = 70);

CREATE TABLE qc_flags (
    stream text NOT NULL,
    sensor text NOT NULL,
    observed_at timestamptz NOT NULL,
    metric text NOT NULL,
    test text NOT NULL,
    flag smallint NOT NULL,
    value double precision,
    UNIQUE (stream, sensor, observed_at, metric, test)
);
SELECT create_hypertable('qc_flags', by_range('observed_at', INTERVAL '7 days'),
                         create_default_indexes => false);

CREATE TABLE dead_letters (
    id text PRIMARY KEY,
    at timestamptz NOT NULL,
    stream text NOT NULL,
    stage text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    readings jsonb NOT NULL DEFAULT '[]',
    payload bytea,
    source text NOT NULL DEFAULT '',
    topic text,
    partition integer,
    "offset" bigint,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'redriven', 'discarded')),
    redriven_at timestamptz
);
CREATE INDEX dead_letters_open ON dead_letters (at) WHERE status = 'open';

CREATE TABLE consumer_offsets (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, partition)
);

CREATE TABLE checkpoints (
    app text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    state bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app, topic, partition)
);

CREATE TABLE api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    prefix text NOT NULL,
    hash text NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
