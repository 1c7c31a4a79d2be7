-- Which hours of which sensor need their rollups computed anew. Append-only for writers, so that
-- nobody waits: a writer adds marks with its rows, `storage keep` deletes those it worked off.
CREATE TABLE rollup_dirty (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    sensor text NOT NULL,
    hour timestamptz NOT NULL
);

-- Before which time rows of a table kind may be gone; it only ever grows, whatever the settings
-- say later, because what was dropped stays dropped.
CREATE TABLE retention_cuts (
    stream text NOT NULL,
    kind text NOT NULL,
    cut timestamptz NOT NULL,
    PRIMARY KEY (stream, kind)
);

-- minutes stored before there were rollups
DO $$
DECLARE minutes text;
BEGIN
    FOR minutes IN
        SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND tablename LIKE 'aggregates\_%'
    LOOP
        EXECUTE format(
            'INSERT INTO rollup_dirty (stream, sensor, hour)'
            ' SELECT DISTINCT %L, sensor, date_trunc(''hour'', window_start) FROM %I',
            substr(minutes, length('aggregates_') + 1), minutes);
    END LOOP;
END $$;
