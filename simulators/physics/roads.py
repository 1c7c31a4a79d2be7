"""Traffic demand over the day and what slows it: rain, water on the road, dark signals."""

import numpy as np

from simulators.core.calendar import by_hour, hour, is_free, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import ponding, power
from simulators.physics.rain import intensity

WEEKDAY = (
    *(0.22, 0.15, 0.11, 0.09, 0.10, 0.18, 0.42, 0.85, 1.0, 0.88, 0.80, 0.78),
    *(0.76, 0.76, 0.78, 0.80, 0.84, 0.95, 0.98, 0.80, 0.66, 0.58, 0.48, 0.34),
)
WEEKEND = (
    *(0.28, 0.20, 0.15, 0.12, 0.12, 0.16, 0.28, 0.45, 0.62, 0.72, 0.80, 0.82),
    *(0.80, 0.80, 0.82, 0.84, 0.86, 0.88, 0.86, 0.80, 0.74, 0.66, 0.56, 0.42),
)
FLOOD_REACH_KM = 1.6
CLOSED_M = 0.30
"""Depth at which an underpass is closed (Chengdu painted line, 2013)."""
DARK_SPEED = 0.16
JAM_LAG_S = 60.0
QUEUE_S, DISSOLVE_S = 120.0, 600.0
"""How long a queue takes to stand behind a blockage, and to dissolve after it (engineering)."""
MOST_BLOCKED = 0.9


def demand(city: City, at_s: Floats) -> Floats:
    """Return the city's traffic as a share of the weekday peak."""
    at_hour = hour(at_s)
    free = is_free(local_day(at_s))
    return np.where(free, by_hour(WEEKEND, at_hour), by_hour(WEEKDAY, at_hour))


def slowing(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return the factor on speed at detectors: rain, nearby ponding, burst mains, dark signals."""
    at, index = rows.at_s, rows.index
    rain = intensity(city, fleet.x_km[index], fleet.y_km[index], at)
    factor = 1.0 - 0.15 * np.clip(rain / 16.0, 0.0, 1.0)
    factor = factor * (1.0 - 0.88 * np.clip(_water_near(city, fleet, rows) / CLOSED_M, 0, 1) ** 2)
    lit = power.supplied(city, fleet.parents, at, index, JAM_LAG_S)
    return factor * (DARK_SPEED + (1.0 - DARK_SPEED) * lit)


def capacity(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return the share of its lanes that is open at each detector: blocked by accidents, else 1."""
    left = np.ones(len(rows))
    for event in city.events.forcing("blockage"):
        mine = np.flatnonzero(np.array([id == event.where for id in fleet.ids])[rows.index])
        blocked = min(event.size, MOST_BLOCKED) * event.ramp(rows.at_s[mine], QUEUE_S, DISSOLVE_S)
        left[mine] = np.minimum(left[mine], 1.0 - blocked)
    return left


def _water_near(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return the depth at the deepest underpass within reach, m."""
    ponds = city.fleet("waterlogging")
    far = np.hypot(
        fleet.x_km[:, None] - ponds.x_km[None, :], fleet.y_km[:, None] - ponds.y_km[None, :]
    )
    depth = np.zeros(len(rows))
    if not ponding.may_be_wet(city, rows.at_s):
        return depth
    for sensor, pond in zip(*np.nonzero(far < FLOOD_REACH_KM), strict=True):
        mine = np.flatnonzero(rows.index == sensor)
        if len(mine):
            there = ponding.depth(city, ponds, rows.at_s[mine], np.full(len(mine), pond))
            depth[mine] = np.maximum(depth[mine], there)
    return depth
