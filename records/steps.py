"""What one step makes of a record, as pure values: no database, no clock of its own.

``decide`` says what a move does, or why it is refused; ``replay`` folds a log into what the record
is. What is stored must equal what is replayed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from catalog.errors import ConflictError, InvalidError, NotFoundError
from catalog.lifecycle.calendar import Calendar
from catalog.lifecycle.fields import SLACK, RecordField, Value, Values
from catalog.lifecycle.record import BACK, Move, Record
from records import timers as clocks
from records.timers import Timer

OPEN, UNDO, OVERDUE, DUE_SOON = "open", "undo", "overdue", "due_soon"
NOTE = RecordField.model_validate(
    {"name": "note", "title": {"zh": "说明", "en": "Note"}, "longest": 2000}
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a record is after a step."""

    state: str
    came_from: str
    version: int
    fields: Values
    timers: tuple[Timer, ...]
    opened_at: datetime
    changed_at: datetime
    state_since: datetime
    closed_at: datetime | None = None
    close_reason: str | None = None

    @property
    def due_at(self) -> datetime | None:
        """The next deadline of a clock that runs and is not overdue yet; else the last missed."""
        running = [t for t in self.timers if t.running_since and t.due_at]
        ahead = [t.due_at for t in running if t.due_at and t.overdue_at is None]
        missed = [t.due_at for t in running if t.due_at and t.overdue_at]
        return min(missed, default=None) or min(ahead, default=None)

    @property
    def overdue(self) -> bool:
        """Tell whether a live clock was found to be overdue."""
        return any(t.live and t.overdue_at for t in self.timers)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the log, before it is written."""

    at: datetime
    move: str
    from_state: str
    to_state: str
    changes: Values
    timers: tuple[Timer, ...]
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with a move."""

    args: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    note: str = ""


def opening(record: Record, given: Given, now: datetime, calendar: Calendar) -> Step:
    """Return the first step of a record; ``InvalidError`` names the field that is wrong."""
    changes = _values(record, record.all_fields, given.args)
    for item in record.all_fields:
        if changes.get(item.name) is None and item.default is not None:
            changes[item.name] = item.read(item.default)
        if item.ahead and _passed(changes.get(item.name), now):
            raise InvalidError(f"{item.name} has passed: leave it out for now", item.name)
        if item.required and changes.get(item.name) is None:
            raise InvalidError(f"{item.name} is required", item.name)
    if record.located == "must" and None in (changes.get("lon"), changes.get("lat")):
        raise InvalidError("lon and lat are required", "lon")
    changes = {name: value for name, value in changes.items() if value is not None}
    timers: tuple[Timer, ...] = ()
    for name in record.opening.starts:
        if clock := record.clock(name):
            timers = clocks.start(timers, clock, changes, now, calendar)
    note = _note(given.note)
    return Step(now, OPEN, "", record.initial, changes, timers, "", note)


def decide(
    record: Record, was: Snapshot, name: str, given: Given, now: datetime, calendar: Calendar
) -> Step:
    """Return what a move does; refused with what is missing, or how things stand."""
    move = record.move(name)
    if move is None:
        raise NotFoundError(f"{record.name} has no move {name}")
    if was.state not in move.from_states:
        allowed = ", ".join(m.name for m in record.moves if was.state in m.from_states)
        raise ConflictError(
            f"{name} is not possible in state {was.state}; possible: {allowed or 'nothing'}"
        )
    takes = [f for n in (*move.needs, *move.takes) if (f := record.field(n))]
    changes = _values(record, takes, given.args)
    for needed in move.needs:
        if changes.get(needed) is None:
            raise InvalidError(f"{needed} is required for {name}", needed)
    reason = _reason(move, given.reason)
    note = _note(given.note)
    if move.note and not note:
        raise InvalidError(f"a note is required for {name}", "note")
    to = was.came_from if move.to == BACK else move.to or was.state
    fields = {**was.fields, **changes}
    timers = _timed(record, move, was.timers, fields, now, calendar)
    if record.state(to).final:
        timers = clocks.stop(timers, {t.clock for t in timers}, now, calendar)
    return Step(now, name, was.state, to, changes, timers, reason, note)


