"""Rows of records and their log: read, lock, write. Only ``records.act`` writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from catalog.lifecycle.record import Record
from records.context import Context
from records.steps import Snapshot, Step
from records.timers import Timer, timer_from
from service.source import source_address

CHANNEL = "records_changed"
"""Notified when a step is committed; the payload is the kind."""
SEPARATOR = "\x1f"


class Row(BaseModel):
    """A record as a list shows it."""

    id: int
    kind: str
    state: str
    came_from: str
    version: int
    fields: dict[str, Any]
    district: str | None
    lon: float | None
    lat: float | None
    opened_by: str
    opened_at: datetime
    changed_at: datetime
    state_since: datetime
    closed_at: datetime | None
    close_reason: str | None
    due_at: datetime | None
    overdue: bool


class Entry(BaseModel):
    """One line of a record's log."""

    seq: int
    version: int
    at: datetime
    actor: str
    role: str
    via: str
    move: str
    from_state: str
    to_state: str
    changes: dict[str, Any]
    reason: str
    note: str
    clocks: list[dict[str, Any]]
    hash: str

    def step(self) -> Step:
        """Return it as the pure step it was."""
        timers = tuple(timer_from(clock) for clock in self.clocks)
        return Step(
            *(self.at, self.move, self.from_state, self.to_state, self.changes, timers),
            *(self.reason, self.note),
        )


COLUMNS = ", ".join(Row.model_fields)
LOG_COLUMNS = ", ".join(Entry.model_fields)


def lock(conn: Connection, kind: str, record: int) -> Row | None:
    """Return a record and hold its row until the transaction ends."""
    query = f"SELECT {COLUMNS} FROM records WHERE id = %s AND kind = %s FOR UPDATE"
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(query.encode(), [record, kind]).fetchone()


def log_of(conn: Connection, record: int, last: int | None = None) -> list[Entry]:
    """Return the log of a record, oldest first; ``last`` = so many newest lines only."""
    query = (
        f"SELECT * FROM (SELECT {LOG_COLUMNS} FROM record_log WHERE record = %s"
        " ORDER BY version DESC LIMIT %s) newest ORDER BY version"
    )
    with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(query.encode(), [record, last]).fetchall()


