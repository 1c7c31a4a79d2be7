"""Run rows of the danger table through an engine, second by second, and note when rules raise."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from catalog.contracts import Transition
from catalog.frames import readings_schema
from catalog.model import Stream, ThresholdRule
from catalog.site import offset_s
from catalog.ticks import Tick
from engine.partition import PartitionEngine
from tests.danger.table import US, Danger, Row, calm_values, plain, sensors_for
from verify.oracle.conditions import holds

START = int(datetime(2026, 7, 20, tzinfo=UTC).timestamp())
NOW = datetime(2026, 7, 20, tzinfo=UTC)
TICKED = 8
"""Cadences after the danger's beginning in which a tick comes each second."""

Moved = tuple[float, Transition]
"""(seconds of the log, transition)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One record: a frame received at a second, or a tick."""

    second: int
    frame: pa.RecordBatch | None = None
    tick: Tick | None = None


def run(stream: Stream, steps: Sequence[Step]) -> list[Moved]:
    """Return what the rules of a stream do with a log, and when in the log they do it."""
    engine, found = PartitionEngine(stream), list[Moved]()
    for step in steps:
        if step.frame is not None:
            received = (START + step.second) * US
            out = engine.process(step.frame, NOW, received)
        else:
            assert step.tick is not None
            out = engine.tick(step.tick, NOW)
        found += [(step.second, t) for t in out.transitions]
    return found


def log_of(stream: Stream, rows: Sequence[Row], begins_at: int) -> list[Step]:
    """Return the log of rows whose danger begins at second ``begins_at`` after START."""
    cadence, begins = stream.cadence_s, rows[0].begins
    first = begins_at - begins * cadence
    steps: list[Step] = []
    for n in range(max(len(row.values) for row in rows)):
        second = first + n * cadence
        steps.append(Step(second, _frame(stream, rows, n, second)))
        often = begins - 2 <= n < begins + TICKED
        for later in range(1, cadence + 1) if often else (cadence,):
            steps.append(Step(second + later, tick=Tick(START + second + later)))
    return steps


def begins_at(stream: Stream, rule: ThresholdRule) -> int:
    """Return the second after START at which a rule's danger may begin: when its limits hold."""
    reach = stream.reach_s(rule.metric) + 600
    midnight = (-(START + offset_s())) % 86_400 + reach
    hours = next((t.hours for t in rule.thresholds if t.hours), None)
    if hours is not None:
        return midnight + hours[0] * 3600
    whens = [t.when for t in rule.thresholds if t.when is not None]
    for hour in (0, 11):  # by night and by day
        second = midnight + hour * 3600
        if all(holds(when, (START + second) * US, lambda _: 0) for when in whens):
            return second
    raise AssertionError(f"{stream.rule_id(rule)}: its limits hold neither by night nor by day")


def waits_for_a_second(stream: Stream, rule: ThresholdRule) -> bool:
    """Tell whether a jump of what the rule looks at may be a spike, by declaration."""
    names = drivers(stream, rule.metric)
    return any(m.spike for m in stream.metrics if m.name in names)


def looks_back_s(stream: Stream, rule: ThresholdRule) -> int:
    """Return how far back the readings lie that a rule's quantity is made of, at most a day."""
    inputs = {d.name: d.of for d in stream.derived}
    wanted, longest = [rule.metric], 0
    while wanted:
        name = wanted.pop()
        wanted += inputs.get(name, ())
        rolling = next((r for r in stream.rolling if r.name == name), None)
        if rolling is not None:
            wanted.append(rolling.of)
            longest = max(longest, rolling.window_s)
    return min(longest, 24 * 3600)


