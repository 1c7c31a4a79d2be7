"""Lane detectors: demand over the day, speed by the BPR curve; water and dark signals slow it."""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import roads

CAPACITY_VEH_H = 1500.0
VEHICLE_KM = 0.0065
BPR = 0.45
LEAST_KM_H = 3.0


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    busy = chance.between(0.6, 0.92, "traffic/busy", keys)
    drift = 1 + 0.06 * chance.wander("traffic/drift", keys, at, 900.0)
    share = roads.demand(city, at) * busy * drift
    slow = roads.slowing(city, fleet, rows)
    free = chance.between(46.0, 66.0, "traffic/free", keys)
    jitter = 1 + 0.035 * chance.normal("traffic/jitter", keys, rows.nth)
    speed = np.maximum(LEAST_KM_H, free / (1 + BPR * share**4) * slow * jitter)
    # a blocked lane passes few vehicles, however many want to
    passing = np.clip(1.25 * slow, 0.0, 1.0)
    flow = CAPACITY_VEH_H * share * passing * (1 + 0.05 * chance.normal("flow", keys, rows.nth))
    # a standing queue covers the loop
    queue = 55.0 * np.clip(1 - 2.2 * slow, 0.0, 1.0)
    return {
        "flow_veh_h": flow,
        "speed_km_h": speed,
        "occupancy_pct": np.minimum(95.0, 100 * VEHICLE_KM * flow / speed + queue),
    }
