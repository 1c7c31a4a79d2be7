"""Rules of the reference: each severity of a rule is a little alarm of its own."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite

from catalog.contracts import Transition
from catalog.lifecycle.day_kinds import kind_of
from catalog.model import SensorAttribute, Stream, Threshold, ThresholdRule
from catalog.sensors import sensor as declared_sensor
from catalog.site import offset_us
from verify.oracle.conditions import Kind, holds

US = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ID_LENGTH = 24


def moment(micros: int) -> datetime:
    """Return aware UTC of epoch microseconds."""
    return EPOCH + timedelta(microseconds=micros)


def micros(when: datetime) -> int:
    """Return epoch microseconds of aware UTC."""
    return (when - EPOCH) // timedelta(microseconds=1)


def identity(*parts: object) -> str:
    """Return the id that is made of these parts alone."""
    return hashlib.sha256("|".join(str(p) for p in parts).encode()).hexdigest()[:ID_LENGTH]


@dataclass
class Alarm:
    """One rule on one sensor: the level shown (0 = none), and since when each level is so."""

    level: int = 0
    raised_at: int = 0
    changed_at: int | None = None
    """Time of the last change that was put out."""
    reason: str = ""
    """Why what is shown is in doubt; empty when it is confirmed."""
    holds_since: dict[int, int] = field(default_factory=dict)
    over_since: dict[int, int] = field(default_factory=dict)
    compared: float | None = None
    """The last value that the rule has compared."""
    doubts: str = ""
    """The tests that doubt that value."""


@dataclass(frozen=True)
class Change:
    """What a rule does: to which severity, from which one, at what time of its own if not now."""

    kind: str
    severity: int
    previous: int | None = None
    at: int | None = None


def in_force(threshold: Threshold, at: int, since: int | None = None, kind: Kind = kind_of) -> bool:
    """Tell whether a threshold applies at a time: local hours, condition and effective dates.

    A value that looks back to ``since`` is to lie within the hours with all that it is made of.
    """
    local = at + offset_us()
    for moment_us in (at, at if since is None else since):
        if threshold.hours is not None and not within(threshold.hours, moment_us):
            return False
        if threshold.when is not None and not holds(threshold.when, moment_us, kind):
            return False
    day = date(1970, 1, 1) + timedelta(days=local // (24 * 3600 * US))
    source = threshold.source
    if source.effective_from is not None and day < source.effective_from:
        return False
    return source.effective_to is None or day <= source.effective_to


def within(hours: tuple[int, int], at: int) -> bool:
    """Tell whether a time lies within local hours, which may wrap at midnight."""
    start, end = hours
    hour = (at + offset_us()) // (3600 * US) % 24
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
    if op == "==":
        return x == limit
    return {">": x > limit, ">=": x >= limit, "<": x < limit, "<=": x <= limit}[op]


def worst(
    rule: ThresholdRule,
    stream: Stream,
    sensor: str,
    at: int,
    x: float,
    deadband: float,
    kind: Kind = kind_of,
) -> tuple[int, dict[int, float]]:
    """Return the worst severity whose limit ``x`` passes (0 = none) and the limits in force."""
    ease = -deadband if rule.op in (">", ">=") else deadband
    reached, limits = 0, {}
    since = looks_back_to(stream, rule.metric, at)
    for threshold in rule.thresholds:
        limit = limit_of(threshold, stream.name, sensor)
        if limit is None or not in_force(threshold, at, since, kind):
            continue
        severity = int(threshold.severity)
        limits[severity] = limit
        if passes(rule.op, x, limit + ease) and (reached == 0 or severity < reached):
            reached = severity
    return reached, limits


def severities(rule: ThresholdRule) -> list[int]:
    """Return the severities of a rule, the worst first."""
    return sorted({int(t.severity) for t in rule.thresholds})


def count(rule: ThresholdRule, alarm: Alarm, at: int, level: int, held: int) -> None:
    """Note since when each severity holds, and since when the value is past its deadband.

    ``held`` is the level that is reached with limits eased by the deadband.
    """
    for severity in severities(rule):
        _since(alarm.holds_since, severity, at, 0 < level <= severity)
        _since(alarm.over_since, severity, at, not 0 < held <= severity)


def rise(rule: ThresholdRule, alarm: Alarm, at: int, *, by_tick: bool = False) -> Change | None:
    """Raise or worsen an alarm: a severity comes on when it, or a worse one, has held ``for_s``.

    A tick raises at the time at which ``for`` ran out.
    """
    wait = round(rule.for_s * US)
    ripe = [s for s in severities(rule) if at - alarm.holds_since.get(s, at + 1) >= wait]
    if not ripe or (alarm.level and ripe[0] >= alarm.level):
        return None
    previous, alarm.level = alarm.level, ripe[0]
    alarm.reason = alarm.doubts
    when = alarm.holds_since[alarm.level] + wait if by_tick else at
    return Change("changed" if previous else "raised", alarm.level, previous or None, when)


def fall(rule: ThresholdRule, alarm: Alarm, at: int) -> Change | None:
    """Lower or clear an alarm: what was past its deadband for ``clear_s`` goes off."""
    if not alarm.level:
        return None
    wait, previous = round(rule.clear_s * US), alarm.level
    left = [
        s
        for s in severities(rule)
        if s >= previous and not at - alarm.over_since.get(s, at + 1) >= wait
    ]
    alarm.level = left[0] if left else 0
    if alarm.level == previous:
        return None
    if not alarm.level:
        return Change("cleared", previous, None, at)
    return Change("changed", alarm.level, previous, at)


def confirm(alarm: Alarm, at: int, level: int) -> Change | None:
    """Confirm what is in doubt when a reading reaches the shown severity or a worse one."""
    if not (alarm.level and alarm.reason and 0 < level <= alarm.level):
        return None
    alarm.reason = ""
    return Change("confirmed", alarm.level, None, at)


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
    raised_at: int,
    at: int,
    previous: int | None = None,
    metric: str | None = None,
    value: float | None = None,
    threshold: float | None = None,
    confidence: str = "confirmed",
    reason: str = "",
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
        confidence=confidence,  # pyright: ignore[reportArgumentType]
        reason=reason,
        observed_at=moment(at),
        produced_at=EPOCH,
    )
