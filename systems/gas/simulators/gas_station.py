"""Regulating stations: three meals a day, winter, and what a leak takes away."""

import numpy as np

from simulators.core.calendar import by_hour, by_month, hour, local_day
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.physics import weather
from systems.gas import physics

DEMAND = (
    *(0.35, 0.30, 0.28, 0.28, 0.35, 0.70, 1.35, 1.70, 1.15, 0.85, 0.95, 1.55),
    *(1.50, 0.85, 0.70, 0.75, 1.05, 1.75, 2.00, 1.70, 1.25, 0.95, 0.65, 0.45),
)
"""By hour, around 1; meals at 7, 12 and 18."""
WINTER = (1.6, 1.5, 1.2, 1.0, 0.85, 0.75, 0.7, 0.7, 0.8, 0.95, 1.2, 1.5)
SET_KPA, DROOP_KPA = 2.55, 0.09
LEAK_REACH_KM = 2.5
LEAK_LOSS = 0.42


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return all metrics of these readings."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    demand = by_hour(DEMAND, hour(at)) * by_month(WINTER, local_day(at))
    demand = demand * (1 + 0.03 * chance.wander("gas/demand", keys, at, 1200.0))
    leak = physics.felt(city, fleet, rows, LEAK_REACH_KM)
    mean = chance.between(500.0, 1300.0, "gas/mean", keys)
    inlet = chance.between(0.30, 0.33, "gas/inlet", keys) - 0.012 * demand**2
    outlet = SET_KPA - DROOP_KPA * demand + 0.02 * chance.wander("gas/outlet", keys, at, 900.0)
    air = weather.base_temperature(city, at)
    return {
        "inlet_mpa": inlet * (1 - 0.25 * leak) + 0.0006 * chance.normal("gas/in", keys, rows.nth),
        "outlet_kpa": outlet * (1 - LEAK_LOSS * leak)
        + 0.008 * chance.normal("gas/out", keys, rows.nth),
        "flow_m3_h": mean
        * (demand + 1.2 * leak)
        * (1 + 0.012 * chance.normal("gas/flow", keys, rows.nth)),
        "temp_c": 14.0 + 0.35 * (air - 14.0) + 0.15 * chance.normal("gas/temp", keys, rows.nth),
        "filter_kpa": np.clip(
            chance.between(2.0, 5.0, "gas/filter", keys) * (0.7 + 0.35 * demand)
            + 0.12 * chance.normal("gas/filter'", keys, rows.nth),
            0.0,
            None,
        ),
    }
