"""Questions to the past of a stream: readings as sent, and series whose step fits the range."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal

from psycopg import Connection, sql
from psycopg.rows import dict_row

from catalog.model import Stream
from catalog.site import zone
from storage.tables import readings_table

MAX_ROWS = 20_000
"""What one answer holds at most; ``dash.series`` stops there as well."""
POINTS = 500
STEPS_S = (1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 604800)
By = Literal["all", "sensor", "district"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Time asked about: from ``start`` on, before ``end``."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()


LONGEST = timedelta(days=366)


def chosen_span(now: datetime, hours: str, start: str = "", end: str = "") -> Span:
    """Return the period chosen on a page: from–to in the city's time, else hours back from now.

    One end alone is enough: the other lies the hours apart. What is no moment counts as empty.
    """
    first, last, back = moment(start), moment(end), timedelta(hours=int(hours))
    if first is None and last is None:
        return Span(now - back, now)
    last = min(now, last or (first or now) + back)
    first = first or last - back
    return Span(max(first, last - LONGEST), last) if first < last else Span(last - back, last)


def moment(text: str) -> datetime | None:
    """Return the moment that a ``datetime-local`` field holds, in the city's time; None if none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One metric over time: of one sensor, one district or all, as one line or several."""

    stream: Stream
    metric: str
    span: Span
    step_s: float
    district: str | None = None
    sensor: str | None = None
    by: By = "all"
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Level:
    """The table that answers: ``raw``, ``1m``, ``15m``, ``1h`` or ``1d``, and the step it gives."""

    name: str
    step_s: int


def fitting_step(span: Span, *, lines: int = 1, points: int = POINTS) -> int:
    """Return the finest round step, in seconds, that keeps points and all lines' rows few."""
    least = max(span.seconds / points, span.seconds * lines / MAX_ROWS)
    return next((step for step in STEPS_S if step >= least), ceil(least / 604800) * 604800)


def rows_expected(span: Span, step_s: float, lines: int) -> int:
    """Return how many rows a series can have at most."""
    return lines * (ceil(span.seconds / step_s) + 1)


def readings(
    conn: Connection,
    stream: Stream,
    sensors: Sequence[str],
    metrics: Sequence[str],
    span: Span,
    *,
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> list[Row]:
    """Return readings as sent, by time then sensor: ``sensor, observed_at, received_at``, metrics.

    ``after`` is (observed_at, sensor) of the last row of the page before.
    """
    query = sql.SQL(
        "SELECT sensor, observed_at, received_at, {columns} FROM {table}"
        " WHERE sensor = ANY(%(sensors)s) AND observed_at >= %(start)s AND observed_at < %(end)s"
        " AND (%(at)s::timestamptz IS NULL OR (observed_at, sensor) > (%(at)s, %(name)s))"
        " ORDER BY observed_at, sensor LIMIT %(limit)s"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, metrics)),
        table=sql.Identifier(readings_table(stream.name)),
    )
    at, name = after or (None, "")
    values = {
        "sensors": list(sensors),
        "start": max(span.start, at) if at else span.start,
        "end": span.end,
        "at": at,
        "name": name,
        "limit": limit,
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()


def series(conn: Connection, asked: Question) -> list[Row]:
    """Return ``time, label, value, low, high`` in order of time; value in the metric's unit."""
    values = [asked.stream.name, asked.metric, asked.span.start, asked.span.end]
    values += [timedelta(seconds=asked.step_s), asked.district, asked.sensor]
    query = "SELECT * FROM dash.series(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    return _rows(conn, query, [*values, asked.by, asked.language])


def usual(conn: Connection, stream: str, sensor: str, metric: str, span: Span) -> list[Row]:
    """Return ``time, usual, low, high, days`` hour by hour: what is usual at such an hour."""
    query = "SELECT * FROM dash.usual(%s, %s, %s, %s, %s)"
    return _rows(conn, query, [stream, sensor, metric, span.start, span.end])


def raw(conn: Connection, stream: str, sensor: str, metric: str, span: Span) -> list[Row]:
    """Return the newest readings of one metric, oldest first: ``time, value, delay_s``.

    Nothing for a metric that is computed.
    """
    values = [stream, sensor, metric, span.start, span.end]
    return _rows(conn, "SELECT * FROM dash.raw(%s, %s, %s, %s, %s)", values)


def flags(conn: Connection, stream: str, sensor: str, span: Span) -> list[Row]:
    """Return what quality control said of one sensor, newest first, without passes."""
    values = [stream, sensor, span.start, span.end]
    return _rows(conn, "SELECT * FROM dash.flags(%s, %s, %s, %s, 500)", values)


def level(conn: Connection, asked: Question, sensors: int) -> Level | None:
    """Return which table ``series`` reads and its real step; None when there is no such stream."""
    row = conn.execute(
        "SELECT name, base_s FROM dash.level(%s, %s, %s, %s, %s)",
        [
            asked.stream.name,
            asked.metric in asked.stream.metric_names,
            float(asked.step_s),
            asked.span.seconds,
            sensors,
        ],
    ).fetchone()
    if row is None:
        return None
    name, base_s = row
    return Level(name, base_s * max(1, ceil(asked.step_s / base_s)))


def lines(conn: Connection, asked: Question) -> tuple[int, int]:
    """Return how many sensors a question is about, and how many lines its answer has."""
    row = conn.execute(
        "SELECT count(*), count(DISTINCT district) FROM sensors WHERE stream = %(stream)s"
        " AND status <> 'retired' AND (%(sensor)s::text IS NULL OR sensor = %(sensor)s)"
        " AND (%(district)s::text IS NULL OR district = %(district)s)",
        {"stream": asked.stream.name, "sensor": asked.sensor, "district": asked.district},
    ).fetchone()
    sensors, districts = row or (0, 0)
    return sensors, {"all": 1, "sensor": sensors, "district": districts}[asked.by]


def _rows(conn: Connection, query: str, values: Sequence[Any]) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
