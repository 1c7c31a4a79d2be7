"""How fast counters rise: increases between a sensor's last two values, over roll-overs and resets.

A fall is a roll-over where the way round is one that the counter can have gone in the time; else a
reset where it can have come from 0 to what it shows; else nothing is known of the increase.
"""

import numpy as np

from engine.cells import Sensors
from engine.state import US, State

MINUTE_US = 60 * US


def increase(
    change: np.ndarray,
    value: np.ndarray,
    top: np.ndarray | float,
    rate_per_min: np.ndarray | float,
    since_us: np.ndarray,
) -> np.ndarray:
    """Return what counters rose by, NaN where a fall is unexplained; ``top``: where they roll over.

    ``change`` is this value less the one before, ``since_us`` the time between them.
    """
    allowed = rate_per_min * (since_us / MINUTE_US)
    with np.errstate(invalid="ignore"):
        round_it = change + top
    fallen = np.where(round_it <= allowed, round_it, np.where(value <= allowed, value, np.nan))
    return np.where(change < 0, fallen, change)


def rates(state: State, sensors: Sensors, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return every declared rate at these readings; NaN at one that is not its sensor's newest
    value, or the first."""
    found: dict[str, np.ndarray] = {}
    stream, a = state.stream, state.arrays
    for rate in stream.rates:
        m = stream.metric_names.index(rate.of)
        value, before = a["p1"][sensors.slots, m], a["p2"][sensors.slots, m]
        at, at_before = a["p1_at"][sensors.slots, m], a["p2_at"][sensors.slots, m]
        since = np.where((at == times) & (at > at_before), at - at_before, 1)
        limits = state.limits
        rise = increase(
            *(value - before, value, limits.fail_high[m], limits.rate_per_min[m], since)
        )
        known = (at == times) & (at > at_before) & ~np.isnan(before)
        found[rate.name] = np.where(known, rise / (since / US) * rate.per_s, np.nan)
    return found
