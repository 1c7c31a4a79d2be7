"""Ponding gauges at underpasses: the depth of ``physics/ponding.py``."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import ponding


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    depth = ponding.depth(city, fleet, rows.at_s, rows.index)
    ripple = 0.004 * city.chance.normal("pond/ripple", fleet.keys[rows.index], rows.nth)
    return {"depth_m": np.where(depth > 0.02, depth + ripple, depth)}
