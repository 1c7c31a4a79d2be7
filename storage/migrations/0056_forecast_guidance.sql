-- Forecasts of others that ours may use (catalog/guidance.py): one row an issue, place and quantity,
-- never changed once it is there. ``place`` is a district's or the city's code. ``known_at`` is when
-- it could be used first: its arrival, or the declared delay after its issue where it was loaded
-- from an archive. ``leads_s`` are seconds from ``issued_at``, rising, one a value.
CREATE TABLE forecast_guidance (
    guidance text NOT NULL,
    place text NOT NULL,
    quantity text NOT NULL,
    issued_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    leads_s integer[] NOT NULL,
    values real[] NOT NULL,
    CHECK (known_at >= issued_at),
    CHECK (array_length(leads_s, 1) = array_length(values, 1))
);
SELECT create_hypertable('forecast_guidance', by_range('issued_at', INTERVAL '28 days'),
    create_default_indexes => FALSE);
CREATE UNIQUE INDEX forecast_guidance_key
    ON forecast_guidance (guidance, place, quantity, issued_at);
