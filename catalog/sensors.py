"""Expand each stream's placement into sensors with a position, a street and a parent."""

import math
from functools import cache

from catalog.model import Stream, text
from catalog.places import KM_PER_DEGREE, District, Sensor
from catalog.registry import stream, streams
from catalog.site import site, stations

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
SPREAD_KM = {True: 2.2, False: 4.5}
"""Radius around the seat for central and other districts."""


@cache
def sensors() -> tuple[Sensor, ...]:
    """Return every declared sensor of the city, stream by stream."""
    return tuple(s for name in streams() for s in sensors_of(name))


@cache
def sensors_of(stream_name: str) -> tuple[Sensor, ...]:
    """Return the sensors of one stream; KeyError for an unknown stream."""
    declared = stream(stream_name)
    by_hand = [
        Sensor(
            **one.model_dump(exclude={"title"}),
            title=one.title,
            stream=declared.name,
            city=site().code,
        )
        for one in (*stations(declared.name), *declared.placement.stations)
    ]
    return (*by_hand, *_generated(declared))


@cache
def _by_id(stream_name: str) -> dict[str, Sensor]:
    return {s.id: s for s in sensors_of(stream_name)}


def sensor(stream_name: str, sensor_id: str) -> Sensor | None:
    """Return one declared sensor; None for one the catalog does not know."""
    return _by_id(stream_name).get(sensor_id) if stream_name in streams() else None


def children_of(sensor_id: str) -> tuple[Sensor, ...]:
    """Return the sensors that this one feeds directly (topology)."""
    return tuple(s for s in sensors() if s.parent == sensor_id)


def downstream(sensor_id: str) -> tuple[Sensor, ...]:
    """Return everything below this sensor, nearest first."""
    below = list(children_of(sensor_id))
    for child in below:
        below.extend(children_of(child.id))
    return tuple(below)


def _generated(declared: Stream) -> list[Sensor]:
    place = declared.placement
    codes = [code for code in place.districts or site().districts if code in site().districts]
    made = []
    for code in codes:
        count = place.per_district * (2 if code in site().central else 1)
        made += [_nth(declared, site().districts[code], n) for n in range(1, count + 1)]
    return made


def _nth(declared: Stream, district: District, n: int) -> Sensor:
    lon, lat = _spot(declared.name, district, n)
    street = district.streets[(n - 1) % len(district.streets)]
    zh, en = declared.title.zh, declared.title.en
    parent = declared.placement.parent_stream
    return Sensor(
        id=f"{declared.name}-{district.code}-{n:02d}".replace("_", "-"),
        stream=declared.name,
        title=text(f"{district.title.zh}{zh} {n} 号", f"{district.title.en} {en.lower()} {n}"),
        lon=lon,
        lat=lat,
        city=site().code,
        district=district.code,
        street=street,
        attributes=declared.placement.attributes,
        parent=f"{parent}-{district.code}-01".replace("_", "-") if parent else None,
    )


def _spot(stream_name: str, district: District, n: int) -> tuple[float, float]:
    """Return the n-th place on a sunflower spiral that each stream turns by its own angle."""
    turn = sum(stream_name.encode()) % 360 * math.pi / 180
    radius = SPREAD_KM[district.code in site().central] * math.sqrt(n / 6)
    angle = turn + n * GOLDEN_ANGLE
    north = radius * math.sin(angle) / KM_PER_DEGREE
    east = radius * math.cos(angle) / (KM_PER_DEGREE * math.cos(math.radians(district.lat)))
    return round(district.lon + east, 5), round(district.lat + north, 5)
