"""Values that stand still: stuck beyond what the sensor usually does, and not at its floor."""

from typing import NamedTuple

import numpy as np

from engine.cells import Sensors
from engine.state import State

LONGER, FORGETTING = 2.0, 63 / 64
"""A value is stuck that stands still for so many times the longest that it usually does; of that
so much is left with each time it stood still."""
FLOOR, MOST_RESTS = 3, 200
"""The lowest value at which a sensor has stood still for long so often is its floor."""
AT_FLOOR = 8.0
"""There a value may rest so many times the longest that it usually does; for ever would hide a
sensor that is dead."""
RUN = ("run_at", "run_n", "run_top")
"""How a value stands still."""


class Seen(NamedTuple):
    """Newest readings: times ``[k, 1]``, values ``[k, M]``, their changes, which are used."""

    state: State
    sensors: Sensors
    times: np.ndarray
    values: np.ndarray
    change: np.ndarray
    known: np.ndarray


class Stuck(NamedTuple):
    """Values ``[k, M]`` that stand still for longer than is plausible, or than is possible."""

    suspect: np.ndarray
    fail: np.ndarray


def test(seen: Seen, jumped: Sensors | None) -> Stuck | None:
    """Look at how long values stand still, and keep it; None where none is stuck.

    ``jumped`` are the sensors whose reading may be shown to be alone.
    """
    if jumped is not None:
        _keep_run(seen.state, jumped)
    state, sensors, times, values, change, known = seen
    limits, a = state.limits, state.arrays
    began = sensors.read(a["run_at"])
    n, top, before = sensors.read(a["run_n"]), sensors.read(a["run_top"]), sensors.read(a["p1_at"])
    still = change <= limits.flat_tolerance
    still &= ~(limits.flat_ignores_zero & (values == 0))
    if (own := state.overrides.own) is not None:
        still &= ~(values <= sensors.read(own.floor))
    run_at, stuck = np.where(still, began, times), None
    length = times - run_at
    # what stands still as long as this sensor's values do at times is not stuck
    long = still & (n + 1 >= limits.flat_least) & (length >= LONGER * top)
    if long.any():
        rests = (values <= sensors.read(a["rest_low"])) & (sensors.read(a["rests"]) >= FLOOR)
        rests &= length < AT_FLOOR * top
        fail = long & ~rests & (length >= limits.flat_fail_us)
        stuck = Stuck(long & ~rests & (length >= limits.flat_suspect_us) & ~fail, fail)
    ended = known & ~still & (n > 0)
    if ended.any():
        run = (before - began).astype(float)
        sensors.write(a["run_top"], np.where(ended, np.maximum(run, top * FORGETTING), top))
        _rested(state, sensors, ended & (n >= limits.flat_least))
    if (low := known & (values < sensors.read(a["rest_low"]))).any():
        sensors.write(a["rest_low"], np.where(low, np.nan, sensors.read(a["rest_low"])))
    sensors.write(a["run_n"], np.where(known, np.where(still, n + 1, 0), n))
    sensors.write(a["run_at"], np.where(known, run_at, began))
    return stuck


def _rested(state: State, sensors: Sensors, rested: np.ndarray) -> None:
    """Count where the last value, at which a sensor stood still for long, is the lowest so far."""
    if not rested.any():
        return
    a = state.arrays
    at, low, n = (sensors.read(a[name]) for name in ("p1", "rest_low", "rests"))
    lower, again = rested & ~(at >= low), rested & (at == low)
    count = np.where(lower, 1, np.minimum(n + again.astype(np.uint8), MOST_RESTS))
    at_floor = np.where(lower, at, low)
    sensors.write(a["rests"], count)
    sensors.write(a["rest_low"], at_floor)


def _keep_run(state: State, jumped: Sensors) -> None:
    """Keep how the sensors that jumped stood still: what is shown to be alone ends no stillness."""
    a = state.arrays
    for name in RUN:
        jumped.write(a[f"h_{name}"], jumped.read(a[name]))
