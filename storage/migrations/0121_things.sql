-- Things: objects that last. Placed by the site, or one a sensor; the process `records` keeps their
-- state, which follows from alerts, readings, facts and records, and writes each change of it down.
CREATE TABLE things (
    kind text NOT NULL,
    thing text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    lon double precision,
    lat double precision,
    district text NOT NULL DEFAULT '',
    street text NOT NULL DEFAULT '',
    attributes jsonb NOT NULL DEFAULT '{}',
    parent text NOT NULL DEFAULT '', -- the id of a thing of the kind that the declaration names
    sensor text NOT NULL DEFAULT '',
    present boolean NOT NULL DEFAULT true, -- false = placed no more
    state text NOT NULL DEFAULT '',
    since timestamptz,
    PRIMARY KEY (kind, thing)
);
CREATE INDEX things_sensor ON things (sensor) WHERE sensor <> '';
CREATE INDEX things_parent ON things (parent) WHERE parent <> '';
CREATE INDEX things_state ON things (kind, state) WHERE present;

CREATE TABLE thing_history (
    kind text NOT NULL,
    thing text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    cause text NOT NULL,
    PRIMARY KEY (kind, thing, at)
);
