"""Main roads: rings and radials round Tianfu Square. Synthetic, on the radii of the real rings."""

import math

from catalog.base import Severity, text
from catalog.network import Closure, Link, LinkCost, Network
from catalog.places import KM_PER_DEGREE
from catalog.site import Point

CENTRE = (104.066, 30.657)
RADII_KM = (0.8, 1.6, 2.4, 3.1, 3.8, 4.5, 5.7, 6.9, 8.1, 9.9, 11.7, 13.5, 16.0, 19.0)
SPOKES = 32
RINGS_KM_H = {3.1: 45.0, 4.5: 60.0, 8.1: 70.0, 13.5: 90.0}
"""Free speed on the four ring roads; 40 km/h elsewhere on rings, 50 km/h on radials."""


def _place(ring: int, spoke: int) -> Point:
    bearing = 2 * math.pi * spoke / SPOKES
    # streets are not drawn with compasses
    radius = RADII_KM[ring] * (1 + 0.03 * math.sin(3 * bearing + ring))
    lat = CENTRE[1] + radius * math.cos(bearing) / KM_PER_DEGREE
    km = KM_PER_DEGREE * math.cos(math.radians(CENTRE[1]))
    return round(CENTRE[0] + radius * math.sin(bearing) / km, 5), round(lat, 5)


def _km(a: Point, b: Point) -> float:
    scale = math.cos(math.radians(CENTRE[1]))
    return KM_PER_DEGREE * math.hypot((a[0] - b[0]) * scale, a[1] - b[1])


def _network() -> Network:
    rings, spokes = range(len(RADII_KM)), range(SPOKES)
    nodes = {f"r{r}-{s}": _place(r, s) for r in rings for s in spokes}
    links = []
    for ring in rings:
        for spoke in spokes:
            here = f"r{ring}-{spoke}"
            ways = [(f"r{ring}-{(spoke + 1) % SPOKES}", RINGS_KM_H.get(RADII_KM[ring], 40.0))]
            if ring + 1 < len(RADII_KM):
                ways.append((f"r{ring + 1}-{spoke}", 50.0))
            for there, km_h in ways:
                seconds = _km(nodes[here], nodes[there]) / km_h * 3600
                links.append(Link(f"{here}>{there}", here, there, round(seconds, 1)))
    return Network(
        name="roads",
        domain="traffic",
        title=text("主干路网", "Main roads"),
        nodes=nodes,
        links=tuple(links),
        cost=LinkCost(stream="traffic_link", metric="speed_ratio", within_m=2500, fresh_s=300),
        closures=(
            # 0.27 m: where underpasses are closed
            Closure(rule="waterlogging.ponding", severity=Severity.ORANGE, within_m=350),
        ),
    )


NETWORK = _network()
