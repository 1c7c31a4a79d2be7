"""The times that readings count at: late ones, copies, clocks that run ahead or were set back."""

from typing import NamedTuple

import numpy as np

from catalog.contracts import FLAG_SUSPECT
from engine import windows
from engine.cells import Sensors
from engine.layout import AHEAD_KEPT, NEVER
from engine.outputs import Outputs
from engine.state import US, State

SKEW_US = 2 * US
"""How far a clock may run ahead of the frame's arrival before that is said."""
QUIET_CADENCES = 1.5
LATE, UNUSABLE = 1, 2
"""Why what comes from a sensor is of no use: beyond lateness; failed, missing or a copy."""
MOVED_BACK = ("p1_at", "p2_at", "run_at", "bad_at", "well_at", "r_since", "r_clear", "e_at")
"""Times that move with a sensor's clock when it is set back."""


class Arrived(NamedTuple):
    """A reading of each of some distinct sensors: times (epoch µs), values and device flags."""

    sensors: Sensors
    times: np.ndarray
    values: np.ndarray
    device: np.ndarray | None

    def chosen(self, rows: np.ndarray) -> "Arrived":
        """Return some of them, by a mask; as they are where that is all, as it mostly is."""
        if rows.all():
            return self
        device = self.device if self.device is None else self.device[rows]
        return Arrived(self.sensors.chosen(rows), self.times[rows], self.values[rows], device)


def quiet_after(state: State) -> int:
    """Return the ticks without a reading after which its sensor is overdue for certain."""
    return int(QUIET_CADENCES * state.stream.cadence_s) + 1


def arrive(state: State, arrived: Arrived, latest: int | None, out: Outputs) -> Arrived:
    """Return the readings that count, at the times they count at.

    ``latest`` (epoch µs) is what a reading from further ahead counts at; None for no bound.
    """
    copies = np.zeros(len(arrived.times), bool)
    if latest is not None:
        ahead = arrived.times > latest + SKEW_US
        if ahead.any():
            arrived, copies = _clamp(state, arrived, ahead, latest, out)
    sensors, times = arrived.sensors, arrived.times
    top = sensors.read(state.arrays["top"])
    late = (top != NEVER) & (times < top - state.stream.lateness_s * US)
    # what is newer than all of its sensor cannot have been seen
    if len(rows := np.flatnonzero(~late & (times <= top) & ~copies)):
        copies[rows] = windows.holds(state, sensors.slots[rows], times[rows])
    late &= ~copies
    fresh = ~late & ~copies
    for row in np.flatnonzero(late):
        out.flag(int(sensors.slots[row]), int(times[row]), "*", "late", FLAG_SUSPECT, np.nan)
    out.late += int(late.sum())
    out.duplicates += int(copies.sum())
    out.accepted += int(fresh.sum())
    if fresh.all():
        return arrived
    cause = np.where(late, LATE, np.where(copies, UNUSABLE, sensors.read(state.arrays["cause"])))
    sensors.write(state.arrays["cause"], cause)
    return arrived.chosen(fresh)


def set_back(state: State, sensors: Sensors) -> np.ndarray:
    """Tell whose clock was set back if it sends something old now: nothing newer has come."""
    waited = state.ticks - sensors.read(state.arrays["newest_tick"])
    return waited >= quiet_after(state)


def move_back(state: State, arrived: Arrived, out: Outputs) -> None:
    """Move what is remembered of these sensors back, so that it is as old as it was."""
    a, slots = state.arrays, arrived.sensors.slots
    by = a["newest"][slots] - arrived.times
    for name in MOVED_BACK:
        known = a[name][slots]
        moved = by.reshape(-1, *(1,) * (known.ndim - 1))
        a[name][slots] = np.where(known == NEVER, NEVER, known - moved)
    for slot, at in zip(slots.tolist(), arrived.times.tolist(), strict=True):
        out.flag(slot, at, "*", "clock", FLAG_SUSPECT, np.nan)


def note_newest(state: State, arrived: Arrived, gaps: np.ndarray | None) -> None:
    """Note the newest reading of each sensor; ``gaps`` tells whose distance to the one before
    counts, None where nobody asks for it."""
    a, sensors, times = state.arrays, arrived.sensors, arrived.times
    if gaps is not None:
        _count_gaps(state, arrived.chosen(gaps))
    sensors.write(a["newest"], times)
    sensors.write(a["top"], np.maximum(sensors.read(a["top"]), times))
    sensors.write(a["newest_tick"], state.ticks)


def _clamp(
    state: State, arrived: Arrived, ahead: np.ndarray, latest: int, out: Outputs
) -> tuple[Arrived, np.ndarray]:
    """Bring readings from ahead to ``latest``; tell which of them are copies."""
    known, slots = state.arrays["ahead"], arrived.sensors.slots
    copies = np.zeros(len(slots), bool)
    for row in np.flatnonzero(ahead):
        slot, at = int(slots[row]), int(arrived.times[row])
        if (known[slot] == at).any():
            copies[row] = True
            continue
        known[slot] = [*known[slot][1:AHEAD_KEPT], at]
        out.flag(slot, at, "*", "clock", FLAG_SUSPECT, np.nan)
    times = np.where(ahead, latest, arrived.times)
    return Arrived(arrived.sensors, times, arrived.values, arrived.device), copies


def _count_gaps(state: State, arrived: Arrived) -> None:
    """Keep the last two gaps between each sensor's newest readings."""
    sensors, gap = arrived.sensors, state.arrays["gap"]
    newest, last = sensors.read(state.arrays["newest"]), sensors.read(gap)[:, 0]
    known = newest != NEVER
    latest = np.where(known, arrived.times - newest, last)
    before = np.where(known, last, sensors.read(gap)[:, 1])
    sensors.write(gap, np.column_stack([latest, before]))
