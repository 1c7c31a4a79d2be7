"""Noise stations: level follows the passing traffic, 10 dB per tenfold; rain adds a little."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import rain, roads

DAY_TRAFFIC = 0.8
LEAST_TRAFFIC = 0.08
QUIETEST_DB, LOUDEST_DB = 48.0, 50.8
"""Span of the sites' day levels: residential, so that a normal night keeps 50 dB."""


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    traffic = np.maximum(roads.demand(city, at), LEAST_TRAFFIC)
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    site = chance.between(QUIETEST_DB, LOUDEST_DB, "noise/site", keys)
    leq = site + 10 * np.log10(traffic / DAY_TRAFFIC)
    leq = leq + 3.0 * np.tanh(rain.intensity(city, x, y, at) / 20.0)
    leq = leq + 0.5 * chance.wander("noise/drift", keys, at, 1800.0)
    leq = leq + 1.0 * chance.normal("noise/leq", keys, rows.nth)
    peak = chance.uniform("noise/peak", keys, rows.nth)
    return {"leq_db": leq, "lmax_db": leq + 5.0 - 1.0 * np.log(peak)}
