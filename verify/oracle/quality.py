"""Quality control of the reference: one sensor, one metric, one value at a time."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog.contracts import FLAG_FAIL, FLAG_SUSPECT
from catalog.model import Metric, Stream

US = 1_000_000
STEPS = 8
"""A change within so many of its metric's usual steps is no jump and not too quick."""
STEP_FACTOR = 1.05
STEP_HURRY = 1.5
STEP_DIVISOR = 80
STILL_READINGS, STILL_LONGER, STILL_FADE = 12, 2.0, 63 / 64
SPAN_UNFIT = 12
FLOOR_RESTS, FLOOR_LONGER = 3, 8.0
REASONS = ("device", "gross", "rate", "jump", "flat", "relation")
"""Tests as an alert's reason names them, in this order; every relation is ``relation``."""
SICK = ("device", "flat", "relation")
"""Doubts that make a sensor unwell; the others say something of the world."""

Tests = dict[str, int]
"""Test to flag, of one value."""


@dataclass
class Trace:
    """What one metric of one sensor has shown: its last two values, its step, and since when it
    is still."""

    step: float
    value: float | None = None
    at: int = 0
    value_before: float | None = None
    at_before: int = 0
    still_since: int = 0
    still_times: int = 0
    """Readings in a row that brought nothing new."""
    longest_still: float = 0.0
    """How long (µs) it usually stands still at most."""
    outside: float = 0.0
    """How often it was outside its span of late."""
    resolution: float = 0.0
    """The step in which values come, where somebody has said so."""
    floor: float = -math.inf
    """A value at or below it does not stand still, where somebody has said so."""
    lowest_rest: float | None = None
    """The lowest value at which it has stood still for long, while it was nowhere lower."""
    rests: int = 0
    """How often."""
    stillness_before: tuple[int, int, float] = (0, 0, 0.0)
    """Since when, how often and how long at most it stood still before its last value."""


@dataclass
class Checked:
    """One reading with what its tests have found; ``tick`` counts the ticks before it came."""

    at: int
    tick: int
    values: dict[str, float | None]
    tests: dict[str, Tests] = field(default_factory=dict)

    def is_usable(self, metric: str) -> bool:
        """Tell whether a value is there, failed by no test and found to be no spike."""
        tests = self.tests.get(metric, {})
        there = self.values.get(metric) is not None
        return there and FLAG_FAIL not in tests.values() and "spike" not in tests

    def is_good(self, metric: str) -> bool:
        """Tell whether a value is there and has passed every test."""
        return self.values.get(metric) is not None and not self.tests.get(metric)

    def reasons(self, metrics: Iterable[str]) -> str:
        """Return the tests that doubt usable values of these metrics, by commas."""
        doubts = {
            name_of(test)
            for metric in metrics
            if self.is_usable(metric)
            for test, flag in self.tests.get(metric, {}).items()
            if flag == FLAG_SUSPECT
        }
        return ",".join(name for name in REASONS if name in doubts)

    def is_sick(self, metric: str) -> bool:
        """Tell whether a value that is there says that its sensor is unwell."""
        tests = self.tests.get(metric, {})
        return FLAG_FAIL in tests.values() or any(name_of(test) in SICK for test in tests)


def name_of(test: str) -> str:
    """Return a test's name as reasons have it."""
    return test if test in (*REASONS, "spike") else "relation"


def new_trace(stream: Stream, metric: Metric) -> Trace:
    """Return the trace of a metric that has shown nothing yet."""
    if metric.spike is not None:
        return Trace(metric.spike[0] / STEP_DIVISOR)
    if metric.rate_per_min is not None:
        return Trace(metric.rate_per_min * stream.cadence_s / 60 / STEP_DIVISOR)
    return Trace(0.0)


def gross(metric: Metric, x: float, outside: float) -> int | None:
    """Return the flag of the gross range test, None when it passes.

    ``outside`` is how often the sensor was outside its span: often, and the span does not fit it.
    """
    low, high = metric.fail_span
    if x < low or x > high or (metric.kind in ("boolean", "state") and x != int(x)):
        return FLAG_FAIL
    span = metric.suspect_span
    if span is not None and not span[0] <= x <= span[1] and outside < SPAN_UNFIT:
        return FLAG_SUSPECT
    return None


def alone_tests(metric: Metric, x: float, said: float | None, outside: float) -> Tests:
    """Return the findings on a value by itself; ``said`` is what its device says of it."""
    found: Tests = {}
    if said in (FLAG_SUSPECT, FLAG_FAIL):
        found["device"] = int(said or 0)
    if (flag := gross(metric, x, outside)) is not None:
        found["gross"] = flag
    return found


def is_failed(tests: Tests) -> bool:
    """Tell whether some test has failed the value."""
    return FLAG_FAIL in tests.values()


