"""The city's shapes for maps without tiles: districts, rings and rivers, as GeoJSON."""

import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.base import Floats, Text
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


def district_at(lon: float, lat: float) -> str | None:
    """Return the code of the district around a point; None outside the city."""
    return districts_at(np.array([lon]), np.array([lat]))[0] or None


def districts_at(lon: Floats, lat: Floats) -> list[str]:
    """Return the code of the district around each point, "" outside the city; degrees, ``[n]``."""
    found = np.full(len(lon), "", object)
    for code, parts in _outlines():
        for outer, *holes in parts:
            west, south = outer.min(axis=0)
            east, north = outer.max(axis=0)
            near = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north) & (found == "")
            at = np.flatnonzero(near)
            if not len(at):
                continue
            inside = _inside(lon[at], lat[at], outer)
            for hole in holes:
                inside &= ~_inside(lon[at], lat[at], hole)
            found[at[inside]] = code
    return found.tolist()


@cache
def _outlines() -> tuple[tuple[str, list[list[Floats]]], ...]:
    """Return each district's code and polygons: rings ``[points, lon and lat]``, outer first."""
    found: list[tuple[str, list[list[Floats]]]] = []
    for code, shape in boundaries().items():
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        found.append((code, [[np.array(ring)[:, :2] for ring in part] for part in parts]))
    return tuple(found)


def _inside(lon: Floats, lat: Floats, ring: Floats) -> NDArray[np.bool_]:
    """Tell of which points a ray to the east crosses the ring an odd number of times."""
    x1, y1 = ring.T
    x2, y2 = np.roll(ring, -1, axis=0).T
    rise = np.where(y1 == y2, 1.0, y2 - y1)
    north, east = lat[:, None], lon[:, None]
    crossed = ((y1 > north) != (y2 > north)) & (east < x1 + (north - y1) * (x2 - x1) / rise)
    return crossed.sum(axis=1) % 2 == 1


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
