"""Threshold rules with deadband, ``for`` and ``clear``: levels for all rows, states for the few."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone

import numpy as np

from catalog.contracts import Transition
from catalog.model import SensorAttribute, Threshold, ThresholdRule
from catalog.standards.rounding import rounded
from streams.engine.alone import judged
from streams.engine.cells import Sensors
from streams.engine.layout import NEVER
from streams.engine.outputs import Outputs, moment
from streams.engine.state import US, State

BEIJING = timezone(timedelta(hours=8))
HOUR_US = 3600 * US
DAY_US = 24 * HOUR_US
EPOCH_DAY = date(1970, 1, 1)
SEVERITIES = np.arange(1, 5)
REMEMBERED = ("r_since", "r_clear", "r_level", "r_raised")
"""What a rule knows of each sensor."""
COMPARE = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


def evaluate(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    columns: Mapping[str, np.ndarray],
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Judge the newest reading of each sensor; a NaN value leaves a rule as it is, and so does one
    on which its code fails."""
    # [k, rules]: whether the rule shows anything, or is about to
    counting = sensors.read(state.arrays["r_since"])[:, :, -1] != NEVER
    busy = counting | (sensors.read(state.arrays["r_level"]) > 0)
    for number, rule in enumerate(state.stream.rules):
        if isinstance(rule, ThresholdRule):

            def judge(part: slice, number: int = number, rule: ThresholdRule = rule) -> None:
                slots, values = sensors.slots[part], columns[rule.metric][part]
                idle = not busy[part, number].any()
                if idle and _out_of_reach(state, rule, values, _grain(rule)):
                    return
                if rule.decimals is not None:
                    values = rounded(values, rule.decimals)
                level = _levels(state, rule, slots, times[part], values, 0.0)
                concerned = ((level > 0) | busy[part, number]) & ~np.isnan(values)
                if (rows := np.flatnonzero(concerned)).size:
                    given = (slots[rows], times[part][rows], values[rows], level[rows])
                    with _all_or_nothing(state, number, slots[rows], out):
                        _move(state, number, rule, *given, produced_at, out)

            judged(rule.name, judge, sensors.slots, times, out)


@contextmanager
def _all_or_nothing(state: State, number: int, slots: np.ndarray, out: Outputs) -> Iterator[None]:
    """Leave what a rule knows of these sensors, and what it told, as it was where it fails."""
    a, told = state.arrays, len(out.transitions)
    kept = [a[name][slots, number] for name in REMEMBERED]
    try:
        yield
    except Exception:
        for name, known in zip(REMEMBERED, kept, strict=True):
            a[name][slots, number] = known
        del out.transitions[told:]
        raise


