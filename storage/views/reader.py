"""The role that Grafana reads as: schema ``dash`` and nothing else."""

from itertools import product

import psycopg
from psycopg import Connection, sql

ROLE = "grafana_ro"
ATTEMPTS = 5
CONNECTIONS = 20
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "2s",
    "search_path": "dash, pg_temp",
}
HARD_LIMITS = {"temp_file_limit": "256MB", "log_min_duration_statement": "5s"}
"""What the role cannot change for itself; only a superuser may set it for the role."""
OVERLONG_S = 10.0
"""Twice what a statement may take: who is still at work then has raised the limit by himself."""
WRITERS = (
    *("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)", "lo_import(text)"),
    *("lo_import(text, oid)", "lo_export(oid, text)", "lo_put(oid, bigint, bytea)"),
    *("lowrite(integer, bytea)", "lo_unlink(oid)"),
    *("pg_logical_emit_message(boolean, text, text, boolean)",),
    *("pg_logical_emit_message(boolean, text, bytea, boolean)",),
)
"""Functions that PostgreSQL lets everybody call and that fill the disk."""
LOCKERS = tuple(
    f"{name}({arguments})"
    for arguments in ("bigint", "integer, integer")
    for name in (
        *("pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_xact_lock"),
        *("pg_advisory_xact_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"),
        *("pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared"),
    )
)
"""Advisory locks belong to nobody: who may call these can stop the scheduler and the migration."""
OVERLONG = """
SELECT a.pid FROM pg_stat_activity a
WHERE a.usename = %(role)s AND a.datname = current_database() AND (
    (a.state = 'active' AND a.query_start < clock_timestamp() - make_interval(secs => %(after)s))
    OR a.xact_start < clock_timestamp() - make_interval(secs => %(after)s)
    OR a.state = 'idle in transaction (aborted)'
    OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'))"""
"""A transaction counts from its beginning: others that use the same pooled session renew its
``state_change``. A broken one fails everybody's queries and a reader needs no advisory lock, so
these are ended at once."""


def ensure_reader(conn: Connection, password: str | None = None) -> bool:
    """Create role ``grafana_ro``, or bring its limits up to date; False when we may not.

    With a password it may log in. ``conn`` is in autocommit, of a role with CREATEROLE.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            with conn.transaction():
                _create_and_limit(conn, password)
        except psycopg.errors.InsufficientPrivilege:
            return False
        except (
            psycopg.errors.DuplicateObject,
            psycopg.errors.UniqueViolation,
            psycopg.errors.InternalError_,  # "tuple concurrently updated"
        ):
            if not left:  # roles are shared: another database was migrated at this very moment
                raise
        else:
            break
    return True


def grant(conn: Connection) -> None:
    """Let the role read schema ``dash``, and nobody else call its functions."""
    conn.execute(
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dash FROM PUBLIC;"
        "REVOKE ALL ON SCHEMA dash FROM PUBLIC"
    )
    row = conn.execute("SELECT current_database()").fetchone()
    if row:  # temporary tables fill the disk too; the owner keeps them
        database = sql.Identifier(row[0])
        conn.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
        conn.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO CURRENT_USER").format(database))
    if not _exists(conn):
        return
    role = sql.Identifier(ROLE)
    for statement in (
        "GRANT USAGE ON SCHEMA dash TO {}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA dash TO {}",
        "REVOKE ALL ON dash.applied FROM {}",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dash TO {}",
    ):
        conn.execute(sql.SQL(statement).format(role))  # pyright: ignore[reportArgumentType]


def end_overlong(conn: Connection, after_s: float = OVERLONG_S) -> int:
    """End sessions of the role that work, wait or hold a lock for too long; return how many.

    PostgreSQL lets every role raise its own ``statement_timeout``; this one limit it cannot.
    ``conn`` is of the database's owner, in autocommit.
    """
    if not _exists(conn):
        return 0
    found = conn.execute(OVERLONG.encode(), {"role": ROLE, "after": after_s}).fetchall()
    return sum(
        bool((conn.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone() or (False,))[0])
        for (pid,) in found
    )


def _exists(conn: Connection) -> bool:
    found = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
    return found is not None


def _create_and_limit(conn: Connection, password: str | None) -> None:
    role = sql.Identifier(ROLE)
    if not _exists(conn):
        conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    _limit(conn, LIMITS)
    if _is_superuser(conn):
        _limit(conn, HARD_LIMITS)
        for function in WRITERS:
            conn.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC".encode())
        _keep_locks_to_the_owner(conn)
    _let_the_owner_end_it(conn)
    if password is not None:
        secret = sql.Literal(password)
        conn.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, secret))


def _keep_locks_to_the_owner(conn: Connection) -> None:
    """Let the database's owner take advisory locks, and no role that has not been granted it."""
    owners = conn.execute(
        "SELECT r.rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba"
        " WHERE d.datname = current_database()"
    ).fetchall()
    for (owner_name,), function in product(owners, LOCKERS):
        owner = sql.Identifier(owner_name)
        named = sql.SQL("FUNCTION pg_catalog." + function)  # pyright: ignore[reportArgumentType]
        conn.execute(sql.SQL("GRANT EXECUTE ON {} TO {}").format(named, owner))
        conn.execute(sql.SQL("REVOKE EXECUTE ON {} FROM PUBLIC").format(named))


def _is_superuser(conn: Connection) -> bool:
    found = conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return found == (True,)


def _let_the_owner_end_it(conn: Connection) -> None:
    """Make the database's owner a member of the role: only members see and end its sessions."""
    row = conn.execute(
        "SELECT r.rolname, r.rolsuper OR pg_has_role(r.oid, %s, 'USAGE')"
        " FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba"
        " WHERE d.datname = current_database()",
        [ROLE],
    ).fetchone()
    if row and not row[1]:
        conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(ROLE), sql.Identifier(row[0])))


def _limit(conn: Connection, limits: dict[str, str]) -> None:
    """Set connection limit and defaults where they differ (roles are shared by databases)."""
    row = conn.execute(
        "SELECT rolconnlimit, coalesce(rolconfig, '{}') FROM pg_roles WHERE rolname = %s", [ROLE]
    ).fetchone()
    limit, config = row if row else (None, [])
    present = dict(item.split("=", 1) for item in config)
    role = sql.Identifier(ROLE)
    if limit != CONNECTIONS:
        conn.execute(
            sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(role, sql.Literal(CONNECTIONS))
        )
    for name, value in limits.items():
        if present.get(name) != value:
            setting = sql.SQL(value) if name == "search_path" else sql.Literal(value)  # pyright: ignore[reportArgumentType]
            conn.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), setting)
            )
