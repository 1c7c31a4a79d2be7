-- What is forecast, what was said when, and how right it was. A time of a forecast is the start of
-- the hour that it speaks of, as in the rollups. ``issued_at`` is the end of the newest hour that
-- was used (nothing later was), ``made_at`` the clock when it was made.
CREATE TABLE forecast_series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    metric text NOT NULL,
    level text NOT NULL CHECK (level IN ('sensor', 'district', 'city')),
    subject text NOT NULL,
    status text NOT NULL DEFAULT 'learning'
        CHECK (status IN ('learning', 'ready', 'stale')),
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (stream, metric, level, subject)
);

-- Insert-only. ``q`` holds lead by lead the quantiles 2.5, 10, 50, 90 and 97.5 %; ``body`` the
-- same and the members as float32, for the weights and bands of the forecasts to come.
CREATE TABLE forecasts (
    series integer NOT NULL,
    issued_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    leads_s integer[] NOT NULL,
    q real[] NOT NULL,
    body bytea NOT NULL
);
SELECT create_hypertable('forecasts', by_range('issued_at', INTERVAL '7 days'),
    create_default_indexes => FALSE);
CREATE UNIQUE INDEX forecasts_key ON forecasts (series, issued_at);

CREATE TABLE forecast_newest (
    series integer PRIMARY KEY REFERENCES forecast_series,
    issued_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    leads_s integer[] NOT NULL,
    q real[] NOT NULL,
    weights real[] NOT NULL
);

CREATE TABLE forecast_scores (
    series integer NOT NULL,
    valid_at timestamptz NOT NULL,
    lead_s integer NOT NULL,
    truth double precision NOT NULL,
    median double precision NOT NULL,
    base_last double precision,
    base_day double precision,
    inside80 boolean,
    inside95 boolean,
    width80 double precision,
    origin text NOT NULL DEFAULT 'live' CHECK (origin IN ('live', 'backtest')),
    scored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT create_hypertable('forecast_scores', by_range('valid_at', INTERVAL '28 days'),
    create_default_indexes => FALSE);
CREATE UNIQUE INDEX forecast_scores_key ON forecast_scores (series, lead_s, valid_at);

-- One model for all series of a quantity and level; ``body`` is a numpy archive.
CREATE TABLE forecast_models (
    stream text NOT NULL,
    metric text NOT NULL,
    level text NOT NULL,
    trained_until timestamptz NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subjects text[] NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (stream, metric, level)
);
