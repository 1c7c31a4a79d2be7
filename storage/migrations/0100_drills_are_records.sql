-- Drills are records of the kind drill. Each keeps its number where that is free; one that must
-- take another is linked to what it was called. Numbers of old drills are given to no new record.
SELECT setval(pg_get_serial_sequence('records', 'id'),
              greatest((SELECT max(id) FROM drills), (SELECT max(id) FROM records)))
WHERE EXISTS (SELECT FROM drills);

CREATE TEMPORARY TABLE drills_moved ON COMMIT DROP AS
    SELECT d.*, CASE WHEN EXISTS (SELECT FROM records r WHERE r.id = d.id)
                     THEN nextval(pg_get_serial_sequence('records', 'id')) ELSE d.id END AS record,
           CASE WHEN d.started_at IS NULL THEN CASE WHEN d.ended_at IS NULL THEN 'planned'
                                                    ELSE 'cancelled' END
                WHEN d.ended_at IS NULL AND d.cancelled_by IS NULL THEN 'running'
                ELSE 'over' END AS state,
           coalesce(d.ended_at, CASE WHEN d.cancelled_by IS NOT NULL THEN d.ends_at END) AS closed,
           jsonb_strip_nulls(jsonb_build_object(
               'title', d.title, 'instruction', d.instruction, 'severity', d.severity::text,
               'receivers', CASE WHEN d.receivers <> '{}' THEN to_jsonb(d.receivers) END,
               'starts_at', to_char(d.starts_at AT TIME ZONE 'UTC',
                                    'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
               'minutes', extract(epoch FROM d.ends_at - d.starts_at)::float8 / 60)) AS fields
    FROM drills d ORDER BY d.id;

INSERT INTO records (id, kind, state, came_from, version, fields, opened_by, opened_at, changed_at,
                     state_since, closed_at, close_reason)
    OVERRIDING SYSTEM VALUE
    SELECT record, 'drill', state,
           CASE state WHEN 'running' THEN 'planned' WHEN 'over' THEN 'running'
                      WHEN 'cancelled' THEN 'planned' ELSE '' END,
           CASE state WHEN 'planned' THEN 1 WHEN 'over' THEN 3 ELSE 2 END,
           fields, created_by, created_at, greatest(created_at, started_at, closed),
           greatest(created_at, started_at, closed),
           CASE WHEN state IN ('over', 'cancelled')
                THEN greatest(created_at, started_at, closed) END,
           CASE WHEN state = 'cancelled' THEN 'called_off'
                WHEN state = 'over' AND cancelled_by IS NULL THEN 'time_up'
                WHEN state = 'over' THEN 'early' END
    FROM drills_moved;

INSERT INTO record_log (record, kind, version, at, actor, role, via, move, from_state, to_state,
                        changes, reason, clocks)
    SELECT record, 'drill', 1, created_at, created_by, 'planner', 'migration', 'open', '',
           'planned', fields, '', '[]'::jsonb FROM drills_moved ORDER BY record;
INSERT INTO record_log (record, kind, version, at, actor, role, via, move, from_state, to_state,
                        changes, reason, clocks)
    SELECT record, 'drill', 2, greatest(created_at, started_at), 'cityops', 'engine', 'migration',
           'start', 'planned', 'running', '{}', '', '[]'::jsonb
    FROM drills_moved WHERE started_at IS NOT NULL ORDER BY record;
WITH ended AS (
    INSERT INTO record_log (record, kind, version, at, actor, role, via, move, from_state,
                            to_state, changes, reason, clocks)
    SELECT record, 'drill', CASE state WHEN 'over' THEN 3 ELSE 2 END,
           greatest(created_at, started_at, closed), coalesce(cancelled_by, 'cityops'),
           CASE WHEN cancelled_by IS NULL THEN 'engine' ELSE 'planner' END, 'migration',
           CASE WHEN state = 'cancelled' THEN 'cancel' WHEN cancelled_by IS NULL THEN 'end'
                ELSE 'stop' END,
           CASE state WHEN 'over' THEN 'running' ELSE 'planned' END, state, '{}',
           CASE WHEN state = 'cancelled' THEN 'called_off' WHEN cancelled_by IS NULL THEN 'time_up'
                ELSE 'early' END, '[]'::jsonb
    FROM drills_moved WHERE state IN ('over', 'cancelled') ORDER BY record
    RETURNING seq, record
)
-- one that was ended by hand a moment ago: its end has not been told yet
INSERT INTO record_events
    SELECT e.seq FROM ended e JOIN drills_moved m USING (record)
    WHERE m.state = 'over' AND m.ended_at IS NULL;

INSERT INTO record_links (record, relation, target, by)
    SELECT record, 'formerly', 'drill-' || id, created_by FROM drills_moved WHERE record <> id;

ALTER TABLE outbox DROP CONSTRAINT outbox_drill_fkey;
UPDATE outbox o SET drill = m.record FROM drills_moved m
    WHERE o.drill = m.id AND m.record <> m.id;
ALTER TABLE outbox ADD CONSTRAINT outbox_drill_fkey FOREIGN KEY (drill) REFERENCES records;
DROP TABLE drills;
