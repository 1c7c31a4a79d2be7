"""Where a subject that moves has been."""

from datetime import datetime

from psycopg import Connection, sql
from psycopg.rows import class_row
from pydantic import BaseModel

from catalog.model import Stream
from console.history import Span
from storage.tables import readings_table

POINTS = 1000

_TRACK = (
    "SELECT DISTINCT ON (floor(extract(epoch FROM observed_at) / {step})) observed_at AS at,"
    " {lon} AS lon, {lat} AS lat FROM {table} WHERE sensor = {sensor}"
    " AND observed_at >= {start} AND observed_at < {end}"
    " AND {lon} BETWEEN {west} AND {east} AND {lat} BETWEEN {south} AND {north}"
    " ORDER BY floor(extract(epoch FROM observed_at) / {step}), observed_at LIMIT {most}"
)


class Point(BaseModel):
    """A place at a moment, WGS-84 degrees."""

    at: datetime
    lon: float
    lat: float


def track(conn: Connection, stream: Stream, sensor: str, span: Span) -> list[Point]:
    """Return the places of a subject in a span, oldest first, at most one for each step of it."""
    if stream.position is None:
        return []
    spans = {m.name: m.fail_span for m in stream.metrics}
    (west, east), (south, north) = spans[stream.position.lon], spans[stream.position.lat]
    query = sql.SQL(_TRACK).format(
        step=max(span.seconds / POINTS, 1.0),
        lon=sql.Identifier(stream.position.lon),
        lat=sql.Identifier(stream.position.lat),
        table=sql.Identifier(readings_table(stream.name)),
        sensor=sensor,
        **{"start": span.start, "end": span.end, "most": POINTS + 1},
        **{"west": west, "east": east, "south": south, "north": north},
    )
    with conn.cursor(row_factory=class_row(Point)) as cursor:
        return cursor.execute(query).fetchall()
