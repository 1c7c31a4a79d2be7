"""The audit log: append-only, each row's hash covers the row before it.

`record` lies in `service.audit`: rooms beside this one write into the log too.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from service.audit import record as record

CHUNK = 5_000


class Entry(BaseModel):
    """One act: who did what to which target, and how it ended."""

    seq: int
    at: datetime
    who: str
    what: str
    target: str
    result: str
    detail: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds; ``broken_at`` is the first row that does not fit."""

    rows: int
    broken_at: int | None
    head: str

    @property
    def whole(self) -> bool:
        """Tell whether every row fits the one before it."""
        return self.broken_at is None


def entries(
    conn: Connection, *, before: int | None = None, search: str = "", limit: int = 200
) -> list[Entry]:
    """Return the newest acts first; ``search`` looks into who, what and target."""
    query = (
        "SELECT seq, at, who, what, target, result, detail, hash FROM audit"
        " WHERE (%(before)s::bigint IS NULL OR seq < %(before)s)"
        " AND strpos(lower(who || ' ' || what || ' ' || target), lower(%(search)s)) > 0"
        " ORDER BY seq DESC LIMIT %(limit)s"
    )
    values = {"before": before, "search": search, "limit": limit}
    with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(query, values).fetchall()


def verify(conn: Connection, seen: int = 0, previous: str = "") -> Verdict:
    """Recompute the chain outside the database, from the row after ``seen`` with its hash.

    A row that was changed, taken out or put in breaks it. A chain that was written anew, or cut off
    at its end, is whole in itself: ``storage.anchors`` shows that.
    """
    while True:
        rows = conn.execute(
            "SELECT seq, audit_line(audit), previous_hash, hash FROM audit WHERE seq > %s"
            " ORDER BY seq LIMIT %s",
            [seen, CHUNK],
        ).fetchall()
        for seq, line, said_previous, said_hash in rows:
            computed = hashlib.sha256(line.encode()).hexdigest()
            if seq != seen + 1 or said_previous != previous or said_hash != computed:
                return Verdict(seen, seq, previous)
            previous, seen = said_hash, seq
        if len(rows) < CHUNK:
            return Verdict(seen, None, previous)
