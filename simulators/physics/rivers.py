"""River flow: rain on each gauge's catchment through a Nash cascade, plus what comes from upstream.

Three equal linear reservoirs (Nash 1957); upstream flow arrives after the reach's travel time;
level from flow by Manning for a wide channel.
"""

from dataclasses import dataclass

import numpy as np

from simulators.core.calendar import by_month, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet
from simulators.physics import rain

STEP_S = 60
WARMUP_S = 5 * 86_400
RESERVOIRS = 3
RUNOFF = 0.55
MANNING_N = 0.03
SEASON = (0.75, 0.75, 0.85, 0.95, 1.0, 1.1, 1.25, 1.25, 1.15, 1.0, 0.9, 0.8)
"""Base flow over the year; winter closing for maintenance (岁修) lowers it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a gauge stands on. Engineering values; only the places are real."""

    base_m3_s: float
    """Flow without rain, that of upstream gauges included."""
    area_km2: float
    lag_h: float
    """Storage time of each of the cascade's reservoirs."""
    width_m: float
    slope: float
    travel_s: float = 0.0
    """From the upstream gauge to this one."""


ORDINARY = Reach(60.0, 90.0, 1.2, 45.0, 0.0006)
REACHES = {
    "river-dongzikou": Reach(62.0, 60.0, 0.9, 42.0, 0.0007),
    "river-hejiangting": Reach(74.0, 45.0, 0.9, 46.0, 0.0007, 2400.0),
    "river-wangjianglou": Reach(80.0, 15.0, 0.9, 50.0, 0.0007, 1500.0),
    "river-sanhuangmiao": Reach(320.0, 1600.0, 7.0, 160.0, 0.0005),
    "river-dujiangyan": Reach(260.0, 900.0, 6.0, 110.0, 0.002),
    "river-jinmahe": Reach(290.0, 300.0, 4.0, 180.0, 0.0012, 5 * 3600.0),
}


def flow(city: City, fleet: Fleet, at_s: Floats, index: np.ndarray) -> Floats:
    """Return flow in m³/s at times ``[n]`` for gauges ``index [n]``."""
    found = city.slow("rivers", fleet, at_s, index, _integrate, step_s=STEP_S, warmup_s=WARMUP_S)
    return found[:, 0]


def depth(fleet: Fleet, index: np.ndarray, flow_m3_s: Floats) -> Floats:
    """Return the water's depth in m for a flow: Manning, wide rectangular channel."""
    width = np.array([reach_of(i).width_m for i in fleet.ids])[index]
    slope = np.array([reach_of(i).slope for i in fleet.ids])[index]
    return (MANNING_N * flow_m3_s / (width * np.sqrt(slope))) ** 0.6


def reach_of(sensor: str) -> Reach:
    """Return the reach of a gauge, or of the gauge it is a twin of."""
    return REACHES.get(sensor.split("-t")[0], ORDINARY)


def _integrate(city: City, fleet: Fleet, grid: Floats) -> Floats:
    reaches = [reach_of(i) for i in fleet.ids]
    area = np.array([r.area_km2 for r in reaches])
    lag = np.array([r.lag_h for r in reaches]) * 3600.0
    pace = city.events.lapse("storm", grid)
    # the drill's storm falls in a fraction of nature's time, so its rate is that much higher
    rate = _areal_rain(city, fleet, grid) / pace[:, None]
    local = _cascade(RUNOFF * rate * area / 3.6, lag, pace)
    season = by_month(SEASON, local_day(grid))
    total = local + season[:, None] * np.array([r.base_m3_s for r in reaches])
    return _add_upstream(fleet, reaches, pace, local, total)[:, :, None]


def _areal_rain(city: City, fleet: Fleet, grid: Floats) -> Floats:
    """Return the mean rain of five points of each catchment, mm/h, ``[T, S]``."""
    total = np.zeros((len(grid), len(fleet)))
    for east, north in ((0, 0), (4, 0), (-4, 0), (0, 4), (0, -4)):
        x, y = fleet.x_km[None, :] + east, fleet.y_km[None, :] + north
        total += rain.intensity(city, x, y, grid[:, None])
    return total / 5.0


def _cascade(inflow: Floats, lag_s: Floats, pace: Floats) -> Floats:
    """Return the outflow of the last of the linear reservoirs, ``[T, S]``; all start empty."""
    if not inflow.any():
        return np.zeros_like(inflow)
    stores = np.zeros((RESERVOIRS, inflow.shape[1]))
    out = np.zeros_like(inflow)
    shares = 1.0 - np.exp(-STEP_S * pace[:, None] / lag_s[None, :])
    for step in range(1, len(inflow)):
        entering = inflow[step - 1]
        for store in stores:
            store += shares[step - 1] * (entering - store)
            entering = store
        out[step] = entering
    return out


def _add_upstream(
    fleet: Fleet,
    reaches: list[Reach],
    pace: Floats,
    local: Floats,
    total: Floats,
) -> Floats:
    """Add to each gauge the storm flow of those above it, late by the travel time."""
    storm, warped = local.copy(), np.cumsum(np.append(0.0, pace[:-1])) * STEP_S
    for gauge in _upstream_first(fleet):
        parent = fleet.parents[gauge]
        if parent in fleet.ids:
            above = fleet.ids.index(parent)
            late = warped - reaches[gauge].travel_s
            arriving = np.interp(late, warped, storm[:, above], left=0.0)
            storm[:, gauge] += arriving
            total[:, gauge] += arriving
    return total


def _upstream_first(fleet: Fleet) -> list[int]:
    """Return gauge indices so that a parent comes before its children."""
    order: list[int] = []
    while len(order) < len(fleet):
        for gauge, parent in enumerate(fleet.parents):
            known = parent not in fleet.ids or fleet.ids.index(parent) in order
            if gauge not in order and known:
                order.append(gauge)
    return order
