"""Who is inside: a polygon, or the sector that a plume covers downwind."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.places import KM_PER_DEGREE
from catalog.site import Point

Floats = NDArray[np.float64]


def in_polygon(ring: Sequence[Point], points: Floats) -> NDArray[np.bool_]:
    """Tell which ``points [n, 2]`` (lon, lat) lie in a ring, by crossings of a ray to the east.

    The ring need not be closed and may cross itself (even-odd rule). A point on its western or
    southern edge is inside, on the others it is not, so that neighbours share none.
    """
    corners = np.asarray(ring, float).reshape(-1, 2)
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        meets = (y1 > y) != (y2 > y)
        inside ^= meets & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside


def in_sector(
    origin: Point, wind_from_deg: float, half_angle_deg: float, reach_km: float, points: Floats
) -> NDArray[np.bool_]:
    """Tell which ``points [n, 2]`` (lon, lat) lie downwind of ``origin``: at most ``reach_km`` away
    and at most ``half_angle_deg`` off the way that the wind blows. The origin itself is inside."""
    east = (points[:, 0] - origin[0]) * KM_PER_DEGREE * math.cos(math.radians(origin[1]))
    north = (points[:, 1] - origin[1]) * KM_PER_DEGREE
    away = np.hypot(east, north)
    bearing = np.degrees(np.arctan2(east, north))
    off = (bearing - (wind_from_deg + 180.0) + 180.0) % 360.0 - 180.0
    return (away <= reach_km) & ((np.abs(off) <= half_angle_deg) | (away == 0.0))
