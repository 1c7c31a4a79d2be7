"""Weather stations: what the city's weather is at each station."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import rain, weather

TIP_MM = 0.1
"""A tipping-bucket gauge reports whole tips; fractions come as a tip now and then."""


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    at, keys, chance = rows.at_s, fleet.keys[rows.index], city.chance
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    mm_h = rain.intensity(city, x, y, at)
    site = 0.4 * chance.normal("weather/site", keys) + 0.15 * chance.wander("t", keys, at, 1800.0)
    air = weather.temperature(city, x, y, at) + site
    gust = np.exp(0.25 * chance.normal("weather/gust", keys, rows.nth))
    period_h = fleet.stream.cadence_s / 3600.0
    tips = mm_h * period_h / TIP_MM + chance.uniform("weather/tip", keys, rows.nth)
    pressure = 954.0 + 4.0 * chance.wander("weather/pressure", 0, at, 2.5 * weather.DAY_S)
    return {
        "temp_c": air + 0.06 * chance.normal("weather/temp", keys, rows.nth),
        "rh_pct": weather.humidity(city, air, mm_h, at)
        + 1.2 * chance.wander("rh", keys, at, 2400.0),
        "wind_m_s": weather.wind(city, at) * gust + 4.0 * np.tanh(mm_h / 40.0),
        "wind_dir_deg": (20.0 + 60.0 * chance.wander("direction", keys, at, 7200.0)) % 360.0,
        "pressure_hpa": pressure + 0.15 * chance.wander("p", keys, at, 900.0),
        "rain_mm": np.floor(tips) * TIP_MM,
        "radiation_w_m2": weather.radiation(city, at)
        * (1 + 0.05 * chance.wander("sun", keys, at, 600.0)),
    }
