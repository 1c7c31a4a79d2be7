"""One-minute windows of event time in a ring per sensor; late readings make a new revision."""

import numpy as np

from catalog.contracts import WINDOW_S
from streams.engine.layout import NEVER
from streams.engine.outputs import Outputs, WindowRows
from streams.engine.state import US, State

WINDOW_US = WINDOW_S * US
TICK_GRACE_US = 2 * US


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
    fresh = a["w_start"][slots, place] != start
    _replace(state, slots[fresh], place[fresh], start[fresh], out)
    at = (slots, place)
    a["w_dirty"][at] = True
    a["w_rows"][at] += 1
    a["w_n"][at] += ~np.isnan(values)
    a["w_good"][at] += good
    usable = np.where(good, values, np.nan)
    a["w_sum"][at] += np.where(good, values, 0.0)
    a["w_min"][at] = np.fmin(a["w_min"][at], usable)
    a["w_max"][at] = np.fmax(a["w_max"][at], usable)
    newer = good & (times[:, None] > a["w_last_at"][at])
    a["w_last"][at] = np.where(newer, values, a["w_last"][at])
    a["w_last_at"][at] = np.where(newer, times[:, None], a["w_last_at"][at])


def close_record(state: State, slots: np.ndarray, out: Outputs) -> None:
    """Put out the changed windows of these sensors that are over or were put out before."""
    a = state.arrays
    dirty = a["w_dirty"][slots]
    current = a["newest"][slots] // WINDOW_US * WINDOW_US
    over = a["w_start"][slots] < current[:, None]
    known = a["w_revision"][slots] > 0
    row, place = np.nonzero(dirty & (over | known))
    _emit(state, slots[row], place, out)


def close_tick(state: State, at: int, out: Outputs) -> None:
    """Put out every changed window that ended two seconds before the tick at ``at`` (epoch µs)."""
    a = state.arrays
    ended = a["w_start"] + WINDOW_US + TICK_GRACE_US <= at
    slots, place = np.nonzero(a["w_dirty"] & ended)
    _emit(state, slots, place, out)


def _replace(
    state: State, slots: np.ndarray, place: np.ndarray, start: np.ndarray, out: Outputs
) -> None:
    """Begin new windows in these places; what was there and is not out yet goes out first."""
    a = state.arrays
    left = a["w_dirty"][slots, place]
    _emit(state, slots[left], place[left], out)
    at = (slots, place)
    a["w_start"][at] = start
    for name in ("w_revision", "w_rows", "w_n", "w_good", "w_sum"):
        a[name][at] = 0
    for name in ("w_min", "w_max", "w_last"):
        a[name][at] = np.nan
    a["w_last_at"][at] = NEVER


def _emit(state: State, slots: np.ndarray, place: np.ndarray, out: Outputs) -> None:
    if not len(slots):
        return
    a, at = state.arrays, (slots, place)
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
                "sum": np.where(good > 0, a["w_sum"][at], np.nan),
                **{name: a[f"w_{name}"][at] for name in ("min", "max", "last")},
            },
        )
    )
