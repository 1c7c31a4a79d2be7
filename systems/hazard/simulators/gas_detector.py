"""Gas detectors: a quiet zero, and the cloud of the tank beside them."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from systems.hazard import physics

CLOUD_LEL = 45.0
CLOUD_LEVELS = 4.0
"""Of its first alarm, in the middle of the cloud."""


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys = city.chance, fleet.keys[rows.index]
    cloud = physics.released(city, fleet, rows)
    first = fleet.attributes["level1_ppm"][rows.index]
    zero = np.abs(chance.normal("detector/zero", keys, rows.nth))
    return {
        "combustible_lel": np.clip(0.2 * zero + CLOUD_LEL * cloud, 0.0, 100.0),
        "toxic_ppm": 0.02 * first * zero + CLOUD_LEVELS * first * cloud,
    }
