-- Incidents: alerts of one cause. The engine owns status, level and members; people confirm,
-- acknowledge, do tasks, merge and comment.
CREATE TABLE incidents (
    id text PRIMARY KEY,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('candidate', 'confirmed', 'resolved', 'merged')),
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    peak_severity smallint NOT NULL CHECK (peak_severity BETWEEN 1 AND 4),
    root_episode text NOT NULL REFERENCES episodes,
    root_sensor text NOT NULL,
    district text NOT NULL DEFAULT '',
    lon double precision,
    lat double precision,
    opened_at timestamptz NOT NULL,
    newest_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    confirmed_by text,
    resolved_at timestamptz,
    reopened integer NOT NULL DEFAULT 0,
    merged_into text REFERENCES incidents,
    similar_id text REFERENCES incidents,
    acked_at timestamptz,
    acked_by text,
    assignee text
);
CREATE INDEX incidents_open ON incidents (kind) WHERE resolved_at IS NULL;
CREATE INDEX incidents_recent ON incidents (opened_at DESC);
-- an alert belongs to one incident
CREATE TABLE incident_members (
    episode text PRIMARY KEY REFERENCES episodes,
    incident text NOT NULL REFERENCES incidents,
    role text NOT NULL CHECK (role IN ('trigger', 'support')),
    folded boolean NOT NULL DEFAULT false,
    added_at timestamptz NOT NULL
);
CREATE INDEX incident_members_incident ON incident_members (incident);
CREATE TABLE incident_acts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES incidents,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    act text NOT NULL,
    note text NOT NULL DEFAULT ''
);
CREATE INDEX incident_acts_incident ON incident_acts (incident, id);
CREATE TRIGGER incident_acts_append_only BEFORE UPDATE OR DELETE ON incident_acts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE incident_tasks (
    incident text NOT NULL REFERENCES incidents,
    task text NOT NULL,
    done_at timestamptz NOT NULL,
    done_by text NOT NULL,
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (incident, task)
);
-- whatever can be told, acknowledged and escalated
CREATE VIEW alert_subjects AS
    SELECT id, acked_at, cleared_at, shelved_until FROM episodes
    UNION ALL SELECT id, acked_at, resolved_at, NULL FROM incidents;
-- what lies downstream of an open incident's cause while that fires: shown, not told
CREATE VIEW folded_alerts AS
    SELECT m.episode, m.incident FROM incident_members m
    JOIN incidents i ON i.id = m.incident AND i.resolved_at IS NULL
    JOIN episodes root ON root.id = i.root_episode AND root.cleared_at IS NULL
    WHERE m.folded;
