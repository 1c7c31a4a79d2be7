-- Joint rules: groups of signals that normally move together. An hour is named by its start, as in
-- the rollups. One row is a group, and the lock of whoever judges it.
CREATE TABLE joint_groups (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    subject text NOT NULL,
    key text NOT NULL,
    district text NOT NULL,
    status text NOT NULL DEFAULT 'learning'
        CHECK (status IN ('learning', 'ready', 'stale', 'retired')),
    version integer NOT NULL DEFAULT 0,
    trained_until timestamptz,
    scored_until timestamptz,
    heard_at timestamptz,
    log double precision,
    severity smallint NOT NULL DEFAULT 0 CHECK (severity BETWEEN 0 AND 4),
    raised_at timestamptz,
    UNIQUE (rule, subject)
);

-- Every model that was made; ``body`` is a numpy archive, ``signals`` its columns.
CREATE TABLE joint_models (
    group_id integer NOT NULL REFERENCES joint_groups,
    version integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    trained_until timestamptz NOT NULL,
    hours integer NOT NULL,
    signals text[] NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (group_id, version)
);

-- What was said of each hour, by which model; ``spreads`` NULL where too few signals were there.
-- Hours under alarm are not learned from.
CREATE TABLE joint_scores (
    group_id integer NOT NULL REFERENCES joint_groups,
    hour timestamptz NOT NULL,
    version integer NOT NULL,
    spreads double precision,
    alarmed boolean NOT NULL,
    scored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (group_id, hour)
);

-- What the alerts engine has still to take: a transition and what explains it.
CREATE TABLE joint_events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transition jsonb NOT NULL,
    district text NOT NULL,
    explanation jsonb
);

-- Which signals, how far, since when, and similar days before: of alerts on what is unusual.
CREATE TABLE alert_explanations (
    episode text PRIMARY KEY,
    body jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
