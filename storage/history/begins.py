"""Where the live data begins: made-up history has to end there, or its readings contradict it."""

from datetime import datetime, timedelta

from psycopg import Connection, sql

from catalog.registry import streams
from storage.tables import readings_table

ASKED = 3
"""Sensors of each stream that are asked: a city's sensors begin within one cadence of each other,
and to ask all of them would read whole tables."""
LIVE = timedelta(hours=1)
"""A reading that came within this time came live; loaded and replayed ones came later."""
OLDEST = """
SELECT min(r.observed_at) FROM (
    SELECT sensor FROM sensors WHERE stream = {stream} AND status <> 'retired'
    ORDER BY hashtext(sensor) LIMIT {asked}
) s JOIN {table} r ON r.sensor = s.sensor WHERE r.received_at < r.observed_at + {live}"""


def live_since(conn: Connection) -> datetime | None:
    """Return a whole minute before the first live reading of any stream; None without one."""
    found: list[datetime] = []
    for stream in streams().values():
        query = sql.SQL(OLDEST).format(
            stream=sql.Literal(stream.name),
            asked=sql.Literal(ASKED),
            table=sql.Identifier(readings_table(stream.name)),
            live=sql.Literal(LIVE),
        )
        (oldest,) = conn.execute(query).fetchone() or (None,)
        if oldest is not None:
            found.append(oldest - timedelta(seconds=stream.cadence_s))
    return min(found).replace(second=0, microsecond=0) if found else None
