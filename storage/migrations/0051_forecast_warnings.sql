-- Early warnings: a limit that the forecast said would be crossed, and what came of it. ``miss``: it
-- was crossed and nothing had been said. One hour is the hour's mean. Nobody is told of them yet.
CREATE TABLE forecast_warnings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series integer NOT NULL REFERENCES forecast_series,
    rule text NOT NULL,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    limit_value double precision NOT NULL,
    raised_at timestamptz NOT NULL,
    chance double precision,
    expected_at timestamptz,
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT 'open' CHECK (outcome IN ('open', 'hit', 'false', 'miss', 'void')),
    crossed_at timestamptz,
    UNIQUE (series, rule, severity, raised_at)
);
CREATE UNIQUE INDEX forecast_warnings_open ON forecast_warnings (series, rule, severity)
    WHERE outcome = 'open';
