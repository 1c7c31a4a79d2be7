"""Grid frequency: one value for the whole grid; load against generation, schedule edges, load loss.

It wanders with a standard deviation near 0.015 Hz and dips when schedules change at full hours.
"""

import numpy as np

from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import power

NOMINAL_HZ = 50.0
EDGE_HZ, EDGE_S = 0.025, 90.0
RAMP_S = 300.0
RAMP_HZ = 0.5
"""Deviation for a city load that changes by its whole size in ``RAMP_S``."""
LOAD_LOSS_HZ, RECOVERY_S = 0.03, 40.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, at = city.chance, rows.at_s
    slow = 0.012 * chance.wander("frequency/slow", 0, at, 240.0)
    fast = 0.006 * chance.wander("frequency/fast", 0, at, 25.0)
    since = (hour(at) % 1.0) * 3600.0
    edge = -EDGE_HZ * np.exp(-((since - EDGE_S / 2) ** 2) / (2 * (EDGE_S / 3) ** 2))
    deviation = slow + fast + edge + _imbalance(city, at)
    meter = 0.0008 * chance.normal("frequency/meter", fleet.keys[rows.index], rows.nth)
    return {"frequency_hz": NOMINAL_HZ + deviation + meter}


def _imbalance(city: City, at_s: Floats) -> Floats:
    """Return what changing load does, Hz: generation follows it late."""
    ramp = power.city_load(city, at_s) - power.city_load(city, at_s - RAMP_S)
    deviation = np.clip(-RAMP_HZ * ramp, -0.08, 0.08)
    for event in city.events.forcing("outage"):
        for moment, sign in ((event.start, 1.0), (event.end, -1.0)):
            since = at_s - moment
            swing = np.exp(-np.clip(since, 0, None) / RECOVERY_S)
            deviation = deviation + np.where(since >= 0, sign * LOAD_LOSS_HZ * swing, 0.0)
    return deviation
