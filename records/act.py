"""The one write path: every step of every record goes through here, whoever takes it.

A step checks role and state, locks the row, takes the database's clock, and writes record, log
(and with it the audit), clocks and what is to be notified in one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import Connection
from psycopg.errors import UniqueViolation

from catalog.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, RefusedError
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.lifecycle.working_time import working_time
from catalog.shapes import district_at
from records import store
from records.among import known_names
from records.attachments import claim
from records.context import Context
from records.keys import Done, repeated
from records.naming import named_place, named_things
from records.near import near
from records.rights import role_for
from records.steps import (
    OPEN,
    UNDO,
    Given,
    Snapshot,
    Step,
    decide,
    follow,
    found_late,
    opening,
    replay,
    undoing,
)

IfNear = Literal["open", "refuse", "join"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one of many went: what was done, or why not."""

    id: int
    done: Done | None
    error: RefusedError | None


def record_of(kind: str) -> Record:
    """Return a declared record; ``NotFoundError`` naming the known ones."""
    known = records()
    if kind not in known:
        raise NotFoundError(f"no record {kind[:60]!r}; known: {', '.join(known) or 'none'}")
    return known[kind]


def open_record(
    context: Context,
    kind: str,
    args: Mapping[str, object],
    *,
    note: str = "",
    key: str | None = None,
    if_near: IfNear = "open",
    links: Iterable[tuple[str, str]] = (),
) -> Done:
    """Open a record. ``ConflictError`` when its like is open; ``join`` links it to that instead."""
    record = record_of(kind)
    role = context.role(record, record.opening.roles, {})
    if role is None:
        raise ForbiddenError(f"to open a {kind} you need one of: {', '.join(record.opening.roles)}")
    with context.conn.transaction():
        if done := repeated(context, key, kind, None, OPEN):
            return done
        now = context.now(context.conn)
        given = _placed(record, named_place(context.conn, record, args))
        step = opening(record, Given(given, "", note), now, working_time())
        known_names(context.conn, record, step.changes, at_opening=True)
        named_things(context.conn, record, step.changes)
        made = follow(None, step, record)
        found = _alike(context, record, made, if_near, now)
        if found is not None:
            if if_near != "join":
                raise ConflictError(f"{kind}-{found} may be about the same")
            return _join(context, record, found, links)
        return _write_new(context, record, made, step, role, key, links)


def act(
    context: Context,
    kind: str,
    id: int,
    move: str,
    args: Mapping[str, object] | None = None,
    *,
    reason: str = "",
    note: str = "",
    expected_state: str | None = None,
    expected_version: int | None = None,
    key: str | None = None,
) -> Done:
    """Take one step of one record, or refuse it and write nothing.

    ``expected_*`` is what the actor has seen: ``ConflictError`` when it has moved on since. The
    same ``key`` of the same actor again returns what was done then.
    """
    record = record_of(kind)
    with context.conn.transaction():
        if done := repeated(context, key, kind, id, move):
            return done
        row = _locked(context.conn, kind, id)
        _expect(row, expected_state, expected_version)
        was = store.snapshot(row, store.timers_of(context.conn, id))
        now = max(context.now(context.conn), row.changed_at)
        given = Given(args or {}, reason, note)
        if move == UNDO:
            step, after, role = _undo(context, record, row, was, given, now)
        else:
            role = role_for(context, record, row, move)
            step = decide(record, was, move, given, now, working_time())
            known_names(context.conn, record, step.changes)
            named_things(context.conn, record, step.changes)
            after = follow(was, step, record)
        _write(context, record, id, was, after, step, role, key)
    return Done(kind, id, after.version, after.state, move, step.at)


def act_many(
    context: Context,
    kind: str,
    ids: Sequence[int],
    move: str,
    args: Mapping[str, object] | None = None,
    *,
    reason: str = "",
    note: str = "",
    key: str | None = None,
) -> list[Outcome]:
    """Take the same step of several records, each for itself: a bad one never undoes a good one."""
    found: list[Outcome] = []
    for id in dict.fromkeys(ids):
        own = f"{key}/{id}" if key else None
        try:
            done = act(context, kind, id, move, args, reason=reason, note=note, key=own)
        except RefusedError as error:
            found.append(Outcome(id, None, error))
        else:
            found.append(Outcome(id, done, None))
    return found


