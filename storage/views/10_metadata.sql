-- What the catalog declares, as rows for panels. Filled anew by every migration; nobody edits it.
CREATE TABLE dash.domains (
    domain text PRIMARY KEY,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    icon text NOT NULL,
    position integer NOT NULL
);

CREATE TABLE dash.streams (
    stream text PRIMARY KEY,
    domain text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    cadence_s integer NOT NULL,
    lateness_s integer NOT NULL,
    silent_after_s integer NOT NULL,
    headline text NOT NULL,
    unit text NOT NULL,
    decimals integer NOT NULL,
    overall text NOT NULL CHECK (overall IN ('mean', 'sum', 'min', 'max', 'margin')),
    margin_attribute text,
    vital_zh text NOT NULL,
    vital_en text NOT NULL,
    hourly text,
    hourly_zh text,
    hourly_en text,
    position integer NOT NULL
);

CREATE TABLE dash.metrics (
    stream text NOT NULL,
    metric text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('measured', 'rate', 'rolling', 'derived')),
    unit text NOT NULL,
    decimals integer NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    fail_low double precision,
    fail_high double precision,
    position integer NOT NULL,
    PRIMARY KEY (stream, metric)
);

CREATE TABLE dash.rules (
    rule text PRIMARY KEY,
    stream text NOT NULL,
    kind text NOT NULL CHECK (
        kind IN ('threshold', 'unusual', 'absence', 'stream_absence', 'pipeline_absence',
        'judging_absence', 'log_break', 'health', 'joint', 'early')
    ),
    metric text,
    op text,
    deadband double precision,
    for_s double precision,
    clear_s double precision,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    advice_zh text NOT NULL,
    advice_en text NOT NULL
);

-- value is a number in the metric's unit, or null when the limit is the sensor's own attribute
CREATE TABLE dash.thresholds (
    stream text NOT NULL,
    rule text NOT NULL,
    metric text NOT NULL,
    op text NOT NULL,
    severity smallint NOT NULL,
    value double precision,
    attribute text,
    attribute_offset double precision,
    hours_from integer,
    hours_to integer,
    -- a schedule or where the sun stands, in words; null when it always applies
    condition_zh text,
    condition_en text,
    standard text NOT NULL,
    clause text NOT NULL,
    verified boolean NOT NULL,
    -- what an alert of this level is called where the rule's own title would not be true
    title_zh text,
    title_en text,
    effective_from date,
    effective_to date
);

CREATE TABLE dash.attributes (
    stream text NOT NULL,
    attribute text NOT NULL,
    unit text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    PRIMARY KEY (stream, attribute)
);

CREATE TABLE dash.incident_kinds (
    kind text PRIMARY KEY,
    domain text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    position integer NOT NULL
);

CREATE TABLE dash.severities (
    severity smallint PRIMARY KEY,
    name text NOT NULL,
    roman text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    colour text NOT NULL,
    icon text NOT NULL
);

-- every state a sensor can show; the level rises with urgency
CREATE TABLE dash.states (
    state text PRIMARY KEY,
    level integer NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    colour text NOT NULL,
    icon text NOT NULL
);

-- the site's local days as times, working (0) or free (1)
CREATE TABLE dash.local_days (
    begins timestamptz PRIMARY KEY,
    ends timestamptz NOT NULL,
    kind smallint NOT NULL
);

CREATE TABLE dash.districts (
    district text PRIMARY KEY,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    population integer NOT NULL,
    central boolean NOT NULL,
    position integer NOT NULL
);

-- kinds of records; headline: the fields that name one in a list
CREATE TABLE dash.record_kinds (
    kind text PRIMARY KEY,
    domain text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    plural_zh text NOT NULL,
    plural_en text NOT NULL,
    headline text[] NOT NULL,
    position integer NOT NULL
);

CREATE TABLE dash.record_states (
    kind text NOT NULL,
    state text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    final boolean NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (kind, state)
);

-- values of fields that have names
CREATE TABLE dash.record_choices (
    kind text NOT NULL,
    field text NOT NULL,
    choice text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    PRIMARY KEY (kind, field, choice)
);

-- fields that KPIs can be grouped by: the district, and those whose values have names
CREATE TABLE dash.record_groups (
    kind text NOT NULL,
    field text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (kind, field)
);

-- target: a share, or the points of a score; null when there is none
CREATE TABLE dash.record_kpis (
    kind text NOT NULL,
    kpi text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    target double precision,
    better text NOT NULL CHECK (better IN ('more', 'less')),
    is_score boolean NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (kind, kpi)
);
