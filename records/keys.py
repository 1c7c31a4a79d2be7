"""Idempotency: a machine names its step, and the same name again does nothing twice."""

from dataclasses import dataclass
from datetime import datetime

from catalog.errors import ConflictError, InvalidError
from records.context import Context

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken; ``repeated`` = it had been taken before under the same key."""

    kind: str
    id: int
    version: int
    state: str
    move: str
    at: datetime
    repeated: bool = False


def repeated(
    context: Context, key: str | None, kind: str, id: int | None, move: str
) -> Done | None:
    """Return what was done under this key before; hold the key until the transaction ends."""
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidError(f"a key has 1 to {LONGEST_KEY} printable characters", "key")
    context.conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 60))", [f"{context.actor}\n{key}"]
    )
    row = context.conn.execute(
        "SELECT kind, record, version, to_state, move, at FROM record_log"
        " WHERE actor = %s AND key = %s",
        [context.actor, key],
    ).fetchone()
    if row is None:
        return None
    done = Done(*row, repeated=True)
    if (done.kind, done.move) != (kind, move) or id not in (None, done.id):
        raise ConflictError(f"this key was used for {done.move} of {done.kind}-{done.id}")
    return done
