"""Sanitation trucks: a loop from the depot by day, filled on the way, emptied at its end."""

import numpy as np

from catalog.places import KM_PER_DEGREE
from catalog.site import site
from simulators.core.calendar import hour
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows

BEGIN_H, END_H = 5.0, 17.0
LOOP_S = 7200.0
RADIUS_KM = (1.5, 5.0)
FULL_T = (5.0, 8.5)


def simulate(city: City, fleet: Fleet, rows: Rows) -> dict[str, Floats]:
    """Return place, speed, load and whether it sweeps; at night it stands at the depot."""
    chance, keys, at = city.chance, fleet.keys[rows.index], rows.at_s
    clock = hour(at)
    out = (clock >= BEGIN_H) & (clock < END_H)
    begin = chance.between(0.0, LOOP_S, "truck/begin", keys)
    turn = np.where(out, ((at + begin) % LOOP_S) / LOOP_S, 0.0)
    radius = chance.between(*RADIUS_KM, "truck/radius", keys)
    heading = chance.between(0.0, 2 * np.pi, "truck/heading", keys)
    # a circle that begins and ends at the depot
    angle = heading + 2 * np.pi * turn
    east = fleet.x_km[rows.index] + radius * (np.cos(angle) - np.cos(heading))
    north = fleet.y_km[rows.index] + radius * (np.sin(angle) - np.sin(heading))
    km_h = 2 * np.pi * radius / (LOOP_S / 3600)
    wobble = 1.0 + 0.1 * chance.normal("truck/speed", keys, rows.nth)
    lon, lat = site().centre
    return {
        "lon": lon + east / (KM_PER_DEGREE * np.cos(np.radians(lat))),
        "lat": lat + north / KM_PER_DEGREE,
        "speed_kmh": np.where(out, km_h * wobble, 0.0),
        "load_t": turn * chance.between(*FULL_T, "truck/full", keys),
        "sweeping": (out & (turn > 0.1) & (turn < 0.9)).astype(np.float64),
    }
