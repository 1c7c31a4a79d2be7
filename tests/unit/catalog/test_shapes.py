"""The city's schematic shapes: every place belongs to one district."""

from itertools import pairwise

import pytest

from catalog.city.districts import DISTRICTS
from catalog.city.shapes import OUTLINE, Point, district_shapes, geojson


def area(ring: list[Point] | tuple[Point, ...]) -> float:
    turned = [*ring[1:], ring[0]]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, turned, strict=True))) / 2


def inside(point: Point, ring: tuple[Point, ...]) -> bool:
    crossings = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > point[1]) != (by > point[1]):
            crossings += point[0] < ax + (point[1] - ay) * (bx - ax) / (by - ay)
    return crossings % 2 == 1


def test_districts_fill_the_city_without_gap_or_overlap() -> None:
    assert sum(map(area, district_shapes().values())) == pytest.approx(area(OUTLINE), rel=1e-4)


@pytest.mark.parametrize("code", DISTRICTS)
def test_a_seat_lies_in_its_own_district_only(code: str) -> None:
    seat = (DISTRICTS[code].lon, DISTRICTS[code].lat)
    assert [c for c, ring in district_shapes().items() if inside(seat, ring)] == [code]


def test_the_geojson_names_every_district_in_both_languages() -> None:
    found = {f["id"]: f["properties"] for f in geojson()["features"]}
    assert set(DISTRICTS) <= set(found)
    assert found["510104"] == {
        "name": "510104",
        "kind": "district",
        "title_zh": "锦江区",
        "title_en": "Jinjiang",
    }
    assert {p["kind"] for p in found.values()} == {"district", "ring", "river"}
