"""Names that a field may hold: of those who are registered now."""

from psycopg import Connection

from catalog.errors import ConflictError, InvalidError
from catalog.lifecycle.fields import Among, RecordField, Values
from catalog.lifecycle.record import Record

_KNOWN: dict[Among, str] = {
    "exercise": "SELECT name FROM receivers WHERE enabled AND channel = 'exercise' ORDER BY id",
    "users": "SELECT name FROM console_users WHERE disabled_at IS NULL ORDER BY name",
}
_WHAT: dict[Among, str] = {
    "exercise": "receivers of the exercise channel",
    "users": "users of the console",
}


def names_among(conn: Connection, among: Among) -> list[str]:
    """Return the names that may be given."""
    return [name for (name,) in conn.execute(_KNOWN[among].encode()).fetchall()]


def known_names(
    conn: Connection, record: Record, changes: Values, *, at_opening: bool = False
) -> None:
    """Refuse names of nobody; at the opening also when there is nobody at all to name."""
    for field in record.fields:
        if field.among and (at_opening or changes.get(field.name)):
            _check(conn, field, field.among, changes.get(field.name), at_opening)


def _check(
    conn: Connection, field: RecordField, among: Among, given: object, at_opening: bool
) -> None:
    known, what = names_among(conn, among), _WHAT[among]
    if not known and at_opening:
        raise ConflictError(f"there are no {what}: register one first")
    names = given if isinstance(given, list) else [given] if given else []
    if wrong := [str(name) for name in names if name not in known]:  # pyright: ignore
        raise InvalidError(f"{field.name}: not {what}: {', '.join(wrong)}", field.name)
