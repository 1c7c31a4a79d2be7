"""Construction sites: dust by day with the wind, washed out by rain, over the city's own."""

import numpy as np

from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics.rain import intensity

PM10_OF_TSP = 0.55


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return TSP and PM10 at the fence, PM10 upwind, and wind."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    dry = 1 - 0.8 * np.tanh(intensity(city, x, y, at) / 2.0)
    wind = np.clip(1.6 + 0.8 * chance.wander("dust/wind", 0, at, 5400.0), 0.1, None)
    works = (hour(at) >= 6) & (hour(at) < 22)
    gusts = np.exp(0.25 * chance.wander("dust/work", keys, at, 1800.0))
    own = np.where(works, 40.0 * np.minimum(wind / 1.6, 1.4) ** 1.5, 8.0) * gusts * dry
    background = 52.0 * np.exp(0.25 * chance.wander("dust/city", 0, at, 6 * 3600.0)) * dry
    noise = 1 + 0.04 * chance.normal("dust/noise", keys, rows.nth)
    pm10 = (background + PM10_OF_TSP * own) * noise
    return {
        "tsp_ug_m3": (background / PM10_OF_TSP + own) * noise,
        "pm10_ug_m3": pm10,
        "background_ug_m3": background * (1 + 0.03 * chance.normal("dust/up", keys, rows.nth)),
        "wind_m_s": wind,
    }
