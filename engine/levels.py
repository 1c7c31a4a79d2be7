"""Which severity a value reaches: limits by sensor, hour and date, eased by a deadband."""

from datetime import date

import numpy as np

from catalog.model import SensorAttribute, Threshold, ThresholdRule
from catalog.site import offset_us
from engine import conditions
from engine.conditions import DAY_US
from engine.state import State

EPOCH_DAY = date(1970, 1, 1)
COMPARE = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
}


def levels(
    state: State,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    deadband: float,
) -> np.ndarray:
    """Return the worst severity reached (0 = none), limits eased by the deadband."""
    level = np.zeros(len(slots), np.int8)
    if out_of_reach(state, rule, values, deadband):
        return level
    reach = _reach(state, rule)
    ease = -deadband if rule.op.startswith(">") else deadband
    for threshold in sorted(rule.thresholds, key=lambda t: -t.severity):
        hit = COMPARE[rule.op](values, _limits(state, threshold, slots) + ease)
        if hit.any():
            level[hit & _applies(state, threshold, times, reach)] = int(threshold.severity)
    return level


def out_of_reach(state: State, rule: ThresholdRule, values: np.ndarray, deadband: float) -> bool:
    """Tell whether even the worst value stays short of every limit; as a rule it does."""
    if rule.op == "==":
        return not any((values == limit.value).any() for limit in rule.thresholds)
    above = rule.op.startswith(">")
    worst = (np.fmax if above else np.fmin).reduce(values)
    eased = state.nearest[rule.name] + (-deadband if above else deadband)
    return not COMPARE[rule.op](worst, eased)


def grain(rule: ThresholdRule) -> float:
    """Return more than rounding can add to a value before it is compared."""
    return 0.0 if rule.decimals is None else 10.0**-rule.decimals


def limit_of(state: State, rule: ThresholdRule, slot: int, at: int, severity: int) -> float | None:
    """Return a severity's limit for a sensor at a time; None for severity 0 or none in force."""
    found, reach = None, _reach(state, rule)
    for threshold in rule.thresholds:
        if (
            threshold.severity == severity
            and _applies(state, threshold, np.array([at]), reach).all()
        ):
            limit = float(np.broadcast_to(_limits(state, threshold, np.array([slot])), 1)[0])
            found = found if np.isnan(limit) else limit
    return found


def _limits(state: State, threshold: Threshold, slots: np.ndarray) -> np.ndarray | float:
    """Return each sensor's limit; NaN, which nothing passes, for a sensor without the attribute."""
    own = threshold.value
    if not isinstance(own, SensorAttribute):
        return float(own)
    known = state.attributes.get(own.attribute)
    return np.nan if known is None else known[slots] + own.offset


def _reach(state: State, rule: ThresholdRule) -> int:
    """Return how far back from its last bucket's start the rule's quantity reaches, µs."""
    return state.reaches.get(rule.metric, 0)


def _applies(state: State, threshold: Threshold, times: np.ndarray, reach: int) -> np.ndarray:
    """Tell for each time whether the threshold is in force: hours, condition, effective dates.

    With the former two all that the value is made of, back to ``reach`` µs before, is within them.
    """
    local = times + offset_us()
    inside = np.ones(len(times), bool)
    if threshold.hours is not None:
        inside = conditions.within(threshold.hours, local)
        inside &= conditions.within(threshold.hours, local - reach)
    if threshold.when is not None:
        inside &= conditions.holds(threshold.when, times, state.day_kind)
        if reach:
            inside &= conditions.holds(threshold.when, times - reach, state.day_kind)
    day = local // DAY_US
    if threshold.source.effective_from:
        inside &= day >= (threshold.source.effective_from - EPOCH_DAY).days
    if threshold.source.effective_to:
        inside &= day <= (threshold.source.effective_to - EPOCH_DAY).days
    return inside
