-- Facts (docs/decisions/facts.md). Each kind has a table facts_<kind> of its own, made from its
-- declaration. A mark says that a minute of a thing is to be added up anew; it is written in the
-- transaction of the rows that changed it and taken in the one that adds it up.
CREATE TABLE fact_marks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    thing text NOT NULL,
    minute timestamptz NOT NULL
);
CREATE INDEX fact_marks_minute ON fact_marks (kind, minute);

-- What was told last of each minute; its first telling has revision 1.
CREATE TABLE fact_minutes (
    kind text NOT NULL,
    thing text NOT NULL,
    minute timestamptz NOT NULL,
    revision integer NOT NULL,
    tallies jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, thing, minute)
);
CREATE INDEX fact_minutes_minute ON fact_minutes (kind, minute);

-- Minutes on their way to Kafka, as they were told: sent again after a kill they are the same.
CREATE TABLE fact_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    thing text NOT NULL,
    minute timestamptz NOT NULL,
    revision integer NOT NULL,
    tallies jsonb NOT NULL
);

-- Minutes before ``until`` are over, and all that was accepted of them is stored.
CREATE TABLE fact_closed (
    kind text PRIMARY KEY,
    until timestamptz NOT NULL
);

-- What a fact said before it was corrected.
CREATE TABLE fact_history (
    kind text NOT NULL,
    thing text NOT NULL,
    id text NOT NULL,
    revision integer NOT NULL,
    at timestamptz NOT NULL,
    body jsonb NOT NULL,
    replaced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, thing, id, revision)
);

-- Keys of secret dimensions, one a day of the site; gone when no fact of the day can come any more.
CREATE TABLE fact_keys (
    day date PRIMARY KEY,
    key bytea NOT NULL
);
