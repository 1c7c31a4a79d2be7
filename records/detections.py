"""Detections at work: once a minute, what has fallen opens a record, what is over again closes it.

Minutes are those that the sink has stored, of values that passed or were suspect. All is found by
comparing, so that a restart opens nothing twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection, sql

from catalog.detection import Detection, detections
from catalog.errors import RefusedError
from catalog.lifecycle.registry import records
from engine.falls import Floats, evaluate
from records.act import open_record
from records.attempt import attempt
from records.context import Context
from service.log import logger
from storage.tables import aggregates_table

MINUTE = timedelta(minutes=1)
SETTLE = timedelta(seconds=20)
"""A minute is looked at so long after its end: by then the sink has stored it."""
SEEN_BY = "seen_by"


@dataclass(frozen=True, slots=True)
class Watched:
    """A sensor, and its record if there is one that keeps another from being opened."""

    sensor: str
    title: str
    lon: float
    lat: float
    record: int | None
    state: str | None


def detect(context: Context, now: datetime) -> int:
    """Judge the minute that has just ended; return how many steps were taken."""
    return sum(_detect(context, one, now) for one in detections().values())


def _detect(context: Context, one: Detection, now: datetime) -> int:
    watched = _watched(context.conn, one, now)
    minutes = minutes_of(context.conn, one, [w.sensor for w in watched], now)
    found = evaluate(minutes, one.fall)
    taken = 0
    for place, sensor in enumerate(watched):
        if found.fallen[place] and sensor.record is None:
            usual, value = found.usual[place], minutes[-1, place]
            taken += _open(context, one, sensor, f"{value:.2f} / {usual:.2f}")
        elif found.over[place] and sensor.state == records()[one.record].initial:
            move, reason = one.passes
            taken += attempt(context, one.record, sensor.record or 0, move, reason=reason)
    return taken


def minutes_of(conn: Connection, one: Detection, sensors: list[str], now: datetime) -> Floats:
    """Return the last ``back_min`` whole minutes ``[T, S]``; NaN where no value was good."""
    last = (now - SETTLE).replace(second=0, microsecond=0) - MINUTE
    first = last - MINUTE * (one.fall.back_min - 1)
    column = {sensor: n for n, sensor in enumerate(sensors)}
    found = np.full((one.fall.back_min, len(sensors)), np.nan)
    query = sql.SQL(
        "SELECT sensor, window_start, {total} / {used} FROM {table}"
        " WHERE window_start BETWEEN %s AND %s AND {used} > 0 AND sensor = ANY(%s)"
    ).format(
        total=sql.Identifier(f"{one.metric}_sum"),
        used=sql.Identifier(f"{one.metric}_used"),
        table=sql.Identifier(aggregates_table(one.stream)),
    )
    for sensor, at, value in conn.execute(query, [first, last, sensors]):
        found[round((at - first) / MINUTE), column[sensor]] = value
    return found


def _watched(conn: Connection, one: Detection, now: datetime) -> list[Watched]:
    rows = conn.execute(
        "SELECT s.sensor, coalesce(nullif(s.title_zh, ''), s.sensor), s.lon, s.lat, r.id, r.state"
        " FROM sensors s LEFT JOIN LATERAL (SELECT r.id, CASE WHEN r.closed_at IS NULL"
        " THEN r.state END AS state FROM record_links k JOIN records r ON r.id = k.record"
        " WHERE k.target = 'sensor:' || s.stream || '/' || s.sensor AND k.relation = %(seen)s"
        " AND r.kind = %(kind)s AND (r.closed_at IS NULL OR r.closed_at > %(quiet)s)"
        " ORDER BY r.closed_at IS NULL DESC, r.id DESC LIMIT 1) r ON true"
        " WHERE s.stream = %(stream)s AND s.status = 'registered' AND s.lon IS NOT NULL"
        " ORDER BY s.sensor",
        {
            "seen": SEEN_BY,
            "kind": one.record,
            "quiet": now - MINUTE * one.quiet_min,
            "stream": one.stream,
        },
    ).fetchall()
    return [Watched(*row) for row in rows]


def _open(context: Context, one: Detection, sensor: Watched, said: str) -> int:
    place = {"lon": sensor.lon, "lat": sensor.lat, "address": sensor.title[:200]}
    links = [(SEEN_BY, f"sensor:{one.stream}/{sensor.sensor}")]
    try:
        open_record(
            context,
            one.record,
            one.fields | place,
            note=f"{one.title.zh} {one.title.en}: {one.stream}/{sensor.sensor} {said}",
            links=links,
        )
    except RefusedError as error:
        logger().warning("a detection opened nothing", detection=one.name, reason=str(error))
        return 0
    return 1
