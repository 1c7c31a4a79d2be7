-- Tasks of incidents are records of the kind task. Those that were done are moved with who did
-- them, when, and what was said; the alerts' keeper opens the others. The plan knows whose they are.
CREATE TEMPORARY TABLE tasks_moved ON COMMIT DROP AS
    SELECT t.*, nextval(pg_get_serial_sequence('records', 'id')) AS record, i.opened_at,
           greatest(i.opened_at, t.done_at) AS ended_at,
           jsonb_build_object('what', i.kind || '.' || t.task, 'incident', i.id) AS fields
    FROM incident_tasks t JOIN incidents i ON i.id = t.incident;

INSERT INTO records (id, kind, state, came_from, version, fields, dedupe_key, opened_by, opened_at,
                     changed_at, state_since, closed_at, close_reason)
    OVERRIDING SYSTEM VALUE
    SELECT record, 'task', 'done', 'to_do', 2, fields,
           incident || E'\x1f' || (fields ->> 'what'), 'cityops', opened_at, ended_at, ended_at,
           ended_at, 'done'
    FROM tasks_moved;
INSERT INTO record_log (record, kind, version, at, actor, role, via, move, from_state, to_state,
                        changes, clocks)
    SELECT record, 'task', 1, opened_at, 'cityops', 'engine', 'migration', 'open', '', 'to_do',
           fields, '[]'::jsonb
    FROM tasks_moved ORDER BY record;
INSERT INTO record_log (record, kind, version, at, actor, role, via, move, from_state, to_state,
                        changes, reason, note, clocks)
    SELECT record, 'task', 2, ended_at, done_by, 'handler', 'migration', 'done', 'to_do', 'done',
           '{}', 'done', note, '[]'::jsonb
    FROM tasks_moved ORDER BY record;
INSERT INTO record_links (record, relation, target, by)
    SELECT record, 'about', 'incident:' || incident, 'cityops' FROM tasks_moved;
DROP TABLE incident_tasks;
