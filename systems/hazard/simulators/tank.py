"""Tanks: filled and drawn in turn, warm with the day, pressure after the warmth."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import weather
from systems.hazard import physics

BATCH_S = 3 * 86_400.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    phase = chance.between(0.0, 1.0, "tank/phase", keys)
    course = np.abs(2 * ((at / BATCH_S + phase) % 1.0) - 1)  # drawn, then filled
    leak = physics.struck(city, fleet, rows)
    air = weather.base_temperature(city, at - 8 * 3600) + 0.3 * weather.heat_excess(city, at)
    temp = 12.0 + 0.5 * (air - 12.0) - 6.0 * leak
    rated = fleet.attributes["design_mpa"][rows.index]
    vapour = 0.38 * rated * np.exp(physics.VAPOUR_PER_K * (temp - 20.0))
    return {
        "level_pct": 35.0
        + 40.0 * course
        - 8.0 * leak
        + 0.05 * chance.normal("tank/level", keys, rows.nth),
        "temp_c": temp + 0.1 * chance.normal("tank/temp", keys, rows.nth),
        "pressure_mpa": vapour * (1 - 0.35 * leak)
        + 0.001 * chance.normal("tank/pressure", keys, rows.nth),
    }
