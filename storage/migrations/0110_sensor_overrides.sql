-- What people set for one metric of one sensor in place of its declaration. Only ever added to: the
-- newest row of a sensor and metric holds, and one without span, floor and resolution takes back
-- what was set. The worker puts each into Kafka's log, so that replay judges the same.
CREATE TABLE sensor_overrides (
    revision   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream     text NOT NULL,
    sensor     text NOT NULL,
    metric     text NOT NULL,
    span_low   double precision,
    span_high  double precision,
    floor      double precision,
    resolution double precision CHECK (resolution > 0),
    until      timestamptz,
    author     text NOT NULL CHECK (author <> ''),
    reason     text NOT NULL CHECK (reason <> ''),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((span_low IS NULL) = (span_high IS NULL) AND coalesce(span_low < span_high, true))
);
CREATE INDEX sensor_overrides_newest ON sensor_overrides (stream, sensor, metric, revision DESC);
CREATE TRIGGER sensor_overrides_kept BEFORE UPDATE OR DELETE ON sensor_overrides
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sensor_overrides_kept_whole BEFORE TRUNCATE ON sensor_overrides
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
