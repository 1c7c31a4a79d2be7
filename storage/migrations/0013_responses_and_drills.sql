-- what receivers answer: received, accepted, on site, done; each once, the first stands
CREATE TABLE responses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    receiver text NOT NULL,
    step text NOT NULL CHECK (step IN ('received', 'accepted', 'on_site', 'done')),
    at timestamptz NOT NULL,
    who text NOT NULL,
    via text NOT NULL CHECK (via IN ('link', 'api')),
    message text,
    since_s double precision, -- since the step before, or since delivery
    note text NOT NULL DEFAULT '',
    UNIQUE (subject, receiver, step)
);
CREATE INDEX responses_at ON responses (at);
CREATE TRIGGER responses_append_only BEFORE UPDATE OR DELETE ON responses
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE drills (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    instruction text NOT NULL,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    receivers text[] NOT NULL, -- empty = every receiver of the exercise channel
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    ended_at timestamptz,
    cancelled_by text
);
CREATE INDEX drills_due ON drills (starts_at) WHERE ended_at IS NULL;
-- a drill's message lies in the exercise channel, and a message's channel is its receiver's
-- (foreign key): no drill can be addressed to a channel that is acted upon
ALTER TABLE outbox
    ADD COLUMN drill bigint REFERENCES drills,
    ADD CONSTRAINT drills_stay_in_exercise CHECK (drill IS NULL OR channel = 'exercise');
CREATE INDEX outbox_drill ON outbox (drill) WHERE drill IS NOT NULL;
