"""The role that Grafana reads as: schema ``dash`` and nothing else."""

import psycopg
from psycopg import Connection, sql

ROLE = "grafana_ro"
ATTEMPTS = 5
CONNECTIONS = 20
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "10s",
    "search_path": "dash, pg_temp",
}


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


def _exists(conn: Connection) -> bool:
    found = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
    return found is not None


def _create_and_limit(conn: Connection, password: str | None) -> None:
    role = sql.Identifier(ROLE)
    if not _exists(conn):
        conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    _limit(conn)
    if password is not None:
        secret = sql.Literal(password)
        conn.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, secret))


def _limit(conn: Connection) -> None:
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
    for name, value in LIMITS.items():
        if present.get(name) != value:
            setting = sql.SQL(value) if name == "search_path" else sql.Literal(value)  # pyright: ignore[reportArgumentType]
            conn.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), setting)
            )
