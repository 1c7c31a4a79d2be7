"""Tracks of subjects that move."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from console.api.readings import AskedSpan
from console.api.streams import KnownStream
from console.auth import Conn, Viewer
from console.problems import not_found
from console.registry import known_sensors
from console.track import track

router = APIRouter(tags=["tracks"])


@router.get("/streams/{stream}/track")
def get_track(
    declared: KnownStream,
    conn: Conn,
    who: Viewer,
    span: AskedSpan,
    sensor: Annotated[str, Query(max_length=64)],
) -> dict[str, Any]:
    """Return where one subject was, as a GeoJSON LineString with its ``times``.

    Thinned to at most 1 000 places; without a geometry where there are fewer than two.
    """
    if declared.position is None:
        raise not_found(f"what {declared.name} measures does not move")
    if not known_sensors(conn, declared.name, [sensor]):
        raise not_found(f"no sensor {sensor!r} in stream {declared.name}")
    points = track(conn, declared, sensor, span)
    line = {"type": "LineString", "coordinates": [[p.lon, p.lat] for p in points]}
    return {
        "type": "Feature",
        "id": sensor,
        "geometry": line if len(points) > 1 else None,
        "properties": {"stream": declared.name, "times": [p.at.isoformat() for p in points]},
    }
