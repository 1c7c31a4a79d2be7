"""The clocks of one record, as pure values: start, pause, resume, stop, extend."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from catalog.lifecycle.calendar import Calendar, Limit, Unit
from catalog.lifecycle.fields import Values
from catalog.lifecycle.record import Clock

MICROSECOND = timedelta(microseconds=1)
MOMENTS = ("started_at", "running_since", "due_at", "soon_at", "warned_at", "overdue_at")


@dataclass(frozen=True, slots=True)
class Timer:
    """One round of one clock. Live = not stopped; it runs while ``running_since`` is set.

    ``spent_us`` is what was used up before ``running_since``, in the unit's own kind of time.
    """

    clock: str
    round: int
    unit: Unit
    limit_us: int
    spent_us: int
    started_at: datetime
    running_since: datetime | None
    due_at: datetime | None
    soon_at: datetime | None
    warned_at: datetime | None = None
    overdue_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Tell whether it is not stopped."""
        return self.stopped_at is None

    @property
    def in_time(self) -> bool:
        """Tell whether it was stopped by its deadline."""
        return bool(self.stopped_at and self.due_at and self.stopped_at <= self.due_at)

    def data(self) -> dict[str, object]:
        """Return it as JSON."""
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(self).items()}


def timer_from(data: Mapping[str, object]) -> Timer:
    """Return what ``Timer.data`` was made of."""
    moments = (*MOMENTS, "stopped_at")
    read = {
        k: datetime.fromisoformat(v) if k in moments and isinstance(v, str) else v
        for k, v in data.items()
    }
    return Timer(**read)  # pyright: ignore[reportArgumentType]


def limit_of(clock: Clock, fields: Values) -> Limit | None:
    """Return the limit that holds for these fields; None when the table does not know them."""
    return clock.limits.get(str(fields.get(clock.by))) if clock.by else clock.limit


def start(
    timers: Iterable[Timer], clock: Clock, fields: Values, now: datetime, calendar: Calendar
) -> tuple[Timer, ...]:
    """Begin another round of a clock; a round that is live ends."""
    before = stop(timers, [clock.name], now, calendar)
    limit = limit_of(clock, fields)
    if limit is None:
        return before
    made = Timer(
        clock=clock.name,
        round=1 + max((t.round for t in before if t.clock == clock.name), default=0),
        unit=limit.unit,
        limit_us=calendar.length(limit) // MICROSECOND,
        spent_us=0,
        started_at=now,
        running_since=now,
        due_at=None,
        soon_at=None,
    )
    return (*before, _reckon(made, clock, calendar))


def pause(
    timers: Iterable[Timer], names: Iterable[str], now: datetime, calendar: Calendar
) -> tuple[Timer, ...]:
    """Let clocks stand. One that has run out goes on: lateness cannot be paused away."""

    def one(timer: Timer) -> Timer:
        if timer.running_since is None or timer.due_at is None or timer.due_at <= now:
            return timer
        spent = _spent(timer, now, calendar)
        return replace(timer, spent_us=spent, running_since=None, due_at=None, soon_at=None)

    return _each(timers, names, one)


def resume(
    timers: Iterable[Timer],
    clocks: Iterable[Clock],
    now: datetime,
    calendar: Calendar,
) -> tuple[Timer, ...]:
    """Let paused clocks run on with what was left."""
    found = tuple(timers)
    for clock in clocks:

        def one(timer: Timer, clock: Clock = clock) -> Timer:
            if timer.running_since is not None:
                return timer
            return _reckon(replace(timer, running_since=now), clock, calendar)

        found = _each(found, [clock.name], one)
    return found


def stop(
    timers: Iterable[Timer], names: Iterable[str], now: datetime, calendar: Calendar
) -> tuple[Timer, ...]:
    """End clocks; the deadline stays, for it says whether this was in time."""

    def one(timer: Timer) -> Timer:
        spent = _spent(timer, now, calendar)
        return replace(timer, spent_us=spent, running_since=None, stopped_at=now)

    return _each(timers, names, one)


def relimit(
    timers: Iterable[Timer], clock: Clock, limit: Limit, now: datetime, calendar: Calendar
) -> tuple[Timer, ...]:
    """Give a live clock another limit; time that was spent stays spent."""
    length = calendar.length(limit) // MICROSECOND

    def one(timer: Timer) -> Timer:
        if (timer.unit, timer.limit_us) == (limit.unit, length):
            return timer
        begun = timer.running_since
        spent = timer.spent_us
        if timer.unit != limit.unit:  # counted anew in the other kind of time
            begun, spent = (timer.started_at if begun else None), 0
        changed = replace(
            timer, unit=limit.unit, limit_us=length, spent_us=spent, running_since=begun
        )
        return _reckon(changed, clock, calendar, now)

    return _each(timers, [clock.name], one)


def extend(
    timers: Iterable[Timer], clock: Clock, amount: float, now: datetime, calendar: Calendar
) -> tuple[Timer, ...]:
    """Add to a live clock's limit, in its own unit."""

    def one(timer: Timer) -> Timer:
        more = calendar.length(Limit(amount=amount, unit=timer.unit)) // MICROSECOND
        longer = replace(timer, limit_us=timer.limit_us + more)
        return _reckon(longer, clock, calendar, now)

    return _each(timers, [clock.name], one) if amount > 0 else tuple(timers)


def mark(timers: Iterable[Timer], name: str, now: datetime, *, overdue: bool) -> tuple[Timer, ...]:
    """Note that a live clock was found to be due soon, or overdue."""

    def one(timer: Timer) -> Timer:
        return replace(timer, overdue_at=now) if overdue else replace(timer, warned_at=now)

    return _each(timers, [name], one)


def _reckon(timer: Timer, clock: Clock, calendar: Calendar, now: datetime | None = None) -> Timer:
    """Return a running timer with its deadline; what lies ahead again is not overdue any more."""
    if timer.running_since is None:
        return timer

    def after(share: float) -> datetime:
        left = timedelta(microseconds=round(timer.limit_us * share) - timer.spent_us)
        assert timer.running_since is not None
        return calendar.add(timer.running_since, left, timer.unit).astimezone(UTC)

    reckoned = replace(timer, due_at=after(1), soon_at=after(clock.warn_at))
    assert reckoned.due_at is not None and reckoned.soon_at is not None
    if now is not None and reckoned.due_at > now:
        reckoned = replace(reckoned, overdue_at=None)
        if reckoned.soon_at is not None and reckoned.soon_at > now:
            reckoned = replace(reckoned, warned_at=None)
    return reckoned


def _spent(timer: Timer, now: datetime, calendar: Calendar) -> int:
    if timer.running_since is None:
        return timer.spent_us
    more = calendar.spent(timer.running_since, now, timer.unit)
    return timer.spent_us + more // MICROSECOND


def _each(
    timers: Iterable[Timer], names: Iterable[str], one: Callable[[Timer], Timer]
) -> tuple[Timer, ...]:
    wanted = set(names)
    return tuple(one(t) if t.live and t.clock in wanted else t for t in timers)
