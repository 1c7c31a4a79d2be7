"""Show that records are what their log says, and that the log is what the audit vouches for."""

import hashlib
from dataclasses import dataclass

from psycopg import Connection

from catalog.lifecycle.registry import records
from records.steps import Snapshot, replay
from records.store import COLUMNS, Row, log_of, snapshot, timers_of

CHUNK = 5_000
COMPARED = (
    *("state", "came_from", "version", "fields", "opened_at", "changed_at"),
    *("state_since", "closed_at", "close_reason"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit."""

    where: str
    what: str


def verify_log(conn: Connection) -> list[Fault]:
    """Recompute the hash of every line outside the database and look it up in the audit.

    Together with ``storage.audit.verify`` this covers lines that were changed, taken out or put in.
    """
    faults: list[Fault] = []
    seen = 0
    while True:
        rows = conn.execute(
            "SELECT l.seq, record_log_line(l), l.hash, a.detail ->> 'log', l.record, l.version"
            " FROM record_log l LEFT JOIN audit a ON a.seq = l.seq WHERE l.seq > %s"
            " ORDER BY l.seq LIMIT %s",
            [seen, CHUNK],
        ).fetchall()
        for seq, line, said, vouched, record, version in rows:
            seen = seq
            computed = hashlib.sha256(line.encode()).hexdigest()
            if not computed == said == vouched:
                faults.append(Fault(f"record {record} step {version}", "is not what was written"))
        if len(rows) < CHUNK:
            break
    missing = conn.execute(
        "SELECT a.seq, a.target FROM audit a WHERE a.detail ? 'log' AND NOT EXISTS"
        " (SELECT 1 FROM record_log l WHERE l.seq = a.seq) ORDER BY a.seq LIMIT 100"
    ).fetchall()
    return faults + [Fault(f"{target} (audit {seq})", "step is missing") for seq, target in missing]


def verify_states(conn: Connection, kind: str) -> list[Fault]:
    """Replay the log of every record of a kind and compare it with what is stored."""
    record = records()[kind]
    ids = conn.execute("SELECT id FROM records WHERE kind = %s ORDER BY id", [kind]).fetchall()
    faults: list[Fault] = []
    for (id,) in ids:
        with conn.transaction():
            row = conn.execute(f"SELECT {COLUMNS} FROM records WHERE id = %s".encode(), [id])
            names = [column.name for column in row.description or ()]
            stored = Row(**dict(zip(names, row.fetchone() or (), strict=True)))
            told = replay(record, [entry.step() for entry in log_of(conn, id)])
            now = snapshot(stored, timers_of(conn, id))
        faults += [Fault(f"{kind}-{id}", what) for what in _differences(stored, now, told[-1])]
    return faults


def _differences(row: Row, stored: Snapshot, replayed: Snapshot) -> list[str]:
    found = [
        f"{name}: stored {ours!r}, log {logged!r}"
        for name in COMPARED
        if (ours := getattr(stored, name)) != (logged := getattr(replayed, name))
    ]
    key = lambda t: (t.clock, t.round)  # noqa: E731
    if sorted(stored.timers, key=key) != sorted(replayed.timers, key=key):
        found.append(f"clocks: stored {stored.timers!r}, log {replayed.timers!r}")
    if (row.due_at, row.overdue) != (replayed.due_at, replayed.overdue):
        found.append("due: stored otherwise than the log says")
    return found
