"""Threshold rules with deadband, ``for`` and ``clear``: levels for all rows, states for the few.

Values that a test has marked suspect are looked at like any other; an alert that rests on one is
unconfirmed until the next reading bears it out.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import numpy as np

from catalog.model import ThresholdRule
from catalog.rounding import rounded
from engine import doubts
from engine.alone import each_alone
from engine.cells import Sensors
from engine.changes import Change, say
from engine.layout import NEVER
from engine.levels import grain, levels, limit_of, out_of_reach
from engine.outputs import Outputs
from engine.state import US, State

SEVERITIES = np.arange(1, 5)
REMEMBERED = (
    *("r_since", "r_clear", "r_level", "r_raised", "r_last", "r_value", "r_now", "r_doubt"),
)
"""What a rule knows of each sensor."""


def evaluate(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    came: np.ndarray | int,
    columns: Mapping[str, np.ndarray],
    doubted: np.ndarray,
    produced_at: datetime,
    out: Outputs,
    skip: np.ndarray | None = None,
) -> None:
    """Look at a reading of each sensor; a NaN value leaves a rule as it is, and so does one on
    which its code fails. ``came`` is the tick count at its arrival, ``doubted`` is ``[k, M]``;
    ``skip`` ``[k, rules]`` names the rules that have looked at it before."""
    a = state.arrays
    sensors.write(a["e_at"], times)
    sensors.write(a["e_tick"], came)
    # [k, rules]: whether the rule shows anything, or is about to
    busy = sensors.read(a["r_since"])[:, :, -1] != NEVER
    busy |= sensors.read(a["r_level"]) > 0
    some = busy.any(axis=0)
    for number, rule in enumerate(state.stream.rules):
        if isinstance(rule, ThresholdRule):

            def look(part: slice, number: int = number, rule: ThresholdRule = rule) -> None:
                slots, values = sensors.slots[part], columns[rule.metric][part]
                idle = not some[number]
                if idle and out_of_reach(state, rule, values, grain(rule)):
                    return
                values = as_compared(rule, values)
                level = levels(state, rule, slots, times[part], values, 0.0)
                concerned = ((level > 0) | busy[part, number]) & ~np.isnan(values)
                if skip is not None:
                    concerned &= ~skip[part, number]
                if (rows := np.flatnonzero(concerned)).size:
                    doubt = doubts.combined(doubted[part][rows], state.made_of[number])
                    given = (slots[rows], times[part][rows], values[rows], level[rows], doubt)
                    with _all_or_nothing(state, number, slots[rows], out):
                        move(state, number, rule, *given, produced_at, out)

            each_alone(rule.name, look, sensors.slots, times, out)


def tick(state: State, produced_at: datetime, out: Outputs) -> None:
    """Let ``for`` and ``clear`` run out for sensors whose next reading is overdue."""
    a, used = state.arrays, len(state.names)
    late = state.ticks - a["e_tick"][:used] > state.stream.cadence_s
    rows = np.flatnonzero(state.timed[:used] & late)
    if not rows.size:
        return
    open_or_near = (a["r_since"][rows, :, -1] != NEVER) | (a["r_level"][rows] > 0)
    state.timed[rows] = open_or_near.any(axis=1)
    for number, rule in enumerate(state.stream.rules):
        if isinstance(rule, ThresholdRule) and len(slots := rows[open_or_near[:, number]]):

            def look(
                part: slice, number: int = number, rule: ThresholdRule = rule, s: np.ndarray = slots
            ) -> None:
                with _all_or_nothing(state, number, s[part], out):
                    _run_out(state, number, rule, s[part], produced_at, out)

            each_alone(rule.name, look, slots, a["e_at"][slots], out)


def as_compared(rule: ThresholdRule, values: np.ndarray) -> np.ndarray:
    """Return values as the rule compares them: rounded where it says so."""
    return values if rule.decimals is None else rounded(values, rule.decimals)


@contextmanager
def _all_or_nothing(state: State, number: int, slots: np.ndarray, out: Outputs) -> Iterator[None]:
    """Leave what a rule knows of these sensors, and what it emitted, as it was where it fails."""
    a, emitted = state.arrays, len(out.transitions)
    kept = [a[name][slots, number] for name in REMEMBERED]
    try:
        yield
    except Exception:
        for name, known in zip(REMEMBERED, kept, strict=True):
            a[name][slots, number] = known
        del out.transitions[emitted:]
        raise


def move(
    state: State,
    number: int,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    level: np.ndarray,
    doubt: np.ndarray,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Move the rule on for sensors that it concerns, and emit what changes."""
    a = state.arrays
    eased = levels(state, rule, slots, times, values, rule.deadband)[:, None]
    _since(
        a["r_since"], slots, number, times, (level[:, None] > 0) & (level[:, None] <= SEVERITIES)
    )
    _since(a["r_clear"], slots, number, times, (eased == 0) | (eased > SEVERITIES))
    a["r_value"][slots, number], a["r_now"][slots, number] = values, doubt
    state.timed[slots] = True
    before = a["r_level"][slots, number]
    after = _shown(state, number, slots, *_on_off(state, number, slots, times))
    _settle(state, number, rule, slots, times, before, after, produced_at, out)
    borne_out = (before == after) & (level > 0) & (level <= after)
    borne_out &= a["r_doubt"][slots, number] != 0
    for row in np.flatnonzero(borne_out):
        slot, at, severity = int(slots[row]), int(times[row]), int(after[row])
        a["r_doubt"][slot, number] = 0
        limit = limit_of(state, rule, slot, at, severity)
        change = Change("confirmed", severity, at, float(values[row]), threshold=limit)
        say(state, number, slot, change, produced_at, out)


