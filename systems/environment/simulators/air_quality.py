"""Air stations: traffic and stagnation make NO2, CO, particles; sun makes ozone; rain washes.

Daily curves and washout constants: domain reference of the Sichuan basin; a scenario's smog adds
particles first, gases in proportion.
"""

import numpy as np

from simulators.core.calendar import by_hour, by_month, hour, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import rain, roads, weather

PM25_DAY = (
    *(1.06, 1.05, 1.04, 1.03, 1.03, 1.03, 1.04, 1.07, 1.11, 1.12, 1.09, 1.03),
    *(0.96, 0.90, 0.86, 0.83, 0.82, 0.84, 0.89, 0.96, 1.02, 1.06, 1.07, 1.07),
)
O3_DAY = (
    *(0.25, 0.22, 0.20, 0.18, 0.17, 0.15, 0.14, 0.15, 0.20, 0.30, 0.43, 0.58),
    *(0.73, 0.86, 0.95, 1.0, 0.99, 0.93, 0.80, 0.62, 0.48, 0.39, 0.33, 0.28),
)
PM25_MONTH = (43.0, 40.0, 34.0, 28.0, 25.0, 20.0, 18.0, 18.0, 22.0, 28.0, 34.0, 42.0)
"""A quiet day's mean by month, µg/m³; a heavy episode is a scenario."""
O3_MONTH = (45.0, 55.0, 75.0, 95.0, 110.0, 112.0, 110.0, 112.0, 90.0, 65.0, 50.0, 42.0)
PM25_OF_PM10 = 0.65
SMOG_PER_MIN = 45.0
"""Particles grow by so much a minute at most, so that quality control believes them."""
WASHOUT_H = (0.25, 0.75, 1.25, 1.75)
WASHOUT_PM10, WASHOUT_PM25 = 0.25, 0.10


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    day, at_hour = local_day(at), hour(at)
    stagnation = np.clip(1.5 / (0.5 + weather.wind(city, at)), 0.6, 1.25)
    site = chance.between(0.88, 1.1, "air/site", keys)
    days = 1 + 0.12 * chance.wander("air/days", 0, at, 2.0 * weather.DAY_S)
    base = by_month(PM25_MONTH, day) * by_hour(PM25_DAY, at_hour) * days * site
    base = base * (0.85 + 0.15 * stagnation)
    wet = _washout(city, fleet, rows)
    smog = _smog(city, at)
    pm25 = base * np.exp(-WASHOUT_PM25 * wet) + smog * site
    pm10 = base / PM25_OF_PM10 * np.exp(-WASHOUT_PM10 * wet) + 1.25 * smog * site
    jitter = 1 + 0.03 * chance.wander("air/pm", keys, at, 600.0)
    traffic = roads.demand(city, at)
    no2 = (12.0 + 30.0 * traffic) * site * (0.7 + 0.3 * stagnation) + 0.12 * smog
    ozone = by_month(O3_MONTH, day) * by_hour(O3_DAY, at_hour)
    ozone = ozone * (1.25 - 0.5 * weather.cloud(city, at)) - 0.15 * no2
    return {
        "pm25": pm25 * jitter + 0.7 * chance.normal("air/pm25", keys, rows.nth),
        "pm10": np.maximum(pm10, pm25 * 1.08) * jitter
        + 1.2 * chance.normal("air/pm10", keys, rows.nth),
        "so2": 5.0 + 1.6 * chance.wander("air/so2", keys, at, 5400.0) + 0.01 * smog,
        "no2": no2 + 1.5 * chance.wander("air/no2", keys, at, 1500.0),
        "co": 0.35 + 0.009 * pm25 + 0.18 * traffic,
        "o3": np.maximum(4.0, ozone)
        + 1.5 * chance.wander("air/o3", keys, at, 1200.0)
        + 0.6 * chance.normal("air/o3'", keys, rows.nth),
    }


def _washout(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return the sum of R^0.7 over the two hours before, mm/h and h."""
    x, y = fleet.x_km[rows.index], fleet.y_km[rows.index]
    total = np.zeros(len(rows))
    for back_h in WASHOUT_H:
        total += 0.5 * rain.intensity(city, x, y, rows.at_s - back_h * 3600.0) ** 0.7
    return total


def _smog(city: City, at_s: Floats) -> Floats:
    """Return the particles that a pollution scenario adds, µg/m³."""
    total = np.zeros(len(at_s))
    for event in city.events.forcing("smog"):
        change_s = event.size / SMOG_PER_MIN * 60.0
        total += event.size * event.ramp(at_s, change_s, change_s)
    return total
