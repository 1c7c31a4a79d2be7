"""An alert that a person has withdrawn, and what its rule says of it afterwards.

The rule goes on from what it measures. When a next reading bears the alert out, or it becomes
worse, the person was wrong or the world has changed: it is raised again, as an episode of its own.
What the rule says then is of that one.
"""

import msgspec
from psycopg import Connection

from catalog.contracts import Transition

PERSON = "person"
"""The reason of what a person has withdrawn."""
MOST = 100
"""Nobody withdraws one and the same alert more often."""


def again(episode: str, n: int) -> str:
    """Return the id of an episode that came again for the n-th time; it stands in addresses."""
    return f"{episode}.{n}"


def raised_again(conn: Connection, t: Transition) -> Transition | None:
    """Return what a transition means that no open episode takes; None when nothing.

    It may be of an episode that a person has withdrawn, or of one that came again after that.
    """
    rows = conn.execute(
        "SELECT id, cleared_at IS NULL, status = 'withdrawn' AND reason = %s, severity"
        " FROM episodes WHERE id = ANY(%s) ORDER BY raised_recorded_at, id",
        [PERSON, [t.episode, *(again(t.episode, n) for n in range(1, MOST))]],
    ).fetchall()
    if not rows or not any(by_person for _, _, by_person, _ in rows):
        return None
    newest, is_open, by_person, severity = rows[-1]
    told = msgspec.structs.replace(t, id=f"{t.id}/{len(rows)}", episode=newest)
    if is_open:
        return told
    worse = t.kind == "changed" and t.severity < severity
    if not (by_person and (worse or t.kind == "confirmed")):
        return None
    return msgspec.structs.replace(
        told, kind="raised", episode=again(t.episode, len(rows)), previous=None
    )
