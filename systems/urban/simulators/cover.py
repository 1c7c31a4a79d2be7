"""Manhole covers: closed, a little askew each, water below after rain."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics.rain import intensity


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return whether covers are open, their tilt and the water; the battery is the default's."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    lately = np.maximum.reduce([intensity(city, x, y, at - back) for back in (0, 900, 1800, 2700)])
    return {
        "opened": np.zeros(len(rows)),
        "tilt_deg": chance.between(0.2, 1.8, "cover/tilt", keys)
        + 0.05 * np.abs(chance.normal("cover/shake", keys, rows.nth)),
        "water_m": 0.25
        + 0.1 * chance.wander("cover/water", keys, at, 10_800.0)
        + 0.9 * np.tanh(lately / 30.0),
    }