def compare_tests(
    metric: Metric, trace: Trace, at: int, x: float, reach: int, cadence_s: int
) -> Tests:
    """Return what a newest value's past says of it: ``rate``, ``jump``, ``flat``.

    A past that is older than ``reach`` (µs) says nothing of a jump.
    """
    found: Tests = {}
    still = False
    trace.stillness_before = (trace.still_since, trace.still_times, trace.longest_still)
    if trace.value is not None:
        change = moved(metric, trace, at, x)
        unusual = change > STEPS * trace.step and change > trace.resolution
        if metric.rate_per_min is not None and unusual:
            allowed = metric.rate_per_min * (at - trace.at) / (60 * US)
            if change > allowed:
                found["rate"] = FLAG_SUSPECT
        is_near = at - trace.at <= reach
        if metric.spike is not None and unusual and is_near and change > metric.spike[0]:
            found["jump"] = FLAG_SUSPECT
        if metric.flat is not None:
            still = change <= metric.flat.tolerance and x > trace.floor
            still = still and not (metric.flat.ignore_zero and x == 0)
    if not still:
        if trace.still_times:
            run = float(trace.at - trace.still_since)
            trace.longest_still = max(run, trace.longest_still * STILL_FADE)
            if metric.flat is not None and trace.still_times >= readings_needed(metric, cadence_s):
                count_rest(trace)
        trace.still_since, trace.still_times = at, 0
    elif metric.flat is not None:
        trace.still_times += 1
        length = at - trace.still_since
        needed = readings_needed(metric, cadence_s)
        if trace.still_times < needed or length < STILL_LONGER * trace.longest_still:
            return found
        low, rests_long = trace.lowest_rest, length < FLOOR_LONGER * trace.longest_still
        if rests_long and trace.rests >= FLOOR_RESTS and low is not None and x <= low:
            return found
        if length >= metric.flat.fail_s * US:
            found["flat"] = FLAG_FAIL
        elif length >= metric.flat.suspect_s * US:
            found["flat"] = FLAG_SUSPECT
    return found


def readings_needed(metric: Metric, cadence_s: int) -> int:
    """Return how many readings in a row must bring nothing new before a value is stuck."""
    assert metric.flat is not None
    return min(STILL_READINGS, int(metric.flat.suspect_s // cadence_s))


def count_rest(trace: Trace) -> None:
    """Count the long standstill that is over, if it was at the lowest value or a lower one."""
    assert trace.value is not None
    if trace.lowest_rest is None or trace.value < trace.lowest_rest:
        trace.lowest_rest, trace.rests = trace.value, 1
    elif trace.value == trace.lowest_rest:
        trace.rests = min(trace.rests + 1, 200)


def leave_floor(trace: Trace, x: float) -> None:
    """Forget the floor when the sensor shows less."""
    if trace.lowest_rest is not None and x < trace.lowest_rest:
        trace.lowest_rest = None


def risen(metric: Metric, before: float, x: float, passed_us: int) -> float | None:
    """Return what a counter rose by since ``before``; None when its fall has no explanation."""
    if x >= before:
        return x - before
    assert metric.rate_per_min is not None
    most = metric.rate_per_min * (passed_us / (60 * US))
    if (around := x - before + metric.fail_span[1]) <= most:
        return around
    return x if x <= most else None


def moved(metric: Metric, trace: Trace, at: int, x: float) -> float:
    """Return by how much a value is another than the last one; a counter only ever rises."""
    assert trace.value is not None
    if metric.kind != "counter":
        return abs(x - trace.value)
    rise = risen(metric, trace.value, x, at - trace.at)
    return math.inf if rise is None else rise


def rate(metric: Metric, trace: Trace | None, at: int, per_s: float) -> float | None:
    """Return how fast a counter rose to its value at ``at``; None unless that is its last value
    and one before it is known."""
    if trace is None or trace.at != at or trace.value is None or trace.value_before is None:
        return None
    passed = trace.at - trace.at_before
    if passed <= 0:
        return None
    rise = risen(metric, trace.value_before, trace.value, passed)
    return None if rise is None else rise / (passed / US) * per_s


def rates(
    stream: Stream, traces: dict[str, Trace], at: int, known: dict[str, float | None]
) -> dict[str, float | None]:
    """Return the rates of a reading's counters; none of a counter whose value is not used."""
    metrics = {metric.name: metric for metric in stream.metrics}
    return {
        r.name: None if known[r.of] is None else rate(metrics[r.of], traces.get(r.of), at, r.per_s)
        for r in stream.rates
    }


def learn_span(metric: Metric, trace: Trace, x: float) -> None:
    """Count a value that lies outside its declared span, or take a little back for one inside."""
    low, high = metric.suspect_span or (-math.inf, math.inf)
    if low <= x <= high:
        trace.outside = max(trace.outside - 1 / 32, 0.0)
    else:
        trace.outside = min(trace.outside + 1, SPAN_UNFIT * 2)


def learn_step(metric: Metric, trace: Trace, at: int, x: float) -> None:
    """Move the running median of a metric's changes by one change."""
    change = 0.0 if trace.value is None else moved(metric, trace, at, x)
    if change > STEPS * trace.step:
        trace.step *= STEP_HURRY
    elif change > trace.step:
        trace.step *= STEP_FACTOR
    elif change > 0:
        trace.step /= STEP_FACTOR


def is_remembered(tests: Tests) -> bool:
    """Tell whether the next value is compared with this one: it was usable on arrival."""
    return not is_failed(tests)


def remember(trace: Trace, at: int, x: float) -> None:
    """Make a value the last one."""
    trace.value_before, trace.at_before = trace.value, trace.at
    trace.value, trace.at = x, at


def forget(trace: Trace) -> None:
    """Make the value before the last one the last one again, as still as it was."""
    trace.value, trace.at = trace.value_before, trace.at_before
    trace.still_since, trace.still_times, trace.longest_still = trace.stillness_before


def spike(metric: Metric, trace: Trace, x: float, following: float) -> int | None:
    """Return the flag of a held value that the next shows to be alone; None when it was not.

    The trace's last value is ``x`` itself, the one before it is what it jumped from.
    """
    origin = trace.value_before
    if metric.spike is None or origin is None:
        return None
    jump, back = x - origin, x - following
    is_back = (jump > 0) == (back > 0)
    least = max(metric.spike[0], STEPS * trace.step, trace.resolution)
    if not (is_back and abs(back) > least):
        return None
    both = abs(jump) > metric.spike[1] and abs(back) > metric.spike[1]
    return FLAG_FAIL if both else FLAG_SUSPECT
