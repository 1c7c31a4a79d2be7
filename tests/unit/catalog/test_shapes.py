"""The city's shapes: real districts that share their borders, each with its seat in it."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from catalog.sensors import sensors
from catalog.shapes import boundaries, geojson
from catalog.site import Point, site


def rings(code: str) -> Iterator[list[Point]]:
    """Yield every ring of a district, holes too."""
    shape = boundaries()[code]
    whole = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    for polygon in whole:
        for ring in polygon:
            yield [(x, y) for x, y in ring]


def inside(point: Point, code: str) -> bool:
    crossings = 0
    for ring in rings(code):
        for (ax, ay), (bx, by) in pairwise(ring):
            if (ay > point[1]) != (by > point[1]):
                crossings += point[0] < ax + (point[1] - ay) * (bx - ax) / (by - ay)
    return crossings % 2 == 1


def test_neighbours_share_their_borders_without_gap_or_overlap() -> None:
    drawn = [edge for code in site().districts for ring in rings(code) for edge in pairwise(ring)]
    counted = Counter(frozenset(edge) for edge in drawn)
    assert set(counted.values()) == {1, 2}
    assert sum(times == 2 for times in counted.values()) > sum(t == 1 for t in counted.values())
    assert all(ring[0] == ring[-1] and len(ring) > 3 for c in site().districts for ring in rings(c))


@pytest.mark.parametrize("code", site().districts)
def test_a_seat_lies_in_its_own_district_only(code: str) -> None:
    seat = (site().districts[code].lon, site().districts[code].lat)
    assert [c for c in site().districts if inside(seat, c)] == [code]


def test_sensors_lie_in_the_city_and_most_of_them_in_their_district() -> None:
    found = [
        (one.district, [c for c in site().districts if inside((one.lon, one.lat), c)])
        for one in sensors()
    ]
    assert sum(district in there for district, there in found) > 0.8 * len(found)


def test_the_geojson_names_every_district_in_both_languages() -> None:
    found = {f["id"]: f["properties"] for f in geojson()["features"]}
    assert set(site().districts) <= set(found)
    assert found["510104"] == {
        "name": "510104",
        "kind": "district",
        "title_zh": "锦江区",
        "title_en": "Jinjiang",
    }
    assert {p["kind"] for p in found.values()} == {"district", "ring", "river"}
