"""Air temperature, cloud, radiation, wind and humidity as fields over the city.

Monthly means: Chengdu (temperature), Dujiangyan 1981-2010 (humidity). The sun is Chengdu's:
solar noon is 13:04 Beijing time all year, the day's highest temperature about 16:00.
"""

import numpy as np

from simulators.core.calendar import by_month, day_of_year, hour, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.physics.rain import intensity

MONTH_C = (6.0, 7.6, 13.0, 18.0, 21.0, 24.0, 26.0, 26.0, 22.0, 16.0, 12.0, 7.0)
MONTH_RH = (82.0, 81.0, 79.0, 77.0, 73.0, 77.0, 81.0, 81.0, 83.0, 85.0, 83.0, 82.0)
LATITUDE = np.radians(30.66)
SOLAR_NOON_H = 13.07
COOLEST_H, HOTTEST_H = 6.5, 16.0
CLEAR_SKY_W = 1050.0
DAY_S = 86_400.0
HEAT_RISE_S = 60.0
HEAT_FALL_S = 120.0
HEAT_ISLAND_K, HEAT_ISLAND_KM = 1.5, 12.0


def temperature(city: City, x_km: Floats, y_km: Floats, at_s: Floats) -> Floats:
    """Return air temperature, °C, at places and times that broadcast."""
    island = HEAT_ISLAND_K * np.exp(-(x_km**2 + y_km**2) / (2 * HEAT_ISLAND_KM**2)) - 0.6
    cooling = 3.0 * np.tanh(intensity(city, x_km, y_km, at_s) / 40.0)
    return _with_heat(city, at_s, base_temperature(city, at_s) + island - cooling)


def base_temperature(city: City, at_s: Floats) -> Floats:
    """Return the plain's air temperature without heat island, rain or scenario, °C."""
    anomaly = 2.0 * city.chance.wander("weather/anomaly", 0, at_s, 3 * DAY_S)
    half = 5.5 - 2.5 * _day_cloud(city, at_s)
    return by_month(MONTH_C, local_day(at_s)) + anomaly + half * _daily_wave(hour(at_s))


def heat_excess(city: City, at_s: Floats) -> Floats:
    """Return how far a heatwave lifts the plain's temperature above its own, K."""
    base = base_temperature(city, at_s)
    return np.maximum(0.0, _with_heat(city, at_s, base) - base)


def cloud(city: City, at_s: Floats) -> Floats:
    """Return cloud cover 0..1; Chengdu is among the cloudiest large cities."""
    fast = 0.18 * city.chance.wander("weather/cloud", 0, at_s, 2 * 3600.0)
    return np.clip(_day_cloud(city, at_s) + fast, 0.05, 1.0)


def radiation(city: City, at_s: Floats) -> Floats:
    """Return global radiation, W/m², from the sun's elevation and cloud."""
    tilt = -np.radians(23.44) * np.cos(2 * np.pi * (day_of_year(local_day(at_s)) + 10) / 365.25)
    angle = np.radians(15.0 * (hour(at_s) - SOLAR_NOON_H))
    elevation = np.sin(LATITUDE) * np.sin(tilt) + np.cos(LATITUDE) * np.cos(tilt) * np.cos(angle)
    clear = CLEAR_SKY_W * np.clip(elevation, 0.0, None)
    return clear * (1.0 - 0.75 * cloud(city, at_s) ** 1.5)


def wind(city: City, at_s: Floats) -> Floats:
    """Return the plain's mean wind, m/s: mostly calm, a little more by day."""
    by_day = 0.35 * np.clip(_daily_wave(hour(at_s)), 0, None)
    return 1.05 * np.exp(0.45 * city.chance.wander("weather/wind", 0, at_s, 5400.0) + by_day)


def humidity(city: City, air_c: Floats, rain_mm_h: Floats, at_s: Floats) -> Floats:
    """Return relative humidity, %: falls as the day warms, rises with rain."""
    monthly = by_month(MONTH_RH, local_day(at_s))
    warmer = air_c - by_month(MONTH_C, local_day(at_s))
    return np.clip(monthly - 2.0 * warmer + 8.0 * np.tanh(rain_mm_h / 5.0), 22.0, 99.0)


def _with_heat(city: City, at_s: Floats, air_c: Floats) -> Floats:
    """Return the temperature under the heatwaves: they lift every place to their size."""
    for event in city.events.forcing("heat"):
        share = event.ramp(at_s, HEAT_RISE_S, HEAT_FALL_S)
        air_c = air_c + share * np.maximum(0.0, event.size - air_c)
    return air_c


def _day_cloud(city: City, at_s: Floats) -> Floats:
    return np.clip(0.7 + 0.2 * city.chance.wander("weather/day-cloud", 0, at_s, DAY_S), 0.1, 1.0)


def _daily_wave(at_hour: Floats) -> Floats:
    """Return -1 at ``COOLEST_H`` up to 1 at ``HOTTEST_H``, smooth, falling through the night."""
    warming = HOTTEST_H - COOLEST_H
    since = (at_hour - COOLEST_H) % 24.0
    rising = since / warming
    falling = (since - warming) / (24.0 - warming)
    return np.where(since < warming, -np.cos(np.pi * rising), np.cos(np.pi * falling))