def mark_late(context: Context, kind: str, id: int, clock: str, *, overdue: bool) -> bool:
    """Note in the log that a clock is due soon or overdue; False when it is not, or was noted."""
    record = record_of(kind)
    with context.conn.transaction():
        row = store.lock(context.conn, kind, id)
        if row is None:
            return False
        was = store.snapshot(row, store.timers_of(context.conn, id))
        now = max(context.now(context.conn), row.changed_at)
        late = [
            t
            for t in was.timers
            if t.clock == clock and t.running_since and t.overdue_at is None
            if (t.due_at if overdue else t.soon_at or now) <= now  # pyright: ignore
            and (overdue or t.warned_at is None)
        ]
        if not late:
            return False
        step = found_late(was, clock, now, overdue=overdue)
        _write(context, record, id, was, follow(was, step, record), step, "engine", None)
    return True


def _undo(
    context: Context, record: Record, row: store.Row, was: Snapshot, given: Given, now: datetime
) -> tuple[Step, Snapshot, str]:
    if given.args or given.reason:
        raise InvalidError("undo takes no fields and no reason", "args")
    entries = store.log_of(context.conn, row.id)
    if len(entries) < 2:
        raise ConflictError("opening cannot be taken back")
    last = entries[-1]
    if last.actor != context.actor:
        raise ForbiddenError(f"only {last.actor} may take {last.move} back")
    before = replay(record, [entry.step() for entry in entries[:-1]])[-1]
    step = undoing(record, was, before, last.step(), now)
    return step, follow(was, step, record, before.came_from), last.role


def _write(
    context: Context,
    record: Record,
    id: int,
    was: Snapshot,
    after: Snapshot,
    step: Step,
    role: str,
    key: str | None,
) -> None:
    try:
        store.update(context.conn, record, id, after)
    except UniqueViolation:
        raise ConflictError(f"another {record.name} of the same is open") from None
    store.save_timers(context.conn, record, id, was.timers, after.timers)
    claim(context, record, id, step.changes)
    store.append(context, record, id, after.version, step, role, key)
    _notify(context.conn, record.name)


def _write_new(
    context: Context,
    record: Record,
    made: Snapshot,
    step: Step,
    role: str,
    key: str | None,
    links: Iterable[tuple[str, str]],
) -> Done:
    try:
        with context.conn.transaction():
            id = store.insert(context, record, made)
    except UniqueViolation:
        raise ConflictError(f"another {record.name} of the same is open") from None
    store.save_timers(context.conn, record, id, (), made.timers)
    claim(context, record, id, step.changes)
    for relation, target in links:
        store.link(context, id, relation, target)
    store.append(context, record, id, 1, step, role, key)
    _notify(context.conn, record.name)
    return Done(record.name, id, 1, made.state, OPEN, step.at)


def _alike(
    context: Context, record: Record, made: Snapshot, if_near: IfNear, now: datetime
) -> int | None:
    """Return a record that may be the same: of the same key, or near where that is asked for."""
    key = store.dedupe_key(record, made)
    if key is not None:
        row = context.conn.execute(
            "SELECT id FROM records WHERE kind = %s AND dedupe_key = %s AND closed_at IS NULL",
            [record.name, key],
        ).fetchone()
        if row:
            return row[0]
    if if_near == "open":
        return None
    found = [other for other in near(context.conn, record, made.fields, now) if other.open]
    return found[0].id if found else None


def _join(context: Context, record: Record, id: int, links: Iterable[tuple[str, str]]) -> Done:
    row = _locked(context.conn, record.name, id)
    for _, target in links:
        store.link(context, id, "joined", target)
    return Done(record.name, id, row.version, row.state, OPEN, row.changed_at, repeated=True)


def _locked(conn: Connection, kind: str, id: int) -> store.Row:
    row = store.lock(conn, kind, id) if 0 < id < 2**63 else None
    if row is None:
        raise NotFoundError(f"no {kind}-{id}")
    return row


def _expect(row: store.Row, state: str | None, version: int | None) -> None:
    if state is not None and row.state != state:
        raise ConflictError(f"{row.kind}-{row.id} is in state {row.state}, not {state[:60]}")
    if version is not None and row.version != version:
        raise ConflictError(f"{row.kind}-{row.id} has moved on: step {row.version}, not {version}")


def _placed(record: Record, args: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields with the district of the place, where it was not given."""
    if record.located == "not" or args.get("district"):
        return args
    lon, lat = args.get("lon"), args.get("lat")
    if not isinstance(lon, int | float) or not isinstance(lat, int | float):
        return args
    found = district_at(lon, lat)
    return {**args, "district": found} if found else args


def _notify(conn: Connection, kind: str) -> None:
    conn.execute("SELECT pg_notify(%s, %s)", [store.CHANNEL, kind])
