"""Drinking-water network: pressure against demand; pumps die with their feeder; mains burst.

Head loss grows with flow^1.852 (Hazen-Williams).
"""

import numpy as np

from simulators.core.calendar import by_hour, hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import power, weather

DEMAND = (
    *(0.45, 0.35, 0.30, 0.30, 0.35, 0.60, 1.05, 1.5, 1.45, 1.3, 1.25, 1.3),
    *(1.3, 1.1, 1.0, 1.0, 1.05, 1.2, 1.35, 1.4, 1.4, 1.3, 1.05, 0.70),
)
"""Share of the day's mean."""
PER_K, WARM_C = 0.015, 28.0
LOSS_MPA = 0.042
PUMP_LAG_S = 50.0
GRAVITY_SHARE = 0.22
"""What is left of the pressure without pumps."""
BURST_REACH_KM = 4.0
BURST_RISE_S, REPAIR_S = 45.0, 180.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    warm = np.clip(
        weather.base_temperature(city, at) + weather.heat_excess(city, at) - WARM_C, 0, 20
    )
    demand = by_hour(DEMAND, hour(at)) * (1 + PER_K * warm)
    demand = demand * (1 + 0.03 * chance.wander("water/demand", keys, at, 1500.0))
    burst = _burst(city, fleet, rows)
    pumps = power.supplied(city, fleet.parents, at, rows.index, PUMP_LAG_S)
    head = chance.between(0.365, 0.40, "water/head", keys) - LOSS_MPA * demand**1.852
    head = head * (GRAVITY_SHARE + (1 - GRAVITY_SHARE) * pumps) * (1 - 0.82 * burst)
    mean_m3_h = chance.between(260.0, 560.0, "water/mean", keys)
    stirred = 1 + 9.0 * burst + 0.6 * (1 - pumps)
    turbidity = 0.22 * np.exp(0.22 * chance.wander("water/turbidity", keys, at, 3600.0))
    return {
        "pressure_mpa": head + 0.0015 * chance.normal("water/pressure", keys, rows.nth),
        "flow_m3_h": mean_m3_h
        * demand
        * (0.15 + 0.85 * pumps)
        * (1 + 0.5 * burst)
        * (1 + 0.02 * chance.normal("water/flow", keys, rows.nth)),
        "chlorine_mg_l": _chlorine(city, at)
        + 0.02 * chance.wander("water/chlorine", keys, at, 3600.0)
        + 0.008 * chance.normal("water/chlorine'", keys, rows.nth),
        "turbidity_ntu": turbidity
        * stirred
        * (1 + 0.02 * chance.normal("water/stir", keys, rows.nth)),
        "ph": 7.5
        + 0.08 * chance.wander("water/ph", keys, at, 5400.0)
        + 0.01 * chance.normal("water/ph'", keys, rows.nth),
    }


def _chlorine(city: City, at_s: Floats) -> Floats:
    """Return free chlorine, mg/L: lower after the night's standstill and in warm water."""
    night = 0.04 * np.cos((hour(at_s) - 5.0) / 24 * 2 * np.pi)
    return 0.33 - night - 0.003 * np.clip(weather.base_temperature(city, at_s) - 20.0, 0, 15)


def _burst(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return 0..1 of how far a burst main is felt at each reading: 1 at the break."""
    felt = np.zeros(len(rows))
    mains = city.fleet("water_supply")
    for event in city.events.forcing("burst"):
        if event.where not in mains.ids:
            continue
        main = mains.ids.index(event.where)
        far = np.hypot(fleet.x_km - mains.x_km[main], fleet.y_km - mains.y_km[main])
        near = np.clip(1 - far / BURST_REACH_KM, 0.0, 1.0)[rows.index]
        course = event.ramp(rows.at_s, BURST_RISE_S, REPAIR_S)
        felt = np.maximum(felt, near * course * min(1.0, event.intensity))
    return felt
