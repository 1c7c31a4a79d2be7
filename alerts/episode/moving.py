"""Where a subject that moves was when an alert on it was raised."""

from psycopg import Connection

from alerts.event.labels import Labels
from catalog.contracts import Transition
from catalog.registry import streams
from catalog.site import site


def whereabouts(conn: Connection, t: Transition) -> Labels:
    """Return the labels of the place; none for what stands still, or has not been seen yet.

    It is the newest place that is stored, which may be one reading behind the alert.
    """
    stream = streams().get(t.stream)
    if t.kind != "raised" or stream is None or stream.position is None:
        return {}
    row = conn.execute(
        "SELECT lon, lat, district FROM sensors WHERE stream = %s AND sensor = %s"
        " AND lon IS NOT NULL AND lat IS NOT NULL",
        [t.stream, t.sensor],
    ).fetchone()
    if row is None:
        return {}
    lon, lat, district = row
    place = {"lon": f"{lon:.6f}", "lat": f"{lat:.6f}"}
    return place | {"district": district or site().code, "street": ""}
