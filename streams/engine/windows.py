"""One-minute windows of event time in a ring per sensor; late readings make a new revision."""

from collections.abc import Iterable

import numpy as np

from catalog.contracts import WINDOW_S
from streams.engine.layout import SEEN
from streams.engine.outputs import Outputs, WindowRows
from streams.engine.state import US, State

WINDOW_US = WINDOW_S * US
TICK_GRACE_US = 2 * US
Touched = tuple[np.ndarray, np.ndarray]
"""Distinct sensors and a time of each (epoch µs)."""
OF_GOOD = ("sum", "min", "max", "last")


def add(
    state: State,
    slots: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    good: np.ndarray,
    out: Outputs,
) -> None:
    """Add one reading of each distinct slot; ``values`` and ``good`` are ``[k, A]``."""
    a = state.arrays
    start = times // WINDOW_US * WINDOW_US
    place = times // WINDOW_US % state.windows
    fresh = a["w_start"][place, slots] != start
    if fresh.any():
        _replace(state, slots[fresh], place[fresh], start[fresh], out)
    at = (place, slots)
    state.touch("window", place)
    _remember(state, at, times - start)
    a["w_dirty"][at] = True
    a["w_n"][at] += ~np.isnan(values)
    before = a["w_good"][at]
    a["w_good"][at] = before + good
    first, usable = before == 0, np.where(good, values, np.nan)
    a["w_sum"][at] = np.where(first, 0.0, a["w_sum"][at]) + np.where(good, values, 0.0)
    a["w_min"][at] = np.where(first, usable, np.fmin(a["w_min"][at], usable))
    a["w_max"][at] = np.where(first, usable, np.fmax(a["w_max"][at], usable))
    newer = good & (first | (times[:, None] > a["w_last_at"][at]))
    a["w_last"][at] = np.where(newer, values, a["w_last"][at])
    a["w_last_at"][at] = np.where(newer, times[:, None], a["w_last_at"][at])


def holds(state: State, slots: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Tell which readings (sensor, time) their windows hold already; none older than lateness."""
    a = state.arrays
    start = times // WINDOW_US * WINDOW_US
    at = (times // WINDOW_US % state.windows, slots)
    seen = a[SEEN][at]
    used = np.arange(seen.shape[1]) < a["w_rows"][at][:, None]
    same = (seen == (times - start)[:, None]) & used
    return same.any(axis=1) & (a["w_start"][at] == start)


def close_record(state: State, touched: Iterable[Touched], out: Outputs) -> None:
    """Put out the changed windows that are over or were put out before.

    ``touched`` are the readings of a record, and each sensor's newest one before it: after every
    record no other window can be changed and not yet out.
    """
    a = state.arrays
    for slots, times in touched:
        place = times // WINDOW_US % state.windows
        dirty = a["w_dirty"][place, slots]
        if not dirty.any():
            continue
        slot, place = slots[dirty], place[dirty]
        current = a["newest"][slot] // WINDOW_US * WINDOW_US
        due = (a["w_start"][place, slot] < current) | (a["w_revision"][place, slot] > 0)
        _emit(state, slot[due], place[due], out)


def close_tick(state: State, at: int, out: Outputs) -> None:
    """Put out every changed window that ended two seconds before the tick at ``at`` (epoch µs)."""
    a = state.arrays
    slots, place = np.nonzero(a["w_dirty"].T)
    ended = a["w_start"][place, slots] + WINDOW_US + TICK_GRACE_US <= at
    _emit(state, slots[ended], place[ended], out)


def _remember(state: State, at: tuple[np.ndarray, np.ndarray], offsets: np.ndarray) -> None:
    """Keep the readings' times in their windows and count them."""
    a = state.arrays
    rows = a["w_rows"][at]
    if rows.max() >= a[SEEN].shape[2]:
        state.widen_seen()
    a[SEEN][(*at, rows)] = offsets
    a["w_rows"][at] = rows + 1


def _replace(
    state: State, slots: np.ndarray, place: np.ndarray, start: np.ndarray, out: Outputs
) -> None:
    """Begin new windows in these places; what was there and is not out yet goes out first."""
    a = state.arrays
    left = a["w_dirty"][place, slots]
    _emit(state, slots[left], place[left], out)
    at = (place, slots)
    a["w_start"][at] = start
    for name in ("w_revision", "w_rows", "w_n", "w_good"):
        a[name][at] = 0


def _emit(state: State, slots: np.ndarray, place: np.ndarray, out: Outputs) -> None:
    if not len(slots):
        return
    a, at = state.arrays, (place, slots)
    state.touch("window", place)
    a["w_revision"][at] += 1
    a["w_dirty"][at] = False
    good = a["w_good"][at]
    out.windows.append(
        WindowRows(
            slots=slots.copy(),
            starts=a["w_start"][at],
            revisions=a["w_revision"][at],
            rows=a["w_rows"][at],
            statistics={
                "n": a["w_n"][at],
                "good": good,
                **{name: np.where(good > 0, a[f"w_{name}"][at], np.nan) for name in OF_GOOD},
            },
        )
    )