def _move(
    state: State,
    number: int,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    level: np.ndarray,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Move the rule on for sensors that it concerns, and tell what changes."""
    a = state.arrays
    held = _levels(state, rule, slots, times, values, rule.deadband)
    before = a["r_level"][slots, number]
    after = _advance(state, number, rule, slots, times, level, held)
    for row in np.flatnonzero(before != after):
        slot, at = int(slots[row]), int(times[row])
        previous, severity = int(before[row]), int(after[row])
        kind = "changed" if previous and severity else "raised" if severity else "cleared"
        if kind == "raised":
            a["r_raised"][slot, number] = at
        given = (kind, severity or previous, previous if kind == "changed" else None)
        raised = int(a["r_raised"][slot, number])
        out.transitions.append(
            transition(
                *(state, rule.name, state.names[slot], *given, raised, at, produced_at),
                metric=rule.metric,
                value=float(values[row]),
                threshold=_limit_of(state, rule, slot, at, severity),
            )
        )


def _advance(
    state: State,
    number: int,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    level: np.ndarray,
    held: np.ndarray,
) -> np.ndarray:
    """Move the rule on for distinct sensors; return the severity each shows now (0 = none).

    Each severity is an alarm of its own: on when it or a worse one has held for ``for_s``, off when
    the value has been past its deadband for ``clear_s``. Shown is the worst that is on.
    """
    a, at = state.arrays, times[:, None]
    level, held = level[:, None], held[:, None]
    holds = _since(a["r_since"], slots, number, at, (level > 0) & (level <= SEVERITIES))
    over = _since(a["r_clear"], slots, number, at, (held == 0) | (held > SEVERITIES))
    declared = np.isin(SEVERITIES, [int(t.severity) for t in rule.thresholds])
    on = declared & (holds != NEVER) & (at - holds >= rule.for_s * US)
    off = (over != NEVER) & (at - over >= rule.clear_s * US)
    current = a["r_level"][slots, number]
    rising = _worst(on)
    falling = _worst(declared & ~off & (current[:, None] <= SEVERITIES) & (current[:, None] > 0))
    up = (rising > 0) & ((current == 0) | (rising < current))
    shown = np.where(up, rising, falling)
    a["r_level"][slots, number] = shown
    return shown


def _since(
    times: np.ndarray, slots: np.ndarray, number: int, at: np.ndarray, so: np.ndarray
) -> np.ndarray:
    """Note since when each severity ``[k, 4]`` is ``so``; NEVER where it is not."""
    known = times[slots, number]
    since = np.where(so, np.where(known == NEVER, at, known), NEVER)
    times[slots, number] = since
    return since


def _worst(severities: np.ndarray) -> np.ndarray:
    """Return the worst severity that is true in each row, 0 where none is."""
    return np.where(severities.any(axis=1), severities.argmax(axis=1) + 1, 0).astype(np.int8)


def _levels(
    state: State,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    deadband: float,
) -> np.ndarray:
    """Return the worst severity reached (0 = none), limits eased by the deadband."""
    level = np.zeros(len(slots), np.int8)
    if _out_of_reach(state, rule, values, deadband):
        return level
    reach = _reach(state, rule)
    ease = -deadband if rule.op.startswith(">") else deadband
    for threshold in sorted(rule.thresholds, key=lambda t: -t.severity):
        hit = COMPARE[rule.op](values, _limits(state, threshold, slots) + ease)
        if hit.any():
            level[hit & _applies(threshold, times, reach)] = int(threshold.severity)
    return level


def _out_of_reach(state: State, rule: ThresholdRule, values: np.ndarray, deadband: float) -> bool:
    """Tell whether even the worst value stays short of every limit; as a rule it does."""
    above = rule.op.startswith(">")
    worst = (np.fmax if above else np.fmin).reduce(values)
    eased = state.nearest[rule.name] + (-deadband if above else deadband)
    return not COMPARE[rule.op](worst, eased)


def _grain(rule: ThresholdRule) -> float:
    """Return more than rounding can add to a value before it is compared."""
    return 0.0 if rule.decimals is None else 10.0**-rule.decimals


def _limit_of(state: State, rule: ThresholdRule, slot: int, at: int, severity: int) -> float | None:
    """Return a severity's limit for a sensor at a time; None for severity 0 or none in force."""
    found, reach = None, _reach(state, rule)
    for threshold in rule.thresholds:
        if threshold.severity == severity and _applies(threshold, np.array([at]), reach).all():
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


def _applies(threshold: Threshold, times: np.ndarray, reach: int) -> np.ndarray:
    """Tell for each time whether the threshold is in force: Beijing hours and effective dates.

    With hours all that the value is made of, back to ``reach`` µs before, lies within them.
    """
    local = times + 8 * HOUR_US
    inside = np.ones(len(times), bool)
    if threshold.hours is not None:
        inside = _within(threshold.hours, local) & _within(threshold.hours, local - reach)
    day = local // DAY_US
    if threshold.source.effective_from:
        inside &= day >= (threshold.source.effective_from - EPOCH_DAY).days
    if threshold.source.effective_to:
        inside &= day <= (threshold.source.effective_to - EPOCH_DAY).days
    return inside


def _within(hours: tuple[int, int], local: np.ndarray) -> np.ndarray:
    start, end = hours
    hour = local % DAY_US // HOUR_US
    day_part = (hour >= start) & (hour < end)
    return day_part if start < end else (hour >= start) | (hour < end)


def transition(
    state: State,
    rule: str,
    subject: str,
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
    stream: str = "",
) -> Transition:
    """Return a transition whose ids depend on the log alone (times in epoch µs).

    ``stream`` stands for the state's own where the rule is the platform's.
    """
    stream = stream or state.stream.name
    rule_id = f"{stream}.{rule}"
    episode = _digest(rule_id, subject, raised)
    return Transition(
        id=_digest(episode, kind, severity, at),
        episode=episode,
        rule=rule_id,
        stream=stream,
        sensor=subject,
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
