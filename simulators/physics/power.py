"""The city's electric load, the feeders' outages, and transformer heating by IEC 60076-7."""

from collections.abc import Sequence

import numpy as np

from simulators.core.calendar import by_hour, by_month, hour, is_free, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.events import Event
from simulators.physics.weather import base_temperature, heat_excess

SUMMER = (
    *(0.86, 0.81, 0.77, 0.74, 0.73, 0.73, 0.75, 0.79, 0.85, 0.90, 0.94, 0.97),
    *(0.985, 0.995, 0.985, 0.98, 0.975, 0.96, 0.955, 0.965, 0.985, 1.0, 0.97, 0.92),
)
"""Share of the day's peak; reproduces Chengdu's two records of 2025-07-16 (13:11 and 21:26)."""
WINTER = (
    *(0.62, 0.58, 0.56, 0.55, 0.55, 0.58, 0.66, 0.78, 0.88, 0.93, 0.95, 0.94),
    *(0.90, 0.87, 0.86, 0.86, 0.87, 0.91, 0.98, 1.0, 0.96, 0.90, 0.80, 0.70),
)
SPRING = (
    *(0.64, 0.60, 0.57, 0.56, 0.56, 0.59, 0.67, 0.78, 0.87, 0.93, 0.96, 0.95),
    *(0.90, 0.88, 0.89, 0.89, 0.88, 0.88, 0.92, 0.97, 1.0, 0.96, 0.85, 0.73),
)
SUMMER_SHARE = (0.0, 0.0, 0.0, 0.0, 0.2, 0.8, 1.0, 1.0, 0.6, 0.1, 0.0, 0.0)
WINTER_SHARE = (1.0, 0.9, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.6, 1.0)
COOLING_PER_K, COOLING_FROM_C = 0.03, 26.0
HEATING_PER_K, HEATING_BELOW_C = 0.015, 10.0
FREE_DAY = 0.94
MEMORY_H = 72.0
MEMORY_TAPS = np.arange(6.0, 240.0, 12.0)
"""Hours back at which the heat build-up samples temperature."""
COLD_PICKUP, COLD_PICKUP_S = 0.25, 300.0


def city_load(city: City, at_s: Floats) -> Floats:
    """Return the city's load as a share of a mild day's peak, about 0.55 to 1.5."""
    day = local_day(at_s)
    summer, winter = by_month(SUMMER_SHARE, day), by_month(WINTER_SHARE, day)
    at_hour = hour(at_s)
    profile = summer * by_hour(SUMMER, at_hour) + winter * by_hour(WINTER, at_hour)
    profile = profile + (1.0 - summer - winter) * by_hour(SPRING, at_hour)
    built_up = remembered_temperature(city, at_s) + heat_excess(city, at_s)
    weather = 1.0 + COOLING_PER_K * np.clip(built_up - COOLING_FROM_C, 0.0, None)
    weather = weather + HEATING_PER_K * np.clip(HEATING_BELOW_C - built_up, 0.0, None)
    free = np.where(is_free(day), FREE_DAY, 1.0)
    return profile * weather * free * (1 + 0.008 * city.chance.wander("load", 0, at_s, 1200.0))


def remembered_temperature(city: City, at_s: Floats) -> Floats:
    """Return the exponential mean of temperature over ``MEMORY_H`` (T72, heat build-up), °C."""
    hours = np.floor(at_s / 3600.0)
    distinct, place = np.unique(hours, return_inverse=True)
    weights = np.exp(-MEMORY_TAPS / MEMORY_H)
    past = base_temperature(city, (distinct[:, None] - MEMORY_TAPS) * 3600.0)
    now = (past * weights).sum(axis=1) / weights.sum()
    # both ends of the hour, so that the mean does not step
    past = base_temperature(city, (distinct[:, None] + 1 - MEMORY_TAPS) * 3600.0)
    then = (past * weights).sum(axis=1) / weights.sum()
    share = at_s / 3600.0 - hours
    return now[place] * (1 - share) + then[place] * share


def energised(city: City, feeders: Sequence[str | None], at_s: Floats, index: np.ndarray) -> Floats:
    """Return 1 where the feeder (by sensor index) has voltage, 0 during its outage."""
    alive = np.ones(len(at_s))
    for event in city.events.forcing("outage"):
        struck = np.array([f == event.where for f in feeders])
        alive = np.where(struck[index] & event.on(at_s), 0.0, alive)
    return alive


def feeders_out(city: City, at_s: float) -> list[str]:
    """Return the feeders without voltage at a moment."""
    at = np.array([at_s])
    return [event.where for event in city.events.forcing("outage") if event.on(at)[0]]


def supplied(
    city: City, feeders: Sequence[str | None], at_s: Floats, index: np.ndarray, lag_s: float
) -> Floats:
    """Return 0..1 of what a feeder drives: falls and comes back with time constant ``lag_s``."""
    level = np.ones(len(at_s))
    for event in city.events.forcing("outage"):
        struck = np.array([f == event.where for f in feeders])[index]
        fallen = 1.0 - np.exp(-np.clip(at_s - event.start, 0.0, event.end - event.start) / lag_s)
        lost = fallen * np.exp(-np.clip(at_s - event.end, 0.0, None) / lag_s)
        level = np.where(struck & (at_s >= event.start), level * (1.0 - lost), level)
    return level


def cold_pickup(event: Event, at_s: Floats) -> Floats:
    """Return the extra load share after an outage (motors and heaters start together), 0 else."""
    since = at_s - event.end
    return np.where(since >= 0, COLD_PICKUP * np.exp(-np.clip(since, 0, None) / COLD_PICKUP_S), 0.0)
