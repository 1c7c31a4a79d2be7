"""People to whom an alert or an incident can be given: the console's users."""

from psycopg import Connection

from catalog.errors import InvalidError


def assignable(conn: Connection) -> list[str]:
    """Return the names of the users who may log in."""
    rows = conn.execute("SELECT name FROM console_users WHERE disabled_at IS NULL ORDER BY name")
    return [name for (name,) in rows]


def require_user(conn: Connection, name: str) -> None:
    """Raise ``InvalidError`` unless ``name`` is a user who may log in, or empty."""
    if name and name not in (known := assignable(conn)):
        known_names = ", ".join(known) or "none"
        raise InvalidError(f"no user {name!r}; known: {known_names}", "body.to", code="unknown")
