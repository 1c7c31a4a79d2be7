-- What people do with alerts, kept apart from what rules say; silences; who was told of what.
ALTER TABLE episodes DROP CONSTRAINT episodes_status_check;
ALTER TABLE episodes ADD CHECK (status IN ('active', 'latched', 'cleared'));
-- rule-owned: only the engine writes these
ALTER TABLE episodes
    ADD COLUMN latch boolean NOT NULL DEFAULT false,
    ADD COLUMN flapping boolean NOT NULL DEFAULT false,
    ADD COLUMN labels jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN annotations jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN expires_at timestamptz;
-- human-owned (with acked_at, acked_by, ack_note): only people's acts write these
ALTER TABLE episodes
    ADD COLUMN assignee text,
    ADD COLUMN assigned_at timestamptz,
    ADD COLUMN shelved_until timestamptz,
    ADD COLUMN shelved_by text,
    ADD COLUMN shelve_reason text;
CREATE INDEX episodes_live ON episodes (severity, raised_at DESC) WHERE status <> 'cleared';
CREATE INDEX transitions_subject ON transitions (rule, sensor, observed_at);

CREATE TABLE episode_acts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    episode text NOT NULL REFERENCES episodes,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    act text NOT NULL CHECK (act IN
        ('ack', 'unack', 'assign', 'comment', 'shelve', 'unshelve', 'reset', 'expired')),
    note text NOT NULL DEFAULT ''
);
CREATE INDEX episode_acts_episode ON episode_acts (episode, id);
CREATE TRIGGER episode_acts_append_only BEFORE UPDATE OR DELETE ON episode_acts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE silences (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL DEFAULT 'silence' CHECK (kind IN ('silence', 'maintenance')),
    matchers jsonb NOT NULL,
    author text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_by text
);
CREATE INDEX silences_end ON silences (ends_at);

-- a receiver's kind of channel is part of the key that its messages refer to, so that a message of
-- a drill cannot be addressed to a channel that is acted upon
ALTER TABLE receivers
    ADD COLUMN format text NOT NULL DEFAULT 'cityops' CHECK (format IN
        ('cityops', 'alertmanager', 'cap', 'cloudevents', 'wecom', 'dingtalk')),
    ADD COLUMN channel text NOT NULL DEFAULT 'actual' CHECK (channel IN ('actual', 'exercise')),
    ADD COLUMN previous_secret text,
    ADD COLUMN previous_until timestamptz,
    ADD COLUMN routed boolean NOT NULL DEFAULT true,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN last_seq bigint NOT NULL DEFAULT 0,
    ADD UNIQUE (id, channel);

ALTER TABLE outbox
    ALTER COLUMN episode DROP NOT NULL,
    ALTER COLUMN transition DROP NOT NULL,
    ADD COLUMN receiver_seq bigint,
    ADD COLUMN channel text NOT NULL DEFAULT 'actual',
    ADD COLUMN content_type text NOT NULL DEFAULT 'application/json',
    ADD COLUMN events integer NOT NULL DEFAULT 1,
    ADD COLUMN incident text,
    ADD COLUMN headline text NOT NULL DEFAULT '',
    ADD COLUMN observed_at timestamptz,
    ADD COLUMN produced_at timestamptz,
    ADD COLUMN first_delivered_at timestamptz,
    ADD COLUMN replays integer NOT NULL DEFAULT 0,
    ADD COLUMN stuck_told_at timestamptz,
    ADD FOREIGN KEY (receiver, channel) REFERENCES receivers (id, channel) ON DELETE CASCADE;
UPDATE outbox o SET receiver_seq = n.rank, first_delivered_at = o.delivered_at FROM (
    SELECT id, row_number() OVER (PARTITION BY receiver ORDER BY seq) AS rank FROM outbox) n
    WHERE n.id = o.id;
UPDATE receivers r SET last_seq = coalesce(
    (SELECT max(receiver_seq) FROM outbox o WHERE o.receiver = r.id), 0);
ALTER TABLE outbox ALTER COLUMN receiver_seq SET NOT NULL, ADD UNIQUE (receiver, receiver_seq);
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (receiver, receiver_seq)
    WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_recent ON outbox (created_at DESC);
CREATE INDEX outbox_episode ON outbox (episode);
CREATE INDEX deliveries_outbox ON deliveries (outbox);

-- who knows of which open alert, and how the next word about it travels
CREATE TABLE told (
    receiver bigint NOT NULL REFERENCES receivers ON DELETE CASCADE,
    subject text NOT NULL,
    route text NOT NULL,
    severity smallint NOT NULL,
    at timestamptz NOT NULL,
    repeat_s double precision,
    PRIMARY KEY (receiver, subject)
);
CREATE INDEX told_subject ON told (subject);
CREATE INDEX told_repeat ON told (at) WHERE repeat_s IS NOT NULL;
-- what is not said yet: silenced, in maintenance, muted, shelved or folded under a root cause
CREATE TABLE held (
    receiver bigint NOT NULL REFERENCES receivers ON DELETE CASCADE,
    subject text NOT NULL,
    route text NOT NULL,
    reason text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (receiver, subject)
);
CREATE INDEX held_subject ON held (subject);
-- notices that wait for their group
CREATE TABLE notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    receiver bigint NOT NULL REFERENCES receivers ON DELETE CASCADE,
    route text NOT NULL,
    group_key text NOT NULL,
    key text NOT NULL,
    event jsonb NOT NULL,
    due_at timestamptz NOT NULL
);
CREATE INDEX notices_due ON notices (due_at);
CREATE INDEX notices_group ON notices (receiver, group_key, id);
CREATE TABLE notice_groups (
    receiver bigint NOT NULL REFERENCES receivers ON DELETE CASCADE,
    group_key text NOT NULL,
    flushed_at timestamptz NOT NULL,
    PRIMARY KEY (receiver, group_key)
);
CREATE TABLE escalations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    route text NOT NULL,
    step smallint NOT NULL,
    receivers text[] NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('escalated', 'acknowledged', 'cleared')),
    UNIQUE (subject, route, step)
);
CREATE INDEX escalations_due ON escalations (due_at) WHERE ended_at IS NULL;
