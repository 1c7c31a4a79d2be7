"""Gas wells: nothing to speak of, biogas that follows the warmth in some, and leaks."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import weather
from systems.gas import physics

BIOGAS_SHARE = 0.15
"""Wells near sewers: their methane rises and falls slowly with the day's warmth."""


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return methane, temperature and water; the battery is the default's."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    air = weather.base_temperature(city, at) + weather.heat_excess(city, at)
    warmth = np.clip((air - 5.0) / 25.0, 0.0, 1.2)
    sewer = chance.between(0.0, 1.0, "gas/sewer", keys) < BIOGAS_SHARE
    biogas = np.where(sewer, chance.between(2.0, 6.0, "gas/biogas", keys) * warmth, 0.0)
    biogas = biogas * (1 + 0.15 * chance.wander("gas/biogas'", keys, at, 7200.0))
    background = 0.5 + 0.25 * chance.normal("gas/ch4", keys, rows.nth)
    return {
        "ch4_lel": np.clip(background + biogas + physics.methane(city, fleet, rows), 0.0, 100.0),
        "temp_c": 15.0 + 0.4 * (air - 15.0) + 0.2 * chance.normal("gas/welltemp", keys, rows.nth),
        "water_m": np.clip(
            0.08
            + 0.04 * chance.wander("gas/water", keys, at, 21600.0)
            + 0.004 * chance.normal("gas/water'", keys, rows.nth),
            0.0,
            None,
        ),
    }
