"""Bridges: strain of warmth that lags the air, and of the day's traffic upon it."""

import numpy as np

from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import weather
from systems.urban.streams.bridge import EXPANSION_UE_PER_K, INSTALLED_C

LAG_S = 2 * 3600.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    temp = weather.base_temperature(city, at - LAG_S) + 1.5
    busy = np.clip(0.25 + 0.75 * np.sin(np.pi * (hour(at) - 5.5) / 17.0), 0.1, 1.0)
    traffic = busy * chance.between(30.0, 70.0, "bridge/load", keys)
    lorries = np.abs(chance.normal("bridge/lorry", keys, rows.nth))
    return {
        "strain_ue": EXPANSION_UE_PER_K * (temp - INSTALLED_C) + traffic + 6.0 * lorries,
        "temp_c": temp + 0.05 * chance.normal("bridge/temp", keys, rows.nth),
        "tilt_deg": 0.02 * chance.wander("bridge/tilt", keys, at, 86_400.0),
        "accel_mg": 4.0 + 9.0 * busy + 3.0 * lorries,
    }
