-- What people had open when the schema ended with 0030_incident_changes.sql.
INSERT INTO console_users (name, role, password_hash) VALUES ('li', 'operator', '-');
INSERT INTO receivers (name, url, secret, channel, last_seq) VALUES
    ('duty', 'https://duty.example', 'x', 'actual', 1),
    ('crew', 'https://crew.example', 'x', 'exercise', 2);
INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, value, raised_at,
                      raised_recorded_at, changed_at, cleared_at, acked_at, acked_by, ack_note,
                      assignee, assigned_at, shelved_until, shelved_by, shelve_reason) VALUES
    ('e-1', 'waterlogging.ponding', 'waterlogging', 'w-1', 'active', 2, 1, 0.4, '2026-11-24 04:00Z',
     '2026-11-24 04:00Z', '2026-11-24 04:05Z', NULL, '2026-11-24 04:10Z', 'li', 'pump is on its way',
     'li', '2026-11-24 04:11Z', NULL, NULL, NULL),
    ('e-2', 'noise.night', 'noise', 'n-1', 'active', 4, 4, 61, '2026-11-24 04:01Z',
     '2026-11-24 04:01Z', '2026-11-24 04:01Z', NULL, NULL, NULL, NULL, NULL, NULL,
     '2026-11-24 12:00Z', 'li', 'works next door'),
    ('e-3', 'waterlogging.ponding', 'waterlogging', 'w-2', 'cleared', 3, 3, 0.1,
     '2026-11-23 04:00Z', '2026-11-23 04:00Z', '2026-11-23 05:00Z', '2026-11-23 05:00Z', NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO transitions (id, episode, rule, stream, sensor, kind, severity, observed_at,
                         produced_at, recorded_at)
    SELECT id || '/raised', id, rule, stream, sensor, 'raised', severity, raised_at, raised_at,
           raised_at FROM episodes;
INSERT INTO episode_acts (episode, at, who, act, note) VALUES
    ('e-1', '2026-11-24 04:10Z', 'li', 'ack', 'pump is on its way'),
    ('e-1', '2026-11-24 04:11Z', 'li', 'assign', 'li'),
    ('e-1', '2026-11-24 04:12Z', 'li', 'comment', 'water to the axle'),
    ('e-2', '2026-11-24 04:13Z', 'li', 'shelve', 'works next door');
INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode, root_sensor,
                       district, opened_at, newest_at, changed_at, confirmed_at, confirmed_by,
                       resolved_at, acked_at, acked_by, assignee) VALUES
    ('inc-open', 'waterlogging', 'confirmed', 3, 3, 'e-1', 'w-1', '510104', '2026-11-24 04:00Z',
     '2026-11-24 04:00Z', '2026-11-24 04:02Z', '2026-11-24 04:02Z', 'cityops', NULL,
     '2026-11-24 04:03Z', 'li', 'li'),
    ('inc-over', 'waterlogging', 'resolved', 4, 4, 'e-3', 'w-2', '510104', '2026-11-23 04:00Z',
     '2026-11-23 04:00Z', '2026-11-23 05:00Z', '2026-11-23 04:02Z', 'li', '2026-11-23 05:00Z',
     NULL, NULL, NULL);
INSERT INTO incident_members (episode, incident, role, added_at) VALUES
    ('e-1', 'inc-open', 'trigger', '2026-11-24 04:00Z'),
    ('e-3', 'inc-over', 'trigger', '2026-11-23 04:00Z');
INSERT INTO incident_acts (incident, at, who, act, note) VALUES
    ('inc-over', '2026-11-23 04:00Z', 'cityops', 'opened', 'e-3'),
    ('inc-over', '2026-11-23 04:20Z', 'li', 'task', 'pump two pumps'),
    ('inc-open', '2026-11-24 04:00Z', 'cityops', 'opened', 'e-1'),
    ('inc-open', '2026-11-24 04:06Z', 'wang', 'task', 'close barriers are down'),
    ('inc-open', '2026-11-24 04:07Z', 'li', 'comment', 'two cars stuck');
INSERT INTO incident_tasks (incident, task, done_at, done_by, note) VALUES
    ('inc-over', 'pump', '2026-11-23 04:20Z', 'li', 'two pumps'),
    ('inc-open', 'close', '2026-11-24 04:06Z', 'wang', 'barriers are down'),
    ('inc-open', 'gone', '2026-11-24 04:06Z', 'wang', 'of a plan that is declared no more');
