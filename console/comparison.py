"""Two days, or the districts of one day, put side by side: which is higher, by how much, when.

Days are compared over the hours that both have; a day that goes on is not held against a whole one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import fmean

from catalog.model import Stream
from catalog.rules import ThresholdRule
from catalog.site import zone
from console.history import Row, Span

DEGREES = "°"
"""Directions have no mean that could be higher or lower than another."""
SCALES = ("°C", "°", "dB(A)", "%", "1")
"""Units in which so many per cent more says nothing, or is taken for points."""
NEAR = 0.01
"""Less than this share of the day's own range counts as the same."""


@dataclass(frozen=True, slots=True)
class Course:
    """Steps of one day: (seconds since its beginning, value, lowest, highest), in order of time."""

    start: datetime
    steps: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a course comes to: mean of its steps, extremes of its readings, and when these were."""

    mean: float
    high: float
    high_at: datetime
    low: float
    low_at: datetime


@dataclass(frozen=True, slots=True)
class Ranked:
    """One district of a day: its place (1 = the worst end), figures, and those of both days' hours.

    ``common`` is (this day, the other day) over the hours that both have.
    """

    place: int
    name: str
    now: Figures
    common: tuple[Figures, Figures] | None


def day_span(day: date, now: datetime) -> Span:
    """Return a day in the city's time, up to now if it goes on."""
    start, end = (datetime.combine(d, time(), zone()) for d in (day, day + timedelta(days=1)))
    return Span(start, max(start, min(end, now)))


def course(rows: Sequence[Row], start: datetime) -> Course:
    """Return rows of ``dash.series`` as steps of the day that began at ``start``."""
    steps = []
    for row in rows:
        if row["value"] is not None:
            low, high = (
                row["value"] if row[name] is None else row[name] for name in ("low", "high")
            )
            steps.append(((row["time"] - start).total_seconds(), row["value"], low, high))
    return Course(start, tuple(steps))


def by_label(rows: Sequence[Row], start: datetime) -> dict[str, Course]:
    """Return a course for each label of rows of ``dash.series``."""
    labels = dict.fromkeys(row["label"] for row in rows)
    return {name: course([r for r in rows if r["label"] == name], start) for name in labels}


def figures(of: Course) -> Figures | None:
    """Return what a course comes to; None for one without a value."""
    if not of.steps:
        return None
    high, low = max(of.steps, key=lambda s: s[3]), min(of.steps, key=lambda s: s[2])
    return Figures(
        fmean(step[1] for step in of.steps),
        high[3],
        of.start + timedelta(seconds=high[0]),
        low[2],
        of.start + timedelta(seconds=low[0]),
    )


def same_hours(one: Course, other: Course) -> tuple[Course, Course]:
    """Cut both days to the steps of the day that both have."""
    times = {s[0] for s in one.steps} & {s[0] for s in other.steps}
    cut = [Course(c.start, tuple(s for s in c.steps if s[0] in times)) for c in (one, other)]
    return cut[0], cut[1]


def shifted(of: Course, to: datetime) -> list[tuple[datetime, float]]:
    """Return a day's values as if it had begun at ``to``, to be drawn over another day."""
    return [(to + timedelta(seconds=s), value) for s, value, _, _ in of.steps]


def low_is_bad(stream: Stream, metric: str) -> bool:
    """Tell whether the rules of a quantity warn of low values only: the ranking begins there."""
    found = [r for r in stream.rules if isinstance(r, ThresholdRule) and r.metric == metric]
    return bool(found) and all(rule.op.startswith("<") for rule in found)


def ranking(now: dict[str, Course], before: dict[str, Course], *, low_first: bool) -> list[Ranked]:
    """Return districts by their mean, the worst end first; equal means share a place."""
    found = [(name, f) for name, c in now.items() if (f := figures(c))]
    found.sort(key=lambda item: (item[1].mean if low_first else -item[1].mean, item[0]))
    ranked: list[Ranked] = []
    for n, (name, own) in enumerate(found, 1):
        tied = ranked and ranked[-1].now.mean == own.mean
        place = ranked[-1].place if tied else n
        ranked.append(Ranked(place, name, own, _common(now[name], before.get(name))))
    return ranked


def share(unit: str, now: float, before: float) -> float | None:
    """Return how much more now is than before, in per cent; None where that says nothing."""
    if unit in SCALES or before <= 0 or now < 0:
        return None
    return 100 * (now - before) / before


def trend(now: Figures, before: Figures) -> str:
    """Return ``higher``, ``lower`` or ``same``, by the means against the range of both days."""
    span = max(now.high, before.high) - min(now.low, before.low)
    if abs(now.mean - before.mean) <= NEAR * span:
        return "same"
    return "higher" if now.mean > before.mean else "lower"


def _common(now: Course, before: Course | None) -> tuple[Figures, Figures] | None:
    ours, theirs = (figures(c) for c in same_hours(now, before)) if before else (None, None)
    return (ours, theirs) if ours and theirs else None