def timers_of(conn: Connection, record: int) -> tuple[Timer, ...]:
    """Return every round of every clock of a record, as the log has them."""
    query = (
        "SELECT clock, round, unit, limit_us, spent_us, started_at, running_since, due_at,"
        " soon_at, warned_at, overdue_at, stopped_at FROM record_timers WHERE record = %s"
        " ORDER BY started_at, clock, round"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return tuple(Timer(**row) for row in cursor.execute(query, [record]))


def snapshot(row: Row, timers: tuple[Timer, ...]) -> Snapshot:
    """Return a stored record as the pure value that steps are made of."""
    return Snapshot(
        *(row.state, row.came_from, row.version, row.fields, timers, row.opened_at),
        *(row.changed_at, row.state_since, row.closed_at, row.close_reason),
    )


def dedupe_key(record: Record, now: Snapshot) -> str | None:
    """Return what at most one open record may have; None where a part of it is not given."""
    parts = [now.fields.get(name) for name in record.dedupe]
    if not parts or None in parts:
        return None
    return SEPARATOR.join(str(part) for part in parts)


def insert(context: Context, record: Record, made: Snapshot) -> int:
    """Write a new record; return its id. ``UniqueViolation`` when its like is open."""
    row = context.conn.execute(
        "INSERT INTO records (kind, opened_by, version, state, came_from, fields, dedupe_key,"
        " district, lon, lat, opened_at, changed_at, state_since, closed_at, close_reason,"
        " due_at, overdue) VALUES (%(kind)s, %(by)s, %(version)s, %(state)s, %(came_from)s,"
        " %(fields)s, %(dedupe_key)s, %(district)s, %(lon)s, %(lat)s, %(opened_at)s,"
        " %(changed_at)s, %(state_since)s, %(closed_at)s, %(close_reason)s, %(due_at)s,"
        " %(overdue)s) RETURNING id",
        _values(record, made) | {"kind": record.name, "by": context.actor},
    ).fetchone()
    assert row is not None
    return row[0]


def update(conn: Connection, record: Record, id: int, now: Snapshot) -> None:
    """Write what a record is now; its row is locked."""
    conn.execute(
        "UPDATE records SET version = %(version)s, state = %(state)s, came_from = %(came_from)s,"
        " fields = %(fields)s, dedupe_key = %(dedupe_key)s, district = %(district)s,"
        " lon = %(lon)s, lat = %(lat)s, changed_at = %(changed_at)s,"
        " state_since = %(state_since)s, closed_at = %(closed_at)s,"
        " close_reason = %(close_reason)s, due_at = %(due_at)s, overdue = %(overdue)s"
        " WHERE id = %(id)s",
        _values(record, now) | {"id": id},
    )


def append(
    context: Context, record: Record, id: int, version: int, step: Step, role: str, key: str | None
) -> int:
    """Append a step to the log and to the queue of what is to be notified; return its seq."""
    row = context.conn.execute(
        "WITH line AS (INSERT INTO record_log (record, kind, version, at, actor, role, via,"
        " address, move, from_state, to_state, changes, reason, note, clocks, key)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING seq)"
        " SELECT seq FROM line",
        [
            *(id, record.name, version, step.at, context.actor, role, context.via),
            *(source_address(), step.move, step.from_state, step.to_state),
            *(Jsonb(dict(step.changes)), step.reason, step.note),
            *(Jsonb([timer.data() for timer in step.timers]), key),
        ],
    ).fetchone()
    assert row is not None
    context.conn.execute("INSERT INTO record_events VALUES (%s)", [row[0]])
    return row[0]


def save_timers(
    conn: Connection, record: Record, id: int, before: Sequence[Timer], now: Sequence[Timer]
) -> None:
    """Write the rounds that have changed; take out those that an undo has unmade."""
    known = {(t.clock, t.round): t for t in before}
    rounds = {(t.clock, t.round) for t in now}
    gone = [key for key in known if key not in rounds]
    changed = [t for t in now if known.get((t.clock, t.round)) != t]
    with conn.cursor() as cursor:
        if gone:
            cursor.executemany(
                "DELETE FROM record_timers WHERE record = %s AND clock = %s AND round = %s",
                [(id, *key) for key in gone],
            )
        if changed:
            cursor.executemany(_SAVE_TIMER, [_timer_row(record, id, t) for t in changed])


_SAVE_TIMER = (
    "INSERT INTO record_timers (record, kind, clock, round, unit, limit_us, spent_us, started_at,"
    " running_since, due_at, soon_at, warned_at, overdue_at, stopped_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (record, clock, round) DO UPDATE SET unit = excluded.unit,"
    " limit_us = excluded.limit_us, spent_us = excluded.spent_us,"
    " running_since = excluded.running_since, due_at = excluded.due_at,"
    " soon_at = excluded.soon_at, warned_at = excluded.warned_at,"
    " overdue_at = excluded.overdue_at, stopped_at = excluded.stopped_at"
)


def _timer_row(record: Record, id: int, t: Timer) -> tuple[object, ...]:
    return (
        *(id, record.name, t.clock, t.round, t.unit, t.limit_us, t.spent_us, t.started_at),
        *(t.running_since, t.due_at, t.soon_at, t.warned_at, t.overdue_at, t.stopped_at),
    )


def _values(record: Record, now: Snapshot) -> dict[str, Any]:
    fields = now.fields
    return {
        "version": now.version,
        "state": now.state,
        "came_from": now.came_from,
        "fields": Jsonb(dict(fields)),
        "dedupe_key": dedupe_key(record, now),
        "district": fields.get("district"),
        "lon": fields.get("lon"),
        "lat": fields.get("lat"),
        "opened_at": now.opened_at,
        "changed_at": now.changed_at,
        "state_since": now.state_since,
        "closed_at": now.closed_at,
        "close_reason": now.close_reason,
        "due_at": now.due_at,
        "overdue": now.overdue,
    }


def link(context: Context, id: int, relation: str, target: str) -> None:
    """Say what a record has to do with; the same again changes nothing."""
    context.conn.execute(
        "INSERT INTO record_links (record, relation, target, by) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [id, relation, target, context.actor],
    )
