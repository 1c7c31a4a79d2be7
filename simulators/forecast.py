"""Which alerts a scenario will raise and when: the city is a function of time, so it can be asked.

Readings are held against the declarations' limits, durations and instrument ranges, sensor by
sensor; what really is raised the platform alone says (tests compare the two).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from catalog.conditions import Condition
from catalog.lifecycle.day_kinds import kinds_of
from catalog.model import Metric, Rate, Severity, Stream, Text, ThresholdRule
from catalog.registry import streams
from catalog.rounding import rounded
from engine.conditions import holds
from engine.rates import increase
from simulators.core.calendar import DAY_S, hour, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import US, Fleet
from simulators.default import StreamSimulator
from simulators.rolling import rolled

HOLDS = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal, "==": np.equal}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sensor's episode of one rule: worst severity, raised and cleared in epoch seconds.

    ``cleared`` is None when it outlasts the horizon.
    """

    rule: str
    title: Text
    sensor: str
    severity: Severity
    raised: float
    cleared: float | None


def forecast(city: City, start: float, horizon: float) -> list[Alarm]:
    """Return the alarms that begin in [start, horizon] (epoch s), earliest first."""
    found = [a for s in streams().values() for a in _of_stream(city, s, start, horizon)]
    return sorted(found, key=lambda a: a.raised)


def _of_stream(city: City, stream: Stream, start: float, horizon: float) -> Iterator[Alarm]:
    rules = [r for r in stream.rules if isinstance(r, ThresholdRule)]
    # what takes days to come about does not come of one scenario
    history = min(DAY_S, max((r.window_s for r in stream.rolling), default=600))
    simulator = StreamSimulator(stream, city.seed)
    rows = simulator.fleet.due(int((start - history) * US), int(horizon * US))
    batch = simulator.batch(city, rows)
    measured = {m: batch.column(m).to_numpy(zero_copy_only=False) for m in stream.metric_names}
    for sensor in range(len(simulator.fleet)):
        mine = rows.index == sensor
        at, at_us = rows.at_s[mine], rows.at_us[mine]
        columns = {m.name: possible(m, measured[m.name][mine]) for m in stream.metrics}
        for rate in stream.rates:
            columns[rate.name] = risen(stream, rate, columns[rate.of], at)
        for rolling in stream.rolling:
            columns[rolling.name] = rolled(rolling, columns[rolling.of], at)
        for derived in stream.derived:
            columns[derived.name] = derived.by(columns, at_us)
        for rule in rules:
            alarm = _judge(stream, simulator.fleet, sensor, rule, columns[rule.metric], at, start)
            if alarm is not None:
                yield alarm


def possible(metric: Metric, values: Floats) -> Floats:
    """Return the values that rules look at, NaN for what no instrument can have measured."""
    low, high = metric.fail_span
    return np.where((values < low) | (values > high), np.nan, values)


def _judge(
    stream: Stream,
    fleet: Fleet,
    sensor: int,
    rule: ThresholdRule,
    values: Floats,
    at_s: Floats,
    start: float,
) -> Alarm | None:
    """Return the first episode that begins at ``start`` or later."""
    usable = ~np.isnan(values)
    values, at_s = values[usable], at_s[usable]
    if rule.decimals is not None:
        values = rounded(values, rule.decimals)
    level = _levels(fleet, sensor, rule, values, at_s, 0.0)
    if not level.any():
        return None
    held = _levels(fleet, sensor, rule, values, at_s, rule.deadband)
    for severity, raised, cleared in _episodes(rule, level, held, at_s):
        if raised >= start:
            name = stream.rule_id(rule)
            title = rule.title_at(severity)
            return Alarm(name, title, fleet.ids[sensor], severity, raised, cleared)
    return None


def risen(stream: Stream, rate: Rate, x: Floats, at_s: Floats) -> Floats:
    """Return a counter's rate at each reading of one sensor; NaN at the first."""
    counter = next(m for m in stream.metrics if m.name == rate.of)
    since = np.diff(at_s, prepend=np.nan)
    change = np.diff(x, prepend=np.nan)
    given = (counter.fail_span[1], counter.rate_per_min or 0.0)
    return increase(change, x, *given, since * US) / since * rate.per_s


def _episodes(
    rule: ThresholdRule, level: np.ndarray, held: np.ndarray, at_s: Floats
) -> Iterator[tuple[Severity, float, float | None]]:
    """Yield (worst severity, raised, cleared): an episode lasts while any severity is on."""
    times = at_s.tolist()
    shown = np.zeros(len(times), int)
    for severity in sorted(Severity, reverse=True):
        reaches, holds = ((x > 0) & (x <= severity) for x in (level, held))
        on = _on(reaches.tolist(), holds.tolist(), times, rule.for_s, rule.clear_s)
        shown[on] = severity
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shown > 0, [0]])))
    for first, after in edges.reshape(-1, 2):
        cleared = times[after] if after < len(times) else None
        yield Severity(int(shown[first:after].min())), times[first], cleared


def _on(
    reaches: list[bool], holds: list[bool], times: list[float], for_s: float, clear_s: float
) -> np.ndarray:
    """Tell when one severity is on: reached for ``for_s``, not yet unheld for ``clear_s``."""
    shown, on = np.zeros(len(times), bool), False
    since: float | None = None
    for n, at in enumerate(times):
        turning = not holds[n] if on else reaches[n]
        since = (at if since is None else since) if turning else None
        if since is not None and at - since >= (clear_s if on else for_s):
            on, since = not on, None
        shown[n] = on
    return shown


def _levels(
    fleet: Fleet,
    sensor: int,
    rule: ThresholdRule,
    values: Floats,
    at_s: Floats,
    deadband: float,
) -> np.ndarray:
    """Return the severity reached at each reading, 0 for none."""
    level = np.zeros(len(values), int)
    ease = -deadband if rule.op.startswith(">") else deadband
    day, reach_s = local_day(at_s), fleet.stream.reach_s(rule.metric)
    for limit in sorted(rule.thresholds, key=lambda t: -t.severity):
        value = limit.value
        if not isinstance(value, float | int):
            value = float(fleet.attributes[value.attribute][sensor]) + value.offset
        hit = HOLDS[rule.op](values, value + ease)
        if limit.hours is not None:
            hit &= _within(limit.hours, hour(at_s)) & _within(limit.hours, hour(at_s - reach_s))
        if limit.when is not None:
            hit &= _holds(limit.when, at_s) & _holds(limit.when, at_s - reach_s)
        hit &= day >= _day_number(limit.source.effective_from, -DAY_S)
        hit &= day <= _day_number(limit.source.effective_to, DAY_S * 10)
        level[hit] = int(limit.severity)
    return level


def _holds(when: Condition, at_s: Floats) -> np.ndarray:
    return holds(when, np.round(at_s * US).astype(np.int64), kinds_of)


def _within(hours: tuple[int, int], at_hour: Floats) -> np.ndarray:
    begin, end = hours
    inside = (at_hour >= begin) & (at_hour < end)
    return inside if begin < end else (at_hour >= begin) | (at_hour < end)


def _day_number(day: date | None, default: int) -> int:
    return default if day is None else (day - date(1970, 1, 1)).days
