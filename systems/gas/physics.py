"""Leaks of the gas network: methane in the wells near by, pressure lost at the stations.

A well fills as 1 - e^(-t/τ) and airs itself out when the leak is closed.
"""

import numpy as np

from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.fleet import Fleet, Rows

TAU_S, AIRING_S = 1500.0, 900.0
"""By nature; a scenario that runs faster than nature fills and airs faster."""
FULL_LEL = 90.0
WELLS_KM = 1.2
RISE_S, REPAIR_S = 60.0, 180.0


def methane(city: City, fleet: Fleet, rows: Rows) -> Floats:
    """Return what leaks add to the methane of these wells' readings, % of LEL."""
    found = np.zeros(len(rows))
    for event, near in _struck(city, fleet, rows, WELLS_KM):
        found = found + FULL_LEL * near * min(1.5, event.intensity) * _filled(event, rows.at_s)
    return found


def felt(city: City, fleet: Fleet, rows: Rows, reach_km: float) -> Floats:
    """Return 0..1 of how far a leak takes pressure at each reading of these stations."""
    found = np.zeros(len(rows))
    for event, near in _struck(city, fleet, rows, reach_km):
        course = event.ramp(rows.at_s, RISE_S, REPAIR_S)
        found = np.maximum(found, near * course * min(1.0, event.intensity))
    return found


def _struck(city: City, fleet: Fleet, rows: Rows, reach_km: float) -> list[tuple[Event, Floats]]:
    """Return the leaks with how near (1 at the leak, 0 beyond the reach) each reading is."""
    wells = city.fleet("gas_well")
    struck = []
    for event in city.events.forcing("gas_leak"):
        if event.where in wells.ids:
            at = wells.ids.index(event.where)
            far = np.hypot(fleet.x_km - wells.x_km[at], fleet.y_km - wells.y_km[at])
            struck.append((event, np.clip(1 - far / reach_km, 0.0, 1.0)[rows.index]))
    return struck


def _filled(event: Event, at_s: Floats) -> Floats:
    """Return 0..1 of how full of gas a well is."""
    since = np.clip((np.minimum(at_s, event.end) - event.start) * event.lapse, 0.0, None)
    airing = np.clip((at_s - event.end) * event.lapse, 0.0, None)
    return (1 - np.exp(-since / TAU_S)) * np.exp(-airing / AIRING_S)