def _run_out(
    state: State,
    number: int,
    rule: ThresholdRule,
    slots: np.ndarray,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Move a rule on by the ticks that have passed since each sensor's last reading."""
    a = state.arrays
    at = a["e_at"][slots] + (state.ticks - a["e_tick"][slots]) * US
    on, off = _on_off(state, number, slots, at)
    waiting = (a["h_at"][slots] != NEVER) & ~a["h_looked"][slots]
    off &= ~waiting[:, None]
    if waiting.any():
        on[waiting] &= _held_agrees(state, rule, slots[waiting])[:, None]
    before = a["r_level"][slots, number]
    after = _shown(state, number, slots, on, off)
    since = a["r_since"][slots, number, np.maximum(after, 1) - 1]
    rises = (after > 0) & ((before == 0) | (after < before))
    times = np.where(rises, since + int(rule.for_s * US), at)
    _settle(state, number, rule, slots, times, before, after, produced_at, out)


def _held_agrees(state: State, rule: ThresholdRule, slots: np.ndarray) -> np.ndarray:
    """Tell whether the reading that waits reaches a limit too; true where that is not its metric's
    own matter."""
    names = state.stream.metric_names
    if rule.metric not in names:
        return np.ones(len(slots), bool)
    a, m = state.arrays, names.index(rule.metric)
    values = np.where(a["h_flag"][slots, m] < 4, a["h_value"][slots, m], np.nan)
    values = as_compared(rule, values)
    return levels(state, rule, slots, a["h_at"][slots], values, 0.0) > 0


def _settle(
    state: State,
    number: int,
    rule: ThresholdRule,
    slots: np.ndarray,
    times: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Take over the severities shown now, and emit each that is another than before."""
    a = state.arrays
    a["r_level"][slots, number] = after
    for row in np.flatnonzero(before != after):
        slot, at = int(slots[row]), int(times[row])
        previous, severity = int(before[row]), int(after[row])
        kind = "changed" if previous and severity else "raised" if severity else "cleared"
        if severity and (not previous or severity < previous):
            a["r_doubt"][slot, number] = a["r_now"][slot, number]
        change = Change(
            *(kind, severity or previous, at, float(a["r_value"][slot, number])),
            doubt=int(a["r_doubt"][slot, number]),
            previous=previous if kind == "changed" else None,
            threshold=limit_of(state, rule, slot, at, severity),
        )
        say(state, number, slot, change, produced_at, out)
        if not severity:
            a["r_doubt"][slot, number] = 0


def _on_off(
    state: State, number: int, slots: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return whose ``for`` and whose ``clear`` has run out at a time, ``[k, severities]``.

    Each severity is an alarm of its own: on when it or a worse one has held for ``for_s``, off when
    the value has been past its deadband for ``clear_s``.
    """
    rule = state.compared[number]
    assert rule is not None
    holds = state.arrays["r_since"][slots, number]
    over = state.arrays["r_clear"][slots, number]
    on = (holds != NEVER) & (at[:, None] - holds >= rule.for_s * US)
    return on, (over != NEVER) & (at[:, None] - over >= rule.clear_s * US)


def _shown(
    state: State, number: int, slots: np.ndarray, on: np.ndarray, off: np.ndarray
) -> np.ndarray:
    """Return the worst severity that is on, or not off yet (0 = none)."""
    declared, current = state.declared[number], state.arrays["r_level"][slots, number]
    rising = _worst(declared & on)
    shows = (current[:, None] <= SEVERITIES) & (current[:, None] > 0)
    falling = _worst(declared & ~off & shows)
    up = (rising > 0) & ((current == 0) | (rising < current))
    return np.where(up, rising, falling)


def _since(
    times: np.ndarray, slots: np.ndarray, number: int, at: np.ndarray, so: np.ndarray
) -> None:
    """Note since when each severity ``[k, 4]`` is ``so``; NEVER where it is not."""
    known = times[slots, number]
    times[slots, number] = np.where(so, np.where(known == NEVER, at[:, None], known), NEVER)


def _worst(severities: np.ndarray) -> np.ndarray:
    """Return the worst severity that is true in each row, 0 where none is."""
    return np.where(severities.any(axis=1), severities.argmax(axis=1) + 1, 0).astype(np.int8)
