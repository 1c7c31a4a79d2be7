"""Subjects that move: their place and district follow their newest reading."""

import numpy as np
import pyarrow as pa
from psycopg import Connection, sql

from catalog.model import Stream
from catalog.shapes import districts_at
from storage.tables import last_table

_NEWEST = (
    "SELECT l.sensor, l.{lon}, l.{lat} FROM {table} l WHERE l.sensor = ANY({sensors})"
    " AND l.{lon} BETWEEN {west} AND {east} AND l.{lat} BETWEEN {south} AND {north}"
)
_MOVE = (
    "UPDATE sensors s SET lon = p.lon, lat = p.lat, district = p.district,"
    " street = ''"
    " FROM unnest(%s::text[], %s::float8[], %s::float8[], %s::text[]) p"
    " (sensor, lon, lat, district)"
    " WHERE s.stream = %s AND s.sensor = p.sensor"
    " AND (s.lon, s.lat, s.district) IS DISTINCT FROM (p.lon, p.lat, p.district)"
)


def follow(conn: Connection, stream: Stream, last: pa.Table) -> None:
    """Move the sensors of these last readings to where they were last; nothing for a fixed stream.

    A place beyond what is possible moves nobody. Out of the city there is no district.
    """
    if stream.position is None:
        return
    found = _newest(conn, stream, sorted(set(last.column("sensor").to_pylist())))
    if not found:
        return
    sensors, lon, lat = zip(*found, strict=True)
    districts = districts_at(np.array(lon, np.float64), np.array(lat, np.float64))
    conn.execute(_MOVE.encode(), [list(sensors), list(lon), list(lat), districts, stream.name])


def _newest(conn: Connection, stream: Stream, sensors: list[str]) -> list[tuple[str, float, float]]:
    assert stream.position is not None
    spans = {m.name: m.fail_span for m in stream.metrics}
    (west, east), (south, north) = spans[stream.position.lon], spans[stream.position.lat]
    query = sql.SQL(_NEWEST).format(
        table=sql.Identifier(last_table(stream.name)),
        lon=sql.Identifier(stream.position.lon),
        lat=sql.Identifier(stream.position.lat),
        sensors=sql.Literal(sensors),
        **{"west": west, "east": east, "south": south, "north": north},
    )
    return conn.execute(query).fetchall()
