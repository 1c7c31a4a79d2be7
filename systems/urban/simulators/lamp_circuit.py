"""Lamp circuits: switched by the sun, a few lamps dead, leakage after rain."""

import numpy as np

from catalog.site import site
from catalog.sun import elevation
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics.rain import intensity

SWITCHED_DEG = -3.0
"""Lamps go on at 20–30 lx: the sun three degrees below."""
NIGHT_S, SEASON_S, YEAR_D = 11.55 * 3600, 1.95 * 3600, 365.25
"""How long they burn a night over the year, and how much longer at its end."""
SOLAR_NOON_S = 13.07 * 3600 - 8 * 3600
"""Of the day, UTC."""
DAY_S = 86_400.0
FULL_SCALE = 100_000.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return lit lamps, current, leakage and energy; control is automatic."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    dark = elevation(rows.at_us, *site().centre) < SWITCHED_DEG
    rated = chance.between(4.0, 18.0, "lamp/kw", keys)
    dead = np.clip(chance.between(-1.0, 2.2, "lamp/dead", keys), 0.0, None)
    lit = np.where(dark, 100.0 - dead, 0.0)
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    wet = np.tanh(intensity(city, x, y, at) / 10.0)
    leak = 4.0 + 2.0 * np.abs(chance.wander("lamp/leak", keys, at, 7200.0)) + 12.0 * wet
    return {
        "lit_pct": lit,
        "current_a": np.where(dark, rated / 0.38 * (1 - dead / 100), 0.0),
        "leak_ma": leak,
        "energy_kwh": _energy(city, fleet, rows, rated),
        "control": np.ones(len(rows)),
    }


def _energy(city: City, fleet: Fleet, rows: Rows, rated: Floats) -> Floats:
    """Return what the meter shows: past nights, and this one as long as they are now.

    From one solar noon to the next the lamps burn around the middle of the night.
    """
    begin = city.chance.between(0.0, FULL_SCALE, "lamp/meter", fleet.keys[rows.index])
    noon = rows.at_s - SOLAR_NOON_S
    day, since = np.floor(noon / DAY_S), noon % DAY_S
    past = _burnt(day)
    night = _burnt(day + 1) - past
    tonight = np.clip(since - (DAY_S - night) / 2, 0.0, night)
    return (begin + rated * (past + tonight) / 3600) % FULL_SCALE


def _burnt(day: Floats) -> Floats:
    """Return how long lamps have burnt until a day (since 1970), s: a year's wave added up."""
    turn = 2 * np.pi / YEAR_D
    return day * NIGHT_S + SEASON_S / turn * np.sin(turn * (day + 10))
