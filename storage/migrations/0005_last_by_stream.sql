-- Last values become typed: `sensor_last` is the parent of one table per stream with a column per
-- metric. The values known so far move over; columns of metrics nobody has sent come with the
-- stream's other tables.
ALTER TABLE sensor_last RENAME TO sensor_last_json;
ALTER INDEX sensor_last_pkey RENAME TO sensor_last_json_pkey;
CREATE TABLE sensor_last (
    stream text NOT NULL,
    sensor text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
DO $$
DECLARE
    s text;
    metric text;
BEGIN
    FOR s IN SELECT DISTINCT stream FROM sensor_last_json LOOP
        EXECUTE format(
            'CREATE TABLE %1$I (CHECK (stream = %2$L), PRIMARY KEY (sensor))'
            ' INHERITS (sensor_last) WITH (fillfactor = 45)', 'last_' || s, s);
        EXECUTE format('ALTER TABLE %I ALTER stream SET DEFAULT %L', 'last_' || s, s);
        FOR metric IN SELECT DISTINCT jsonb_object_keys(readings) FROM sensor_last_json
                      WHERE stream = s LOOP
            EXECUTE format('ALTER TABLE %I ADD %I double precision', 'last_' || s, metric);
        END LOOP;
        EXECUTE format(
            'INSERT INTO %1$I SELECT (jsonb_populate_record(null::%1$I,'
            ' l.readings || to_jsonb(l) - ''readings'')).* FROM sensor_last_json l'
            ' WHERE l.stream = %2$L', 'last_' || s, s);
    END LOOP;
END $$;
DROP TABLE sensor_last_json;
