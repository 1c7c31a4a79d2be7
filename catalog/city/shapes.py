"""Schematic shapes of the city for maps without tiles: districts, rings and rivers.

No surveyed boundaries: a district is the land nearer to its site than to any other (a power
diagram inside a hand-drawn outline of the city), which is right in place and order and wrong in
detail. All coordinates are WGS-84 degrees (longitude, latitude).
"""

import math
from functools import cache
from typing import Any

from catalog.city.districts import CENTRAL, DISTRICTS
from catalog.model import Text, text

Point = tuple[float, float]
Ring = list[Point]

CENTRE: Point = (104.066, 30.657)
"""Tianfu Square."""
CENTRE_WEIGHT = -0.006
SITES: dict[str, Point] = {"510116": (103.99, 30.475), "510185": (104.52, 30.38)}
"""Where the middle of a district is far from its seat."""
KM_PER_DEGREE = 111.32
SQUEEZE = math.cos(math.radians(CENTRE[1]))
"""A degree of longitude over a degree of latitude."""
RING_POINTS = 72

OUTLINE: Ring = [
    (103.47, 31.22),
    (103.62, 31.34),
    (103.78, 31.43),
    (103.95, 31.30),
    (104.05, 31.13),
    (104.20, 30.97),
    (104.33, 30.99),
    (104.48, 31.02),
    (104.66, 30.97),
    (104.87, 30.78),
    (104.80, 30.62),
    (104.89, 30.45),
    (104.78, 30.25),
    (104.55, 30.15),
    (104.38, 30.22),
    (104.20, 30.16),
    (104.03, 30.22),
    (103.85, 30.30),
    (103.70, 30.22),
    (103.55, 30.10),
    (103.36, 30.11),
    (103.28, 30.22),
    (103.12, 30.28),
    (103.00, 30.43),
    (103.05, 30.62),
    (103.22, 30.78),
    (103.30, 30.92),
    (103.42, 31.05),
]
RINGS_KM = {
    "ring-1": (text("一环路", "Ring 1"), 3.1),
    "ring-2": (text("二环路", "Ring 2"), 4.5),
    "ring-3": (text("三环路", "Ring 3"), 8.1),
    "ring-4": (text("绕城高速", "Ring expressway"), 13.5),
}
"""Mean radius from the road's length."""
RIVERS: dict[str, tuple[Text, Ring]] = {
    "jinma": (
        text("金马河", "Jinma River"),
        [(103.61, 31.00), (103.70, 30.83), (103.79, 30.69), (103.82, 30.55), (103.83, 30.41)],
    ),
    "fu": (
        text("府河", "Fu River"),
        [
            (103.61, 31.00),
            (103.83, 30.86),
            (104.00, 30.75),
            (104.04, 30.71),
            (104.09, 30.68),
            (104.087, 30.648),
        ],
    ),
    "nan": (
        text("南河", "Nan River"),
        [(103.61, 31.00), (103.85, 30.78), (103.97, 30.68), (104.03, 30.655), (104.087, 30.648)],
    ),
    "jin": (
        text("锦江", "Jin River"),
        [(104.087, 30.648), (104.097, 30.633), (104.07, 30.55), (104.05, 30.45), (103.99, 30.33)],
    ),
    "pi": (
        text("毗河", "Pi River"),
        [(103.83, 30.86), (104.02, 30.80), (104.16, 30.80), (104.27, 30.86), (104.41, 30.85)],
    ),
    "tuo": (
        text("沱江", "Tuo River"),
        [(104.41, 30.85), (104.50, 30.70), (104.52, 30.55), (104.55, 30.41), (104.62, 30.22)],
    ),
}


@cache
def district_shapes() -> dict[str, tuple[Point, ...]]:
    """Return each district's closed ring of points by code; together they fill the outline."""
    sites = {code: SITES.get(code, (d.lon, d.lat)) for code, d in DISTRICTS.items()}
    outer = {code: site for code, site in sites.items() if code not in CENTRAL}
    outer_sites = [(site, 0.0) for site in outer.values()]
    shapes = {
        code: _cell(OUTLINE, (site, 0.0), [*outer_sites, (CENTRE, CENTRE_WEIGHT)])
        for code, site in outer.items()
    }
    middle = _cell(OUTLINE, (CENTRE, CENTRE_WEIGHT), outer_sites)
    inner = [(sites[code], 0.0) for code in CENTRAL]
    shapes |= {code: _cell(middle, (sites[code], 0.0), inner) for code in CENTRAL}
    return {code: (*shapes[code], shapes[code][0]) for code in DISTRICTS}


def ring_road(radius_km: float) -> Ring:
    """Return a closed circle around the centre."""
    radius = radius_km / KM_PER_DEGREE
    turns = (2 * math.pi * n / RING_POINTS for n in range(RING_POINTS + 1))
    return [
        _rounded((CENTRE[0] + radius * math.cos(a) / SQUEEZE, CENTRE[1] + radius * math.sin(a)))
        for a in turns
    ]


@cache
def geojson() -> dict[str, Any]:
    """Return a FeatureCollection; ``properties``: name (code), kind, title_zh, title_en.

    ``kind`` is ``district`` (Polygon), ``ring`` or ``river`` (LineString).
    """
    features = [
        _feature(code, "district", DISTRICTS[code].title, "Polygon", [list(shape)])
        for code, shape in district_shapes().items()
    ]
    features += [
        _feature(name, "ring", title, "LineString", ring_road(km))
        for name, (title, km) in RINGS_KM.items()
    ]
    features += [
        _feature(name, "river", title, "LineString", course)
        for name, (title, course) in RIVERS.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def _feature(name: str, kind: str, title: Text, shape: str, points: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": name,
        "properties": {"name": name, "kind": kind, "title_zh": title.zh, "title_en": title.en},
        "geometry": {"type": shape, "coordinates": points},
    }


def _cell(inside: Ring, own: tuple[Point, float], all_sites: list[tuple[Point, float]]) -> Ring:
    """Cut ``inside`` down to what is nearer to the own site than to any other."""
    cell = inside
    for other in all_sites:
        if other != own:
            cell = _cut(cell, own, other)
    return [_rounded(point) for point in cell]


def _cut(ring: Ring, own: tuple[Point, float], other: tuple[Point, float]) -> Ring:
    """Return the part of the ring on the own side of the line between two weighted sites."""
    kept: Ring = []
    for here, there in zip(ring, [*ring[1:], ring[0]], strict=True):
        a, b = (_power(p, other) - _power(p, own) for p in (here, there))
        if a >= 0:
            kept.append(here)
        if (a >= 0) != (b >= 0):
            share = a / (a - b)
            kept.append(tuple(h + share * (t - h) for h, t in zip(here, there, strict=True)))  # pyright: ignore[reportArgumentType]
    return kept


def _power(point: Point, site: tuple[Point, float]) -> float:
    (lon, lat), weight = site
    return ((point[0] - lon) * SQUEEZE) ** 2 + (point[1] - lat) ** 2 - weight


def _rounded(point: Point) -> Point:
    return round(point[0], 5), round(point[1], 5)
