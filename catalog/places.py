"""The declaration model of places: districts, and where the sensors of a stream stand."""

import math

from pydantic import Field

from catalog.base import Frozen, Name, Text

KM_PER_DEGREE = 111.32
"""Of latitude; of longitude at the equator."""
EARTH_RADIUS_M = 6_371_008.8
"""The mean radius of the IUGG."""


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance between two (lon, lat) in metres (haversine)."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    a = math.sin((lat2 - lat1) / 2) ** 2
    b = math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, a + b)))


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance between two (lon, lat) in kilometres."""
    return distance_m(one, other) / 1000


class District(Frozen):
    """A county-level division by GB/T 2260, with its seat (WGS-84 degrees) and population."""

    code: str
    title: Text
    lon: float
    lat: float
    population: int
    streets: tuple[str, ...] = ()


class Station(Frozen):
    """A sensor placed by hand. ``parent`` names what feeds it (topology)."""

    id: str
    title: Text
    lon: float
    lat: float
    district: str
    street: str = ""
    attributes: dict[str, float] = Field(default_factory=dict)
    parent: str | None = None


class Placement(Frozen):
    """Where the stream's sensors stand: ``stations`` by hand, ``per_district`` generated.

    Stations of the city itself are the site's (``sites/<city>/stations/<stream>.py``).

    Generated ones carry ``attributes`` and stand in the listed districts (all when empty). With
    ``parent_stream`` each is fed by that stream's first sensor of the same district.
    """

    stations: tuple[Station, ...] = ()
    per_district: int = 0
    districts: tuple[str, ...] = ()
    attributes: dict[str, float] = Field(default_factory=dict)
    parent_stream: Name | None = None


class Sensor(Frozen):
    """One device: identity, place (市-区县-街道), fixed attributes and what feeds it."""

    id: str
    stream: Name
    title: Text
    lon: float
    lat: float
    city: str
    district: str
    street: str
    attributes: dict[str, float] = Field(default_factory=dict)
    parent: str | None = None