def undoing(record: Record, was: Snapshot, before: Snapshot, last: "Step", now: datetime) -> Step:
    """Return the step that takes the last one back; ``ConflictError`` when that is too late."""
    move = record.move(last.move)
    if move is None or not move.undo_s:
        raise ConflictError(f"{last.move} cannot be taken back")
    if (now - last.at).total_seconds() > move.undo_s:
        raise ConflictError(f"{last.move} can be taken back within {move.undo_s:g} s only")
    names = {*was.fields, *before.fields}
    changes = {n: before.fields.get(n) for n in names if was.fields.get(n) != before.fields.get(n)}
    return Step(now, UNDO, was.state, before.state, changes, before.timers, last.move, "")


def found_late(was: Snapshot, clock: str, now: datetime, *, overdue: bool) -> Step:
    """Return the step by which a clock is found to be due soon, or overdue."""
    timers = clocks.mark(was.timers, clock, now, overdue=overdue)
    name = OVERDUE if overdue else DUE_SOON
    return Step(now, name, was.state, was.state, {}, timers, clock, "")


def follow(was: Snapshot | None, step: Step, record: Record, came_from: str = "") -> Snapshot:
    """Return what a record is after a step. After an undo ``came_from`` is that of before."""
    if was is None:
        return Snapshot(
            *(step.to_state, "", 1, step.changes, step.timers, step.at, step.at, step.at)
        )
    fields = {n: v for n, v in {**was.fields, **step.changes}.items() if v is not None}
    moved = step.to_state != was.state
    final = record.state(step.to_state).final
    left = came_from if step.move == UNDO else was.state if moved else was.came_from
    return replace(
        was,
        state=step.to_state,
        came_from=left,
        version=was.version + 1,
        fields=fields,
        timers=step.timers,
        changed_at=step.at,
        state_since=step.at if moved else was.state_since,
        closed_at=(was.closed_at or step.at) if final else None,
        close_reason=(step.reason if moved else was.close_reason) if final else None,
    )


def replay(record: Record, steps: Iterable[Step]) -> list[Snapshot]:
    """Return what a record was after each step of its log."""
    found: list[Snapshot] = []
    for step in steps:
        before = found[-2].came_from if len(found) > 1 else ""
        found.append(follow(found[-1] if found else None, step, record, before))
    return found


def _passed(moment: Value, now: datetime) -> bool:
    return moment is not None and datetime.fromisoformat(str(moment)) < now - SLACK


def _values(
    record: Record, fields: Iterable[RecordField], args: Mapping[str, object]
) -> dict[str, Value]:
    known = {f.name: f for f in fields}
    for name in args:
        if name not in known:
            raise InvalidError(f"{str(name)[:60]!r} is no field that can be given here", "args")
    read: dict[str, Value] = {}
    for name, given in args.items():
        try:
            read[name] = known[name].read(given)
        except ValueError as error:
            raise InvalidError(f"{name} {error}", name) from None
        if read[name] is None and known[name].required and known[name].default is None:
            raise InvalidError(f"{name} is required", name)
    return read


def _reason(move: Move, given: str) -> str:
    if not move.reasons:
        if given:
            raise InvalidError(f"{move.name} takes no reason", "reason")
        return ""
    names = [choice.name for choice in move.reasons]
    if given not in names:
        raise InvalidError(f"a reason is required for {move.name}: {', '.join(names)}", "reason")
    return given


def _note(given: str) -> str:
    try:
        return str(NOTE.read(given) or "")
    except ValueError as error:
        raise InvalidError(f"note {error}", "note") from None


def _timed(
    record: Record,
    move: Move,
    timers: tuple[Timer, ...],
    fields: Values,
    now: datetime,
    calendar: Calendar,
) -> tuple[Timer, ...]:
    """Stop, pause, resume, start and extend, in this order; a limit follows its field."""
    timers = clocks.stop(timers, move.stops, now, calendar)
    timers = clocks.pause(timers, move.pauses, now, calendar)
    declared = {clock.name: clock for clock in record.clocks}
    resumed = [declared[name] for name in move.resumes if name in declared]
    timers = clocks.resume(timers, resumed, now, calendar)
    for clock in record.clocks:
        limit = clocks.limit_of(clock, fields)
        if clock.by and limit and clock.by in (*move.needs, *move.takes):
            timers = clocks.relimit(timers, clock, limit, now, calendar)
    for name in move.starts:
        if name in declared:
            timers = clocks.start(timers, declared[name], fields, now, calendar)
    for item in move.extends:
        more = fields.get(item.field)
        if item.clock in declared and isinstance(more, int | float):
            timers = clocks.extend(timers, declared[item.clock], more, now, calendar)
    return timers
