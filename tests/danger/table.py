"""The table of dangers: for each threshold rule, how its danger may come about.

Generated from the catalog. A row is a sensor that is calm for a while and then shows the danger in
one of these ways; the rule must raise within one cadence + 1 s of the time at which it would if
there were no quality control and no patience at all. A lone spike must raise nothing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.model import Stream, ThresholdRule
from catalog.sensors import sensors_of

US = 1_000_000
Values = Mapping[str, float]
WAYS = (
    "fast",
    "steep",
    "slow",
    "noisy",
    "spike",
    "stuck",
    "clock ahead",
    "clock behind",
    "clock set back",
    "then silence",
)
"""How a danger comes; ``fast`` is from one reading to the next, ``steep`` in three of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One sensor's story: values at each cadence since its start, None where it sends nothing."""

    rule: ThresholdRule
    way: str
    sensor: str
    values: tuple[Values | None, ...]
    begins: int
    """Cadence at which the danger begins."""
    clock_s: tuple[int, ...]
    """How far the sensor's clock is ahead at each cadence (negative: behind)."""


@dataclass(frozen=True, slots=True)
class Danger:
    """What a rule's danger looks like: the calm reading, the dangerous one, who can show it."""

    rule: ThresholdRule
    calm: Values
    worst: Values
    sensors: tuple[str, ...]


def rows(stream: Stream, danger: Danger, *, calm: int, lasts: int) -> Iterator[Row]:
    """Yield a row for each way; ``calm`` readings before, the danger lasts for ``lasts``."""
    for number, way in enumerate(WAYS):
        sensor = danger.sensors[number % len(danger.sensors)]
        values, clock = _story(stream, danger, way, calm, lasts)
        yield Row(danger.rule, way, sensor, values, calm, clock)


def _story(
    stream: Stream, danger: Danger, way: str, calm: int, lasts: int
) -> tuple[tuple[Values | None, ...], tuple[int, ...]]:
    before = [_between(stream, danger, 0.0, n) for n in range(calm)]
    rise = {"steep": 3, "slow": min(40, lasts // 2), "noisy": 8}.get(way, 1)
    shares = [min(1.0, (n + 1) / rise) for n in range(lasts)]
    during: list[Values | None] = [_between(stream, danger, s, n) for n, s in enumerate(shares)]
    if way == "noisy":
        during = [
            _between(stream, danger, s * (0.97 + 0.03 * (n % 2)), n) for n, s in enumerate(shares)
        ]
    if way == "stuck":
        during = [danger.worst] * lasts
    if way == "spike":
        during = [danger.worst, *(_between(stream, danger, 0.0, n) for n in range(lasts - 1))]
    if way == "then silence":
        during = [danger.worst, *[None] * (lasts - 1)]
    ahead = {"clock ahead": 120, "clock behind": -120}.get(way, 0)
    clock = [ahead] * (calm + lasts)
    if way == "clock set back":
        clock[calm:] = [-min(120, stream.lateness_s // 2)] * lasts
    return (*before, *during), tuple(clock)


def _between(stream: Stream, danger: Danger, share: float, n: int) -> Values:
    """Return a reading on the way from calm to worst, never twice the same: a live sensor."""
    found = {}
    for metric in stream.metrics:
        low, high = danger.calm[metric.name], danger.worst[metric.name]
        wobble = (n % 3 - 1) * 1e-3 * max(abs(high - low), 1e-6)
        if share >= 1:
            wobble = -abs(wobble) * math.copysign(1, high - low)
        x = low + (high - low) * share + wobble
        found[metric.name] = min(max(x, metric.fail_span[0]), metric.fail_span[1])
    return found


def plain(stream: Stream) -> Stream:
    """Return the stream without quality control: what the rules alone would do."""
    nothing = {"suspect_span": None, "spike": None, "rate_per_min": None, "flat": None}
    metrics = tuple(m.model_copy(update=nothing) for m in stream.metrics)
    return stream.model_copy(update={"metrics": metrics, "relations": ()})


def calm_values(stream: Stream) -> dict[str, float]:
    """Return a reading in which everything is typical."""
    return {m.name: sum(m.typical) / 2 for m in stream.metrics}


def sensors_for(stream: Stream, rule: ThresholdRule) -> tuple[str, ...]:
    """Return ids for the rows of a rule: of placed sensors where limits are their own."""
    own = [t.value.attribute for t in rule.thresholds if not isinstance(t.value, float | int)]
    if not own:
        return tuple(f"{rule.name}-{way.replace(' ', '-')}" for way in WAYS)
    known = [s for s in sensors_of(stream.name) if all(a in s.attributes for a in own)]
    alike = [s for s in known if all(s.attributes[a] == known[0].attributes[a] for a in own)]
    return tuple(s.id for s in alike)
