-- The console: who may log in, who is logged in, and what was done by whom.
CREATE TABLE console_users (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    password_hash text NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE console_sessions (
    token_hash text PRIMARY KEY,
    name text NOT NULL REFERENCES console_users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX console_sessions_name ON console_sessions (name);

-- Append-only and chained: each row's hash covers the row and the hash before it. The trigger
-- numbers and hashes, so that every writer, also one with psql, extends the same chain.
CREATE TABLE audit (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    what text NOT NULL,
    target text NOT NULL DEFAULT '',
    result text NOT NULL DEFAULT 'ok',
    detail jsonb NOT NULL DEFAULT '{}',
    previous_hash text NOT NULL,
    hash text NOT NULL
);
CREATE INDEX audit_target ON audit (target, seq);

CREATE FUNCTION audit_line(audit) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT jsonb_build_array($1.seq, (extract(epoch FROM $1.at) * 1000000)::bigint, $1.who,
                            $1.what, $1.target, $1.result, $1.detail, $1.previous_hash)::text $$;

CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last audit;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit'));
    SELECT * INTO last FROM audit ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.previous_hash := coalesce(last.hash, '');
    NEW.hash := encode(sha256(convert_to(audit_line(NEW), 'UTF8')), 'hex');
    RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
