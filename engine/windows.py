"""One-minute windows of event time in a ring per sensor; late readings make a new revision."""

from collections.abc import Iterable

import numpy as np

from catalog.contracts import STATISTICS, WINDOW_S
from engine.cells import Cells, Sensors
from engine.layout import NEVER, SEEN
from engine.outputs import Outputs, WindowRows
from engine.state import US, State

WINDOW_US = WINDOW_S * US
TICK_GRACE_US = 2 * US
Touched = tuple[Sensors, np.ndarray]
"""Distinct sensors and a time of each (epoch µs)."""
KEPT = ("start", "revision", "rows", *STATISTICS)
COUNTS = ("w_revision", "w_rows", "w_n", "w_good", "w_used")
EMPTY = {"w_sum": 0.0, "w_min": np.nan, "w_max": np.nan, "w_last": np.nan, "w_last_at": NEVER}
"""What a window holds of a quantity that has had no used value yet."""


def count(state: State, sensors: Sensors, times: np.ndarray, out: Outputs) -> None:
    """Count one reading of each sensor in its window, and remember its time."""
    a, minute = state.arrays, times // WINDOW_US
    start, cells = minute * WINDOW_US, Cells(sensors, minute % state.windows)
    fresh = cells.read(a["w_start"]) != start
    if fresh.any():
        _replace(state, cells.chosen(fresh), start[fresh], out)
    state.touch("window", cells.place)
    sensors.write(a["filled_tick"], state.ticks)
    _remember(state, cells, times - start)
    cells.write(a["w_dirty"], True)


def fill(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    values: np.ndarray,
    good: np.ndarray,
    used: np.ndarray,
) -> None:
    """Add the values of a counted reading of each sensor; all three arrays are ``[k, A]``."""
    a = state.arrays
    cells = Cells(sensors, times // WINDOW_US % state.windows)
    state.touch("window", cells.place)
    cells.write(a["w_dirty"], True)
    cells.change(a["w_n"], np.add, ~np.isnan(values))
    cells.change(a["w_good"], np.add, good)
    cells.change(a["w_used"], np.add, used)
    cells.change(a["w_sum"], np.add, np.where(used, values, 0.0))
    usable = np.where(used, values, np.nan)
    cells.change(a["w_min"], np.fmin, usable)
    cells.change(a["w_max"], np.fmax, usable)
    newer = used & (times[:, None] > cells.read(a["w_last_at"]))
    cells.replace(a["w_last"], values, newer)
    cells.replace(a["w_last_at"], times[:, None], newer)


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
    for sensors, times in touched:
        cells = Cells(sensors, times // WINDOW_US % state.windows)
        dirty = cells.read(a["w_dirty"])
        if not dirty.any():
            continue
        current = sensors.read(a["newest"]) // WINDOW_US * WINDOW_US
        due = dirty & ((cells.read(a["w_start"]) < current) | (cells.read(a["w_revision"]) > 0))
        _emit(state, cells.chosen(due), out)


def close_tick(state: State, at: int, out: Outputs) -> None:
    """Put out every changed window that ended two seconds before the tick at ``at`` (epoch µs) and
    that nothing came for since the last one: of what is replayed, a window is put out once."""
    a = state.arrays
    slots, place = np.nonzero(a["w_dirty"].T)
    due = a["w_start"][place, slots] + WINDOW_US + TICK_GRACE_US <= at
    due &= a["filled_tick"][slots] < state.ticks - 1
    _emit(state, Cells(Sensors(slots[due]), place[due]), out)


def refill(state: State, place: int) -> None:
    """Give the windows of a stored place what quantities without a used value hold."""
    a, known = state.arrays, (place, slice(len(state.names)))
    none = (a["w_used"][known] == 0) & (a["w_start"][known] != NEVER)[:, None]
    for name, value in EMPTY.items():
        a[name][known][none] = value


def take_earlier(state: State, place: int) -> None:
    """Take a place stored before suspect values were used: what was good was all that was used."""
    state.arrays["w_used"][place] = state.arrays["w_good"][place]


def _remember(state: State, cells: Cells, offsets: np.ndarray) -> None:
    """Keep the readings' times in their windows and count them."""
    a = state.arrays
    rows = cells.read(a["w_rows"])
    if rows.max() >= a[SEEN].shape[2]:
        state.widen_seen()
    a[SEEN][(*cells.at, rows)] = offsets
    cells.write(a["w_rows"], rows + 1)


def _replace(state: State, cells: Cells, start: np.ndarray, out: Outputs) -> None:
    """Begin new windows in these cells; what was there and is not out yet goes out first."""
    a = state.arrays
    _emit(state, cells.chosen(cells.read(a["w_dirty"])), out)
    cells.write(a["w_start"], start)
    for name, value in (dict.fromkeys(COUNTS, 0) | EMPTY).items():
        cells.write(a[name], value)


def _emit(state: State, cells: Cells, out: Outputs) -> None:
    if not len(cells.place):
        return
    a = state.arrays
    state.touch("window", cells.place)
    cells.change(a["w_revision"], np.add, np.ones(len(cells.place), np.int32))
    cells.write(a["w_dirty"], False)
    # the windows change on while their rows wait to be sent
    kept = {name: cells.read(a[f"w_{name}"]).copy() for name in KEPT}
    kept["sum"][kept["used"] == 0] = np.nan
    out.windows.append(
        WindowRows(
            slots=cells.sensors.slots.copy(),
            starts=kept.pop("start"),
            revisions=kept.pop("revision"),
            rows=kept.pop("rows"),
            statistics=kept,
        )
    )
