"""Litter bins: filled by the day's crowd, emptied three times."""

import numpy as np

from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import weather

ROUND_H, FIRST_H = 8.0, 6.0
"""Emptied every eight hours from six o'clock on."""
DAY_S = 86_400.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return filling and temperature; the battery is the default's."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    own = chance.between(-0.5, 0.5, "bin/round", keys)
    since = (hour(at) - own - FIRST_H) % ROUND_H
    day = np.floor((at + 8 * 3600) / DAY_S).astype(np.int64)
    busy = chance.between(0.7, 1.2, "bin/day", keys, day)
    per_h = chance.between(3.0, 8.5, "bin/use", keys) * busy
    air = weather.base_temperature(city, at) + weather.heat_excess(city, at)
    return {
        "fill_pct": np.clip(4.0 + per_h * since, 0.0, 100.0),
        "temp_c": air + 2.0 + 0.3 * chance.normal("bin/temp", keys, rows.nth),
    }
