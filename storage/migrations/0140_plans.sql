-- Plans: what is told to devices, and what they were found to show. What is proposed, approved and
-- ended are records; a command belongs to one of them.
CREATE TABLE plan_commands (
    key text PRIMARY KEY, -- the device knows a command by it: the same again changes nothing
    record bigint NOT NULL REFERENCES records,
    kind text NOT NULL, -- of devices
    device text NOT NULL,
    action text NOT NULL CHECK (action IN ('show', 'blank')),
    of_key text NOT NULL DEFAULT '', -- what is to be blanked: the key of its `show`
    message text NOT NULL DEFAULT '',
    priority smallint NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, -- of what is shown; a `show` is not sent any more then
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    sent_at timestamptz,
    dropped_at timestamptz, -- given up: it is not sent any more
    why text NOT NULL DEFAULT '',
    UNIQUE (record, action) -- an approval is one command, its end another
);
CREATE INDEX plan_commands_due ON plan_commands (next_attempt_at)
    WHERE sent_at IS NULL AND dropped_at IS NULL;

-- what each device answered last
CREATE TABLE plan_devices (
    kind text NOT NULL,
    device text NOT NULL,
    status text NOT NULL CHECK (status IN ('ok', 'failed', 'away')),
    key text NOT NULL DEFAULT '', -- of the command that it shows; empty = it shows nothing
    message text NOT NULL DEFAULT '',
    why text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    seen_at timestamptz, -- when it answered
    PRIMARY KEY (kind, device)
);

-- why a plan says nothing for a cause, while that is so
CREATE TABLE plan_refusals (
    plan text NOT NULL,
    cause text NOT NULL,
    device text NOT NULL DEFAULT '', -- empty = at none
    why_zh text NOT NULL,
    why_en text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (plan, cause, device)
);
