"""Threshold rules with deadband, ``for`` and ``clear``: levels for all rows, states for the few."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

import numpy as np

from catalog.city.sensors import sensor
from catalog.contracts import Transition
from catalog.model import SensorAttribute, Threshold, ThresholdRule
from streams.engine.outputs import Outputs, moment
from streams.engine.state import NEVER, US, State

BEIJING = timezone(timedelta(hours=8))
HOUR_US = 3600 * US
DAY_US = 24 * HOUR_US
EPOCH_DAY = date(1970, 1, 1)
COMPARE = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


def evaluate(
    state: State,
    slots: np.ndarray,
    times: np.ndarray,
    columns: Mapping[str, np.ndarray],
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Judge the newest reading of distinct sensors; a NaN value leaves a rule as it is."""
    for number, rule in enumerate(state.stream.rules):
        if isinstance(rule, ThresholdRule):
            _evaluate(state, number, rule, slots, times, columns[rule.metric], produced_at, out)


def _evaluate(
    state: State,
    number: int,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    produced_at: datetime,
    out: Outputs,
) -> None:
    level, limit = _levels(state, rule, slots, times, values, 0.0)
    a = state.arrays
    busy = (level > 0) | (a["r_level"][slots, number] > 0) | (a["r_pending"][slots, number] > 0)
    rows = np.flatnonzero(busy & ~np.isnan(values))
    if not len(rows):
        return
    held, _ = _levels(state, rule, slots[rows], times[rows], values[rows], rule.deadband)
    for row, hold in zip(rows, held, strict=True):
        slot, at = int(slots[row]), int(times[row])
        change = _step(state, number, rule, slot, at, int(level[row]), int(hold))
        if change is not None:
            kind, severity, previous, raised = change
            value, passed = float(values[row]), float(limit[row])
            out.transitions.append(
                transition(
                    *(state, rule.name, slot, kind, severity, previous, raised, at, produced_at),
                    metric=rule.metric,
                    value=value,
                    threshold=None if np.isnan(passed) else passed,
                )
            )


def _levels(
    state: State,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    deadband: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (severity reached, 0 = none; the limit passed), limits eased by the deadband."""
    level = np.zeros(len(slots), np.int8)
    limit = np.full(len(slots), np.nan)
    ease = -deadband if rule.op.startswith(">") else deadband
    for threshold in sorted(rule.thresholds, key=lambda t: -t.severity):
        limits = _limits(state, threshold, slots)
        hit = COMPARE[rule.op](values, limits + ease) & _applies(threshold, times)
        level[hit] = int(threshold.severity)
        limit[hit] = limits[hit]
    return level, limit


def _limits(state: State, threshold: Threshold, slots: np.ndarray) -> np.ndarray:
    """Return each sensor's limit; NaN, which nothing passes, for a sensor without the attribute."""
    if not isinstance(threshold.value, SensorAttribute):
        return np.full(len(slots), float(threshold.value))
    own = threshold.value
    limits = np.full(len(slots), np.nan)
    for row, slot in enumerate(slots):
        known = sensor(state.stream.name, state.names[slot])
        if known and own.attribute in known.attributes:
            limits[row] = known.attributes[own.attribute] + own.offset
    return limits


def _applies(threshold: Threshold, times: np.ndarray) -> np.ndarray:
    """Tell for each time whether the threshold is in force: Beijing hours and effective dates."""
    local = times + 8 * HOUR_US
    inside = np.ones(len(times), bool)
    if threshold.hours is not None:
        start, end = threshold.hours
        hour = local % DAY_US // HOUR_US
        day_part = (hour >= start) & (hour < end)
        inside = day_part if start < end else (hour >= start) | (hour < end)
    day = local // DAY_US
    if threshold.source.effective_from:
        inside &= day >= (threshold.source.effective_from - EPOCH_DAY).days
    if threshold.source.effective_to:
        inside &= day <= (threshold.source.effective_to - EPOCH_DAY).days
    return inside


def _step(
    state: State, number: int, rule: ThresholdRule, slot: int, at: int, level: int, held: int
) -> tuple[str, int, int | None, int] | None:
    """Move one rule of one sensor on; return (kind, severity, previous, raised at) of a change."""
    a, key = state.arrays, (slot, number)
    current = int(a["r_level"][key])
    wants_more = level > 0 and (current == 0 or level < current)
    if not wants_more:
        a["r_pending"][key] = 0
    else:
        if not a["r_pending"][key]:
            a["r_since"][key] = at
        a["r_pending"][key] = level
        a["r_clear"][key] = NEVER
        if at - a["r_since"][key] < rule.for_s * US:
            return None
        a["r_pending"][key] = 0
        a["r_level"][key] = level
        if current:
            return "changed", level, current, int(a["r_raised"][key])
        a["r_raised"][key] = at
        return "raised", level, None, at
    if not current or 0 < held <= current:
        a["r_clear"][key] = NEVER
        return None
    if a["r_clear"][key] == NEVER:
        a["r_clear"][key] = at
    if at - a["r_clear"][key] < rule.clear_s * US:
        return None
    a["r_clear"][key] = NEVER
    a["r_level"][key] = held
    raised = int(a["r_raised"][key])
    return ("changed", held, current, raised) if held else ("cleared", current, None, raised)


def transition(
    state: State,
    rule: str,
    slot: int,
    kind: str,
    severity: int,
    previous: int | None,
    raised: int,
    at: int,
    produced_at: datetime,
    *,
    metric: str | None = None,
    value: float | None = None,
    threshold: float | None = None,
) -> Transition:
    """Return a transition whose ids depend on the log alone (times in epoch µs)."""
    rule_id, name = f"{state.stream.name}.{rule}", state.names[slot]
    episode = _digest(rule_id, name, raised)
    return Transition(
        id=_digest(episode, kind, severity, at),
        episode=episode,
        rule=rule_id,
        stream=state.stream.name,
        sensor=name,
        kind=kind,  # pyright: ignore[reportArgumentType]
        severity=severity,
        previous=previous,
        metric=metric,
        value=value,
        threshold=threshold,
        observed_at=moment(at),
        produced_at=produced_at,
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:24]
