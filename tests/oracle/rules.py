"""Rules of the reference: each severity of a rule is a little alarm of its own."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite

from catalog.city.sensors import sensor as declared_sensor
from catalog.contracts import Transition
from catalog.model import SensorAttribute, Stream, Threshold, ThresholdRule

US = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEIJING_US = 8 * 3600 * US
ID_LENGTH = 24


def moment(micros: int) -> datetime:
    """Return aware UTC of epoch microseconds."""
    return EPOCH + timedelta(microseconds=micros)


def identity(*parts: object) -> str:
    """Return the id that is made of these parts alone."""
    return hashlib.sha256("|".join(str(p) for p in parts).encode()).hexdigest()[:ID_LENGTH]


@dataclass
class Alarm:
    """One rule on one sensor: the level shown (0 = none), and since when each level is so."""

    level: int = 0
    raised_at: int = 0
    holds_since: dict[int, int] = field(default_factory=dict)
    over_since: dict[int, int] = field(default_factory=dict)


Change = tuple[str, int, int | None]
"""(kind, severity, previous)."""


def in_force(threshold: Threshold, at: int, since: int | None = None) -> bool:
    """Tell whether a threshold applies at a time: local hours and effective dates, Beijing.

    A value that looks back to ``since`` is to lie within the hours with all that it is made of.
    """
    local = at + BEIJING_US
    for moment_us in (at, at if since is None else since):
        if threshold.hours is not None and not within(threshold.hours, moment_us):
            return False
    day = date(1970, 1, 1) + timedelta(days=local // (24 * 3600 * US))
    source = threshold.source
    if source.effective_from is not None and day < source.effective_from:
        return False
    return source.effective_to is None or day <= source.effective_to


def within(hours: tuple[int, int], at: int) -> bool:
    """Tell whether a time lies within local hours, which may wrap at midnight."""
    start, end = hours
    hour = (at + BEIJING_US) // (3600 * US) % 24
    return start <= hour < end if start < end else hour >= start or hour < end


def as_compared(rule: ThresholdRule, x: float) -> float:
    """Return a value as its rule compares it: GB/T 8170, a half goes to the even digit."""
    if rule.decimals is None or not isfinite(x):
        return x
    written = Decimal(repr(x)).quantize(Decimal(1).scaleb(-rule.decimals - 6), ROUND_HALF_EVEN)
    return float(written.quantize(Decimal(1).scaleb(-rule.decimals), ROUND_HALF_EVEN))


def looks_back_to(stream: Stream, metric: str, at: int) -> int:
    """Return the time of the oldest reading that a quantity at ``at`` may be made of, or sooner."""
    for rolling in stream.rolling:
        if rolling.name == metric:
            return at - (rolling.window_s - rolling.bucket_s) * US
    return at


def limit_of(threshold: Threshold, stream: str, sensor: str) -> float | None:
    """Return the limit for this sensor; None when the sensor does not carry the attribute."""
    own = threshold.value
    if not isinstance(own, SensorAttribute):
        return float(own)
    known = declared_sensor(stream, sensor)
    if known is None or own.attribute not in known.attributes:
        return None
    return known.attributes[own.attribute] + own.offset


def passes(op: str, x: float, limit: float) -> bool:
    """Tell whether ``x op limit``."""
    return {">": x > limit, ">=": x >= limit, "<": x < limit, "<=": x <= limit}[op]


def worst(
    rule: ThresholdRule, stream: Stream, sensor: str, at: int, x: float, deadband: float
) -> tuple[int, dict[int, float]]:
    """Return the worst severity whose limit ``x`` passes (0 = none) and the limits in force."""
    ease = -deadband if rule.op in (">", ">=") else deadband
    reached, limits = 0, {}
    since = looks_back_to(stream, rule.metric, at)
    for threshold in rule.thresholds:
        limit = limit_of(threshold, stream.name, sensor)
        if limit is None or not in_force(threshold, at, since):
            continue
        severity = int(threshold.severity)
        limits[severity] = limit
        if passes(rule.op, x, limit + ease) and (reached == 0 or severity < reached):
            reached = severity
    return reached, limits


def step(rule: ThresholdRule, alarm: Alarm, at: int, level: int, held: int) -> Change | None:
    """Move an alarm on with one reading; ``held`` is the level with limits eased by the deadband.

    A severity comes on when it, or a worse one, has held for ``for_s``; it goes off when the value
    has been past its deadband for ``clear_s``. The rule shows the worst severity that is on.
    """
    severities = sorted({int(t.severity) for t in rule.thresholds})
    for severity in severities:
        _since(alarm.holds_since, severity, at, 0 < level <= severity)
        _since(alarm.over_since, severity, at, not 0 < held <= severity)
    previous = alarm.level
    on = [
        s
        for s in severities
        if s in alarm.holds_since and at - alarm.holds_since[s] >= rule.for_s * US
    ]
    if on and (previous == 0 or on[0] < previous):
        alarm.level = on[0]
        if previous:
            return "changed", alarm.level, previous
        alarm.raised_at = at
        return "raised", alarm.level, None
    if not previous:
        return None
    left = [
        s
        for s in severities
        if s >= previous
        and not (s in alarm.over_since and at - alarm.over_since[s] >= rule.clear_s * US)
    ]
    alarm.level = left[0] if left else 0
    if alarm.level == previous:
        return None
    return ("changed", alarm.level, previous) if alarm.level else ("cleared", previous, None)


def _since(times: dict[int, int], key: int, at: int, so: bool) -> None:
    if not so:
        times.pop(key, None)
    else:
        times.setdefault(key, at)


def transition(
    *,
    stream: str,
    rule: str,
    sensor: str,
    kind: str,
    severity: int,
    previous: int | None,
    raised_at: int,
    at: int,
    metric: str | None = None,
    value: float | None = None,
    threshold: float | None = None,
) -> Transition:
    """Return a transition as the contract has it; its ids depend on the log alone."""
    rule_id = f"{stream}.{rule}"
    episode = identity(rule_id, sensor, raised_at)
    return Transition(
        id=identity(episode, kind, severity, at),
        episode=episode,
        rule=rule_id,
        stream=stream,
        sensor=sensor,
        kind=kind,  # pyright: ignore[reportArgumentType]
        severity=severity,
        previous=previous,
        metric=metric,
        value=value,
        threshold=threshold,
        observed_at=moment(at),
        produced_at=EPOCH,
    )
