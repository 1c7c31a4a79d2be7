"""Water on low ground: dV/dt = runoff - pumps - pipes, per underpass.

Runoff is the rational method, psi * i * A; pumps stand still when their feeder is dead.
"""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet
from simulators.physics import power, rain

STEP_S = 30
WARMUP_S = 8 * 3600
RUNOFF = 0.85
PIPE_SHARE = 0.35
"""What drains by gravity, as a share of the pumps."""
CHUNK = 2_000
BURST_REACH_KM = 2.5
BURST_M3_S = 0.06


def depth(city: City, fleet: Fleet, at_s: Floats, index: np.ndarray) -> Floats:
    """Return the depth in m at times ``[n]`` for underpasses ``index [n]`` of the fleet."""
    found = city.slow("ponding", fleet, at_s, index, _integrate, step_s=STEP_S, warmup_s=WARMUP_S)
    return found[:, 0]


def may_be_wet(city: City, at_s: Floats) -> bool:
    """Tell whether anything can have put water on the ground by these times."""
    if not at_s.size:
        return False
    first, last = float(at_s.min()) - WARMUP_S, float(at_s.max())
    return bool(rain.cells(city, first, last)) or bool(city.events.forcing("burst"))


def _integrate(city: City, fleet: Fleet, grid: Floats) -> Floats:
    volumes = np.zeros((len(grid), len(fleet)), np.float64)
    area, catchment, pump = _shape(city, fleet)
    pace = city.events.lapse("storm", grid)
    if may_be_wet(city, grid):
        for start in range(0, len(fleet), CHUNK):
            part = slice(start, start + CHUNK)
            inflow = _inflow(city, fleet, part, grid, catchment, pump, pace)
            volumes[:, part] = _fill(inflow)
    return (np.sqrt(1.0 + 4.0 * volumes / area / 0.6) - 1.0)[:, :, None] * 0.3


def _shape(city: City, fleet: Fleet) -> tuple[Floats, Floats, Floats]:
    """Return flooded area at no depth (m²), catchment (m²) and pump capacity (m³/s)."""
    area = city.chance.between(700.0, 1300.0, "pond/area", fleet.keys)
    catchment = area * city.chance.between(7.0, 13.0, "pond/catchment", fleet.keys)
    design_mm_h = city.chance.between(26.0, 40.0, "pond/pump", fleet.keys)
    return area, catchment, RUNOFF * catchment * design_mm_h / 3.6e6


def _inflow(
    city: City,
    fleet: Fleet,
    part: slice,
    grid: Floats,
    catchment: Floats,
    pump: Floats,
    pace: Floats,
) -> Floats:
    """Return what comes in less what can go out in each step, m³, ``[T, S]``."""
    x, y, feeders = fleet.x_km[part], fleet.y_km[part], fleet.parents[part]
    mm_h = rain.intensity(city, x[None, :], y[None, :], grid[:, None])
    runoff = RUNOFF * catchment[part] * mm_h / 3.6e6
    alive = np.ones_like(mm_h)
    for place, feeder in enumerate(feeders):
        if city.events.striking("outage", feeder):
            alive[:, place] = power.energised(city, (feeder,), grid, np.zeros(len(grid), int))
    out = pump[part] * (alive * (1 - PIPE_SHARE) + PIPE_SHARE) * pace[:, None]
    return (runoff + _burst_water(city, x, y, grid) - out) * STEP_S


def _burst_water(city: City, x: Floats, y: Floats, grid: Floats) -> Floats:
    """Return what burst mains pour onto the nearest low ground, m³/s, ``[T, S]``."""
    mains = city.fleet("water_supply")
    total = np.zeros((len(grid), len(x)))
    for event in city.events.forcing("burst"):
        if event.where in mains.ids:
            main = mains.ids.index(event.where)
            far = np.hypot(x - mains.x_km[main], y - mains.y_km[main])
            near = np.clip(1 - far / BURST_REACH_KM, 0, 1)
            total += event.on(grid)[:, None] * BURST_M3_S * event.intensity * near
    return total


def _fill(inflow: Floats) -> Floats:
    """Return volumes ``[T, S]`` before each step: the running sum, never below nothing."""
    total = np.cumsum(np.vstack([np.zeros_like(inflow[:1]), inflow[:-1]]), axis=0)
    return total - np.minimum(np.minimum.accumulate(total, axis=0), 0.0)
