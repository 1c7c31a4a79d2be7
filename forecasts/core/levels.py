"""Level shifts: found causally, then the history is moved to the level that holds now.

A sensor recalibrated, a feeder re-switched, a tank with a new set point: what came before says how
the series moves, and no longer where it stands. Without this every profile needs a week to follow.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.base import Floats
from forecasts.core.panel import filled
from forecasts.core.spec import WEEK_DAYS, Spec

CONFIRM_S = 3 * 3600
"""How long the new level must have held before it counts."""
LOOK_DAYS = 21
SPREADS = 2.0
"""A shift is larger than this many standard deviations of the last three weeks …"""
BEYOND = 1.3
"""… and than this many times the largest change within them."""
HOLDS = 0.7
"""Share of the jump that must still be there when it is confirmed."""
RETURN_S = 6 * 3600
RETURNED = 0.4
"""With less than this share of the jump left over six hours it was an event, not a new level."""
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Shift:
    """One series moved by ``by`` (unit of the metric) at step ``at``.

    Known from step ``seen`` on, and believed before step ``gone``.
    """

    series: int
    at: int
    seen: int
    by: float
    gone: int = NEVER


def shifts(values: Floats, spec: Spec) -> list[Shift]:
    """Return the level shifts of values ``[series, steps]``, by the step when they are known.

    What is said of a shift at a step is decided by the values up to that step alone.
    """
    whole = filled(values, spec.day)
    found = [shift for row, series in enumerate(whole) for shift in _of_series(row, series, spec)]
    return sorted(found, key=lambda shift: (shift.seen, shift.series))


def believed(found: list[Shift], origin: int) -> list[Shift]:
    """Return the shifts that are known at ``origin`` and have not proved to be mere events."""
    return [shift for shift in found if shift.seen <= origin < shift.gone]


def rebased(values: Floats, known: list[Shift]) -> Floats:
    """Return values with all that came before each known shift moved to the level after it."""
    moved = values.copy()
    for shift in known:
        moved[shift.series, : shift.at] += shift.by
    return moved


def _of_series(row: int, values: Floats, spec: Spec) -> list[Shift]:
    wait = max(3, CONFIRM_S // spec.step_s)
    look = LOOK_DAYS * spec.day
    change = np.zeros(len(values))
    change[2:] = np.nan_to_num(np.abs(values[2:] - values[:-2]))
    calm = change.copy()
    found: list[Shift] = []
    for step in _candidates(change, spec):
        first = max(0, step - look)
        before = values[first : step - 1]
        if step <= spec.warm or step + wait > len(values) or not np.isfinite(before).all():
            continue
        limit = max(BEYOND * calm[first : step - 1].max(), SPREADS * float(before.std()))
        if change[step] <= limit or (found and step < found[-1].seen):
            continue
        by = _jump(values, step, wait, spec)
        if abs(by) > limit and abs(by) >= HOLDS * change[step]:
            calm[step - 1 : step + 2] = 0.0
            found += _told(Shift(row, step, step + wait - 1, by), values, spec)
    return found


def _told(shift: Shift, values: Floats, spec: Spec) -> list[Shift]:
    """Return a shift as it is known at first, and after a day, which knows better how far it is."""
    gone = _gone(values, shift, spec)
    day = shift.at + spec.day - 1
    if day >= min(gone, len(values)):
        return [replace(shift, gone=gone)]
    better = _jump(values, shift.at, spec.day, spec)
    return [replace(shift, gone=day), replace(shift, seen=day, by=better, gone=gone)]


def _candidates(change: Floats, spec: Spec) -> np.ndarray:
    """Return the steps whose change is the largest of the week before: few, so they are looped."""
    if len(change) <= spec.week:
        return np.empty(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(change, spec.week)[:-1]
    return np.flatnonzero(change[spec.week :] > windows.max(axis=1)) + spec.week


def _jump(values: Floats, step: int, wait: int, spec: Spec) -> float:
    """Return how far the level moved, less what the usual day moves at these hours."""
    steps = np.concatenate([np.arange(step - 1 - wait, step - 1), np.arange(step, step + wait)])
    week = steps[None, :] - np.arange(1, WEEK_DAYS + 1)[:, None] * spec.day
    rest = values[steps] - values[week].mean(axis=0)
    return float(np.median(rest[wait:]) - np.median(rest[:wait]))


def _gone(values: Floats, shift: Shift, spec: Spec) -> int:
    """Return the step within a week at which the series had come back to where it was."""
    step, seen = shift.at, shift.seen
    span = max(2, RETURN_S // spec.step_s)
    steps = np.arange(step, min(seen + spec.week, len(values)))
    if len(steps) < span:
        return NEVER
    newest = step - 2 - (step - 2 - steps) % spec.day  # the same slot on the last day before
    days = newest[None, :] - np.arange(WEEK_DAYS)[:, None] * spec.day
    rest = values[steps] - np.where(days >= 0, values[np.maximum(days, 0)], np.nan).mean(axis=0)
    held = np.median(np.lib.stride_tricks.sliding_window_view(rest, span), axis=1) / shift.by
    ends = steps[span - 1 :]
    back = ends[(held < RETURNED) & (ends > seen)]
    return int(back[0]) if len(back) else NEVER
