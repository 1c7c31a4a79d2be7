"""People to whom an alert or an incident can be given: the console's users."""

from psycopg import Connection

from alerts.errors import UnknownUserError


def assignable(conn: Connection) -> list[str]:
    """Return the names of the users who may log in."""
    rows = conn.execute("SELECT name FROM console_users WHERE disabled_at IS NULL ORDER BY name")
    return [name for (name,) in rows]


def require_user(conn: Connection, name: str) -> None:
    """Raise ``UnknownUserError`` unless ``name`` is a user who may log in, or empty."""
    if name and name not in (known := assignable(conn)):
        raise UnknownUserError(f"no user {name!r}; known: {', '.join(known) or 'none'}")
