"""The city's shapes for maps without tiles: districts, rings and rivers, as GeoJSON."""

import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from catalog.model import Text
from catalog.places import KM_PER_DEGREE
from catalog.site import Point, site

RING_POINTS = 72


@cache
def boundaries() -> dict[str, dict[str, Any]]:
    """Return each district's GeoJSON geometry (Polygon or MultiPolygon) by code, in order."""
    features = json.loads(site().boundaries.read_text())["features"]
    found = {f["id"]: f["geometry"] for f in features}
    return {code: found[code] for code in site().districts}


def ring_road(radius_km: float) -> list[Point]:
    """Return a closed circle around the centre."""
    radius = radius_km / KM_PER_DEGREE
    lon, lat = site().centre
    squeeze = math.cos(math.radians(lat))  # a degree of longitude over a degree of latitude
    turns = (2 * math.pi * n / RING_POINTS for n in range(RING_POINTS + 1))
    return [
        _rounded((lon + radius * math.cos(a) / squeeze, lat + radius * math.sin(a))) for a in turns
    ]


@cache
def geojson() -> dict[str, Any]:
    """Return a FeatureCollection; ``properties``: name (code), kind, title_zh, title_en.

    ``kind`` is ``district`` (Polygon or MultiPolygon), ``ring`` or ``river`` (LineString).
    """
    districts = site().districts
    features = [
        _feature(code, "district", districts[code].title, shape["type"], shape["coordinates"])
        for code, shape in boundaries().items()
    ]
    features += [
        _feature(name, "ring", title, "LineString", ring_road(km))
        for name, (title, km) in site().rings_km.items()
    ]
    features += [
        _feature(name, "river", title, "LineString", course)
        for name, (title, course) in site().rivers.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def _feature(
    name: str, kind: str, title: Text, shape: str, points: Sequence[Any]
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": name,
        "properties": {"name": name, "kind": kind, "title_zh": title.zh, "title_en": title.en},
        "geometry": {"type": shape, "coordinates": list(points)},
    }


def _rounded(point: Point) -> Point:
    return round(point[0], 5), round(point[1], 5)
