"""Where a record is: its district, and other records near it that may be about the same."""

import math
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from catalog.lifecycle.fields import Values
from catalog.lifecycle.record import Record
from catalog.places import KM_PER_DEGREE, distance_m

METRES_PER_DEGREE = 1000 * KM_PER_DEGREE


class Likeness(BaseModel):
    """Another record that may be about the same; closed ones count too."""

    id: int
    state: str
    open: bool
    opened_at: datetime
    distance_m: float


def near(
    conn: Connection, record: Record, fields: Values, at: datetime, *, but: int = 0
) -> list[Likeness]:
    """Return records of the same kind and fields near this place and time, the nearest first."""
    rule, lon, lat = record.near, fields.get("lon"), fields.get("lat")
    if rule is None or not isinstance(lon, int | float) or not isinstance(lat, int | float):
        return []
    rows = conn.execute(
        "SELECT id, state, closed_at IS NULL, opened_at, lon, lat FROM records"
        " WHERE kind = %s AND id <> %s AND opened_at BETWEEN %s AND %s"
        " AND lat BETWEEN %s AND %s AND lon BETWEEN %s AND %s"
        " AND fields @> %s",
        [
            *(record.name, but, at - timedelta(hours=rule.within_h)),
            *(at + timedelta(hours=rule.within_h), *box(lon, lat, rule.within_m)),
            Jsonb({n: fields.get(n) for n in rule.same}),
        ],
    ).fetchall()
    found = [
        Likeness(id=i, state=s, open=p, opened_at=o, distance_m=distance_m((lon, lat), (x, y)))
        for i, s, p, o, x, y in rows
    ]
    within = [f for f in found if f.distance_m <= rule.within_m]
    return sorted(within, key=lambda f: (f.distance_m, f.id))


def box(lon: float, lat: float, within_m: float) -> tuple[float, float, float, float]:
    """Return bounds of latitude, then of longitude, that hold all within a distance of a place."""
    span = within_m / METRES_PER_DEGREE
    wide = span / max(math.cos(math.radians(lat)), 0.01)
    return lat - span, lat + span, lon - wide, lon + wide
