"""Subjects that move: a stream whose readings say where each of them was."""

from catalog.base import Frozen, Name, text
from catalog.metrics import Metric


class Position(Frozen):
    """Which metrics are the place of a reading: WGS-84 degrees.

    The subject's place, and the district found by it, follow its newest reading.
    """

    lon: Name = "lon"
    lat: Name = "lat"


def coordinates(east: tuple[float, float], north: tuple[float, float]) -> tuple[Metric, Metric]:
    """Return the metrics ``lon`` and ``lat``; the ranges are where the subjects usually are."""
    return (
        Metric(
            name="lon",
            unit="°",
            title=text("经度", "Longitude"),
            decimals=6,
            fail_span=(-180, 180),
            typical=east,
        ),
        Metric(
            name="lat",
            unit="°",
            title=text("纬度", "Latitude"),
            decimals=6,
            fail_span=(-90, 90),
            typical=north,
        ),
    )