INSERT INTO silences (kind, matchers, author, reason, starts_at, ends_at, created_at, updated_at,
                      ended_by) VALUES
    ('silence', '[{"name": "stream", "op": "=", "value": "noise"}]', 'li', 'concert',
     '2026-11-24 04:00Z', '2099-01-01 00:00Z', '2026-11-24 03:00Z', '2026-11-24 03:00Z', NULL),
    ('maintenance', '[{"name": "sensor", "op": "=", "value": "w-1"}]', 'li', 'new probe',
     '2098-01-01 00:00Z', '2099-01-01 00:00Z', '2026-11-24 03:00Z', '2026-11-24 03:00Z', NULL),
    ('silence', '[{"name": "rule", "op": "=~", "value": "grid.*"}]', 'li', 'test of a breaker',
     '2026-11-20 04:00Z', '2026-11-20 05:00Z', '2026-11-20 03:00Z', '2026-11-20 05:00Z', 'wang');
INSERT INTO drills (title, instruction, severity, receivers, starts_at, ends_at, created_by,
                    created_at, started_at, ended_at, cancelled_by) VALUES
    ('planned', 'report in', 2, '{}', '2098-01-01 00:00Z', '2098-01-01 00:30Z', 'li',
     '2026-11-24 03:00Z', NULL, NULL, NULL),
    ('running', 'close the tunnel', 1, '{crew}', '2026-11-24 03:00Z', '2099-01-01 00:00Z', 'li',
     '2026-11-24 02:00Z', '2026-11-24 03:00:00.4Z', NULL, NULL),
    ('over', 'call the pumps', 3, '{crew}', '2026-11-20 03:00Z', '2026-11-20 03:30Z', 'wang',
     '2026-11-20 02:00Z', '2026-11-20 03:00Z', '2026-11-20 03:30:00.5Z', NULL),
    ('called off', 'report in', 4, '{}', '2026-11-21 03:00Z', '2026-11-21 03:00:00.000001Z', 'li',
     '2026-11-20 02:00Z', NULL, '2026-11-20 04:00Z', 'wang'),
    ('cut short', 'report in', 2, '{}', '2026-11-22 03:00Z', '2026-11-22 03:10Z', 'li',
     '2026-11-22 02:00Z', '2026-11-22 03:00Z', '2026-11-22 03:10:00.5Z', 'wang'),
    ('just stopped', 'report in', 2, '{crew}', '2026-11-24 03:00Z', '2026-11-24 03:10Z', 'li',
     '2026-11-24 02:00Z', '2026-11-24 03:00Z', NULL, 'wang');
INSERT INTO outbox (id, receiver, receiver_seq, channel, kind, body, drill, first_delivered_at,
                    delivered_at)
    SELECT 'msg_' || n, 2, n, 'exercise', 'started', '{}', drill, at, at FROM (VALUES
        (1, 2, '2026-11-24 03:00:01Z'::timestamptz), (2, 3, '2026-11-20 03:00:01Z')) m (n, drill, at);
INSERT INTO outbox (id, receiver, receiver_seq, channel, kind, body, episode, transition)
    VALUES ('msg_3', 1, 1, 'actual', 'raised', '{}', 'e-1', 'e-1/raised');
INSERT INTO outbox_subjects (outbox, position, subject, kind) VALUES
    ('msg_1', 0, 'drill-2', 'started'), ('msg_2', 0, 'drill-3', 'started'),
    ('msg_3', 0, 'e-1', 'raised');
INSERT INTO responses (subject, receiver, step, at, who, via, message, since_s, note) VALUES
    ('drill-2', 'crew', 'accepted', '2026-11-24 03:01:01Z', 'crew (link)', 'link', 'msg_1', 60, ''),
    ('drill-3', 'crew', 'received', '2026-11-20 03:00:11Z', 'crew', 'api', NULL, 10, 'seen');
INSERT INTO told (receiver, subject, route, severity, at) VALUES
    (1, 'e-1', 'all', 2, '2026-11-24 04:00Z');
INSERT INTO escalations (subject, route, step, receivers, due_at) VALUES
    ('e-2', 'all', 1, '{duty}', '2026-11-24 04:20Z');
INSERT INTO audit (who, what, target) VALUES ('li', 'drill.plan', '1'), ('wang', 'drill.cancel', '4');
