-- Records: objects with a life cycle. One row each with what it is now; `record_log` has every
-- step and is the truth, `records` and `record_timers` follow from it.
CREATE TABLE records (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL,
    came_from text NOT NULL DEFAULT '', -- the state that was left last
    version integer NOT NULL CHECK (version > 0), -- how many steps the log has
    fields jsonb NOT NULL,
    dedupe_key text,
    district text,
    lon double precision,
    lat double precision,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    state_since timestamptz NOT NULL,
    closed_at timestamptz,
    close_reason text,
    due_at timestamptz, -- the next deadline of a clock that runs
    overdue boolean NOT NULL DEFAULT false
);
-- the order of a queue: what is due first stands first, the open apart from the closed
CREATE INDEX records_queue ON records (kind, due_at, id) WHERE closed_at IS NULL;
CREATE INDEX records_board ON records (kind, state, due_at, id) WHERE closed_at IS NULL;
CREATE INDEX records_opened ON records (kind, opened_at DESC, id DESC);
CREATE INDEX records_fields ON records USING gin (fields jsonb_path_ops);
CREATE UNIQUE INDEX records_dedupe ON records (kind, dedupe_key)
    WHERE dedupe_key IS NOT NULL AND closed_at IS NULL;

-- Append-only. `seq` is the row of the audit log that vouches for a step: its detail holds the
-- step's hash, so the audit's chain covers this table too, whoever writes into it.
CREATE TABLE record_log (
    seq bigint PRIMARY KEY,
    record bigint NOT NULL REFERENCES records,
    kind text NOT NULL,
    version integer NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    via text NOT NULL,
    address text NOT NULL DEFAULT '',
    move text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    changes jsonb NOT NULL, -- fields that this step has set
    reason text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    clocks jsonb NOT NULL, -- every clock after this step
    key text, -- a machine's own name for this step: the same again changes nothing
    hash text NOT NULL,
    UNIQUE (record, version)
);
CREATE UNIQUE INDEX record_log_key ON record_log (actor, key) WHERE key IS NOT NULL;
CREATE INDEX record_log_moves ON record_log (kind, move, at);

CREATE FUNCTION record_log_line(record_log) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT jsonb_build_array($1.record, $1.kind, $1.version,
       (extract(epoch FROM $1.at) * 1000000)::bigint, $1.actor, $1.role, $1.via, $1.move,
       $1.from_state, $1.to_state, $1.changes, $1.reason, $1.note, $1.clocks, $1.key)::text $$;

CREATE FUNCTION record_log_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.hash := encode(sha256(convert_to(record_log_line(NEW), 'UTF8')), 'hex');
    INSERT INTO audit (who, what, target, detail)
    VALUES (NEW.actor, NEW.kind || '.' || NEW.move, NEW.kind || '-' || NEW.record,
            jsonb_strip_nulls(jsonb_build_object('version', NEW.version, 'from', NEW.from_state,
                'to', NEW.to_state, 'via', NEW.via, 'log', NEW.hash,
                'address', nullif(NEW.address, ''))))
    RETURNING seq INTO NEW.seq;
    RETURN NEW;
END $$;
CREATE TRIGGER record_log_audit BEFORE INSERT ON record_log
    FOR EACH ROW EXECUTE FUNCTION record_log_audit();
CREATE TRIGGER record_log_append_only BEFORE UPDATE OR DELETE ON record_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_log_no_truncate BEFORE TRUNCATE ON record_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE record_timers (
    record bigint NOT NULL REFERENCES records,
    kind text NOT NULL,
    clock text NOT NULL,
    round integer NOT NULL, -- a clock that is started again begins another round
    unit text NOT NULL,
    limit_us bigint NOT NULL,
    spent_us bigint NOT NULL, -- before `running_since`
    started_at timestamptz NOT NULL,
    running_since timestamptz, -- NULL = paused or stopped
    due_at timestamptz, -- NULL = paused; a stopped clock keeps its deadline
    soon_at timestamptz,
    warned_at timestamptz,
    overdue_at timestamptz, -- when it was found to be overdue
    stopped_at timestamptz,
    PRIMARY KEY (record, clock, round)
);
CREATE INDEX record_timers_due ON record_timers (due_at)
    WHERE running_since IS NOT NULL AND overdue_at IS NULL;
CREATE INDEX record_timers_soon ON record_timers (soon_at)
    WHERE running_since IS NOT NULL AND warned_at IS NULL AND overdue_at IS NULL;
CREATE INDEX record_timers_period ON record_timers (kind, clock, due_at);

-- what a record has to do with: an alert, an incident, another record
CREATE TABLE record_links (
    record bigint NOT NULL REFERENCES records,
    relation text NOT NULL, -- opened_by, joined, about, duplicate_of, parent
    target text NOT NULL, -- alert:…, incident:…, record:…
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL,
    PRIMARY KEY (record, relation, target)
);
CREATE INDEX record_links_target ON record_links (target);

-- files lie beside the database under the name of their hash; rows say what they are
CREATE TABLE record_attachments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    record bigint REFERENCES records, -- NULL until a step names it
    name text NOT NULL,
    content_type text NOT NULL,
    size integer NOT NULL CHECK (size > 0),
    sha256 text NOT NULL,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX record_attachments_record ON record_attachments (record);

-- steps that nobody has been notified of yet; the alerts engine takes them in the order of seq
CREATE TABLE record_events (seq bigint PRIMARY KEY REFERENCES record_log);

-- alerts that shall open a record, written with the alert itself
CREATE TABLE record_openings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    facts jsonb NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    failed text
);

-- who has a duty beyond those of the console's role; a scope narrows it, e.g. to a department
CREATE TABLE record_grants (
    who text NOT NULL,
    system text NOT NULL,
    role text NOT NULL,
    scope text NOT NULL DEFAULT '',
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (who, system, role, scope)
);
