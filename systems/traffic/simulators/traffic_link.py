"""Road links: speed ratio from demand, open lanes and what slows the road; travel time."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import roads

BPR = 0.55
LEAST_RATIO = 0.04


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    busy = chance.between(0.55, 0.98, "link/busy", keys)
    share = roads.demand(city, at) * busy * (1 + 0.05 * chance.wander("link", keys, at, 1200.0))
    share = share / roads.capacity(city, fleet, rows)
    slow = roads.slowing(city, fleet, rows)
    ratio = slow / (1 + BPR * share**4) + 0.012 * chance.normal("link/jitter", keys, rows.nth)
    ratio = np.clip(ratio, LEAST_RATIO, 1.1)
    free_s = chance.between(55.0, 260.0, "link/free", keys)
    return {"speed_ratio": ratio, "travel_time_s": free_s / ratio}