def calm_cadences(stream: Stream, rule: ThresholdRule) -> int:
    """Return for how many cadences all is calm first: as long as the quantity looks back."""
    return max(10, looks_back_s(stream, rule) // stream.cadence_s)


def lasting(stream: Stream, rule: ThresholdRule) -> int:
    """Return for how many cadences a rule's danger lasts."""
    return TICKED + (looks_back_s(stream, rule) + int(rule.for_s)) // stream.cadence_s


def danger_of(stream: Stream, rule: ThresholdRule) -> Danger:
    """Return what a rule's danger looks like, found by trying the rule alone."""
    calm, names = calm_values(stream), drivers(stream, rule.metric)
    sensors = sensors_for(stream, rule)
    calm |= _own_calm(stream, rule, sensors[0])
    for worst in _extremes(stream, rule, names, sensors[0]):
        danger = Danger(rule, calm, calm | worst, sensors)
        before = calm_cadences(stream, rule)
        values = (*[calm] * before, *[danger.worst] * lasting(stream, rule))
        row = Row(rule, "try", sensors[0], values, before, (0,) * len(values))
        log = log_of(stream, [row], begins_at(stream, rule))
        tried = [t for _, t in run(plain(stream), log) if t.rule == stream.rule_id(rule)]
        if any(t.kind == "raised" for t in tried):
            return danger
    raise AssertionError(f"{stream.rule_id(rule)}: no reading that its metrics may show raises it")


def _extremes(
    stream: Stream, rule: ThresholdRule, names: Sequence[str], sensor: str
) -> Iterator[dict[str, float]]:
    metrics = {m.name: m for m in stream.metrics}
    if rule.metric in metrics:
        yield {rule.metric: _beyond(stream, rule, sensor)}
    spans = []
    for name in names:
        low, high = metrics[name].fail_span
        odd = metrics[name].suspect_span or (low, high)
        spans.append([max(low, odd[0]), min(high, odd[1]), sum(metrics[name].typical) / 2])
    for values in itertools.product(*spans):
        yield dict(zip(names, values, strict=True))


def _beyond(stream: Stream, rule: ThresholdRule, sensor: str) -> float:
    """Return a value past the worst limit of a measured metric."""
    limits = [_limit(stream, t.value, sensor) for t in rule.thresholds]
    above = rule.op.startswith(">")
    limit = max(limits) if above else min(limits)
    low, high = stream.quantity(rule.metric).fail_span  # pyright: ignore[reportAttributeAccessIssue]
    beyond = min(abs((high if above else low) - limit) / 20, 1.0 + 2 * rule.deadband)
    return limit + beyond if above else limit - beyond


def _own_calm(stream: Stream, rule: ThresholdRule, sensor: str) -> dict[str, float]:
    """Return the calm value of a metric whose limits are the sensor's own."""
    own = [t.value for t in rule.thresholds if not isinstance(t.value, float | int)]
    if not own or rule.metric not in stream.metric_names:
        return {}
    nearest = min(_limit(stream, value, sensor) for value in own)
    jump = (stream.quantity(rule.metric).spike or (0.0, 0.0))[0]  # pyright: ignore[reportAttributeAccessIssue]
    return {rule.metric: nearest - 1.0 - rule.deadband - jump}


def _limit(stream: Stream, value: object, sensor: str) -> float:
    from catalog.sensors import sensor as declared

    if isinstance(value, float | int):
        return float(value)
    known = declared(stream.name, sensor)
    assert known is not None
    return known.attributes[value.attribute] + value.offset  # pyright: ignore[reportAttributeAccessIssue]


def drivers(stream: Stream, quantity: str) -> list[str]:
    inputs = {r.name: (r.of,) for r in stream.rolling} | {d.name: d.of for d in stream.derived}
    wanted, found = [quantity], []
    while wanted:
        name = wanted.pop()
        if name in stream.metric_names and name not in found:
            found.append(name)
        wanted += inputs.get(name, ())
    return found


def _frame(stream: Stream, rows: Sequence[Row], n: int, second: int) -> pa.RecordBatch:
    sent = [row for row in rows if n < len(row.values) and row.values[n] is not None]
    columns: dict[str, list[object]] = {
        "sensor": [row.sensor for row in sent],
        "observed_at": [(START + second + row.clock_s[n]) * US for row in sent],
    }
    for name in stream.metric_names:
        columns[name] = [(row.values[n] or {}).get(name) for row in sent]
    schema = readings_schema(stream)
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
