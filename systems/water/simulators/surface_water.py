"""Surface-water stations: oxygen by temperature and sun, first flush after rain.

Saturation 468 / (31.6 + T) mg/L (HJ 2.3-2018); storm runoff lifts ammonia and phosphorus for one to
three hours.
"""

import numpy as np

from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import power, rain

FLUSH_H = (1.0, 1.5, 2.0, 2.5, 3.0)
FLUSH_MM_H = 15.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    water_c = np.clip(2.0 + 0.85 * power.remembered_temperature(city, at), 3.0, 30.0)
    water_c = water_c + 0.5 * np.cos((hour(at) - 17.0) / 24 * 2 * np.pi)
    swing = 0.5 * np.cos((hour(at) - 17.0) / 24 * 2 * np.pi)
    flush = _flush(city, fleet, rows)
    site = chance.between(0.75, 1.25, "river-water/site", keys)
    drift = 1 + 0.08 * chance.wander("river-water/drift", keys, at, 4 * 3600.0)
    saturation = 468.0 / (31.6 + water_c)
    return {
        "temp_c": water_c + 0.1 * chance.normal("river-water/t", keys, rows.nth),
        "ph": 7.7 + 0.1 * swing + 0.08 * chance.wander("river-water/ph", keys, at, 6 * 3600.0),
        "do": saturation * (0.88 - 0.12 * flush)
        + swing
        + 0.05 * chance.normal("river-water/do", keys, rows.nth),
        "codmn": 2.2 * site * drift * (1 + 0.8 * flush),
        "nh3n": 0.22 * site * drift * (1 + 3.5 * flush),
        "tp": 0.055 * site * drift * (1 + 2.8 * flush),
    }


def _flush(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return 0..1 of the first flush by the rain of one to three hours before."""
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    taps = [rain.intensity(city, x, y, rows.at_s - back * 3600.0) for back in FLUSH_H]
    return np.tanh(np.mean(taps, axis=0) / FLUSH_MM_H)
