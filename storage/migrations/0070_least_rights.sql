-- What a process may do beyond its tables, when each has a role of its own (storage/roles.py).

-- Dropping a chunk takes the table's owner; retention is to own nothing.
CREATE FUNCTION drop_old_chunks(p_table text, p_before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT count(*) FROM drop_chunks(p_table::regclass, older_than => p_before) $$;
REVOKE ALL ON FUNCTION drop_old_chunks(text, timestamptz) FROM PUBLIC;

-- Who records an act needs to read neither the chain nor to take its lock.
ALTER FUNCTION audit_chain() SECURITY DEFINER SET search_path = public, pg_temp;
REVOKE ALL ON FUNCTION audit_chain() FROM PUBLIC;
ALTER FUNCTION record_log_audit() SECURITY DEFINER SET search_path = public, pg_temp;
REVOKE ALL ON FUNCTION record_log_audit() FROM PUBLIC;
