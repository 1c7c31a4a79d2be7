"""Rollups of 15 minutes, an hour and a local day, kept exactly in step with the minutes.

The writer of minutes leaves a mark (stream, sensor, hour) in its own transaction. Here marks are
deleted and their buckets computed anew in one transaction: a crash leaves the marks, and a late
correction is a mark like any other. Each level is computed from the one below it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection, sql

from catalog.model import Stream
from catalog.registry import streams
from catalog.site import zone
from storage.copy import copy_table
from storage.tables import aggregate_columns, aggregates_table, rollup_table

BATCH = 5000
LOCK = 0x6B656570  # "keep": one at a time, so that no older sum overwrites a newer one
MARKED = sql.SQL(
    "FROM unnest(%(sensors)s::text[], %(starts)s::timestamptz[]) AS mark (sensor, start)"
    " JOIN {source} USING (sensor)"
    " WHERE window_start >= start AND window_start < start + %(span)s"
)
COMBINE = {
    "n": "sum({0})::integer",
    "good": "sum({0})::integer",
    "used": "sum({0})::integer",
    "sum": "sum({0} ORDER BY window_start)",
    "min": "min({0})",
    "max": "max({0})",
    "last": "last({0}, window_start) FILTER (WHERE {0} IS NOT NULL)",
}

Mark = tuple[str, datetime]
"""A sensor and the start of a marked span."""


@dataclass(frozen=True, slots=True)
class Level:
    """One rollup: the kind it reads, its bucket in SQL, and the span a mark makes dirty."""

    kind: str
    source: str
    bucket: str
    span: timedelta

    def start(self, hour: datetime) -> datetime:
        """Return the start of the span that a marked hour makes dirty."""
        return local_day(hour) if self.span > timedelta(hours=1) else hour


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@cache
def rollup_levels() -> tuple[Level, ...]:
    """Return the rollups, each made of the one before; days are those of the site's zone."""
    return (
        Level("15m", "1m", "time_bucket('15 minutes', window_start)", HOUR),
        Level("1h", "15m", "date_trunc('hour', window_start)", HOUR),
        Level("1d", "1h", f"date_trunc('day', window_start, '{zone().key}')", DAY),
    )


@dataclass(slots=True)
class Rolled:
    """What one transaction did: marks worked off, rows written per kind, buckets refused."""

    marks: int = 0
    written: dict[str, int] = field(default_factory=dict)
    refused: int = 0


def local_day(at: datetime) -> datetime:
    """Return the start of the local day of ``at``."""
    return at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)


def mark_dirty(conn: Connection, stream: str, rows: pa.Table) -> None:
    """Mark the hours that these one-minute rows (``sensor, window_start``) belong to."""
    hours = pc.floor_temporal(rows.column("window_start"), unit="hour")
    keys = pa.table({"sensor": rows.column("sensor"), "hour": hours})
    keys = keys.group_by(["sensor", "hour"]).aggregate([])
    conn.execute(
        "INSERT INTO rollup_dirty (stream, sensor, hour)"
        " SELECT %s, * FROM unnest(%s::text[], %s::timestamptz[])",
        [stream, keys.column("sensor").to_pylist(), keys.column("hour").to_pylist()],
    )


def refresh(conn: Connection, limit: int = BATCH) -> Rolled:
    """Work off up to ``limit`` marks, oldest first; the caller owns the transaction.

    Zero marks: nothing to do, or another process is at it. A bucket whose source rows may have
    been dropped is closed: it keeps its contents and counts as refused.
    """
    if not take_turn(conn):
        return Rolled()
    taken = conn.execute(
        "DELETE FROM rollup_dirty WHERE id IN"
        " (SELECT id FROM rollup_dirty ORDER BY id LIMIT %s) RETURNING stream, sensor, hour",
        [limit],
    ).fetchall()
    rolled = Rolled(marks=len(taken))
    by_stream: dict[str, set[Mark]] = {}
    for stream, sensor, hour in taken:
        by_stream.setdefault(stream, set()).add((sensor, hour))
    for name, marks in by_stream.items():
        # the tables of a stream that is no longer declared stay as they are
        if stream := streams().get(name):
            _refresh_stream(conn, stream, marks, rolled)
    return rolled


def roll_day(conn: Connection, stream: Stream, day: datetime) -> Rolled:
    """Compute all rollups of one local day of all sensors; the caller owns the transaction.

    Waits for its turn. A level whose source rows may have been dropped keeps its contents.
    """
    wait_turn(conn)
    span = {"first": day, "end": local_day(day + timedelta(hours=36))}

    def compute(level: Level) -> int:
        statement = _statement(stream, level, _sql("FROM {source} WHERE TRUE"))
        return conn.execute(statement, span).rowcount

    return _day(conn, stream, day, compute)


def store_day(
    conn: Connection, stream: Stream, day: datetime, made: Mapping[str, pa.Table]
) -> Rolled:
    """Store rollups by kind that were made of all the minutes of one local day, as ``roll_day``.

    Where one of them is there already, other minutes are too, and the day is computed from them.
    """
    wait_turn(conn)

    def copy(level: Level) -> int:
        copy_table(conn, rollup_table(level.kind, stream.name), made[level.kind])
        return made[level.kind].num_rows

    try:
        with conn.transaction():
            return _day(conn, stream, day, copy)
    except psycopg.errors.UniqueViolation:
        return roll_day(conn, stream, day)


def _day(conn: Connection, stream: Stream, day: datetime, work: Callable[[Level], int]) -> Rolled:
    rolled, cuts = Rolled(), _cuts(conn, stream)
    for level in rollup_levels():
        cut = cuts.get(level.source)
        if cut is not None and day < cut:
            rolled.refused += 1
            break
        rolled.written[level.kind] = work(level)
    return rolled


def wait_turn(conn: Connection) -> None:
    """Wait until this transaction may change rollups."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def take_turn(conn: Connection) -> bool:
    """Tell whether this transaction may change rollups; at most one may."""
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone()
    return bool(row and row[0])


def _refresh_stream(conn: Connection, stream: Stream, marks: set[Mark], rolled: Rolled) -> None:
    cuts = _cuts(conn, stream)
    for level in rollup_levels():
        cut = cuts.get(level.source)
        live = {(s, hour) for s, hour in marks if cut is None or level.start(hour) >= cut}
        rolled.refused += len(marks) - len(live)
        marks = live
        if marks:
            spans = {(sensor, level.start(hour)) for sensor, hour in marks}
            written = _compute(conn, stream, level, spans)
            rolled.written[level.kind] = rolled.written.get(level.kind, 0) + written


def _cuts(conn: Connection, stream: Stream) -> dict[str, datetime]:
    rows = conn.execute("SELECT kind, cut FROM retention_cuts WHERE stream = %s", [stream.name])
    return dict(rows.fetchall())


def _compute(conn: Connection, stream: Stream, level: Level, spans: Iterable[Mark]) -> int:
    """Compute the buckets of these spans; return how many are new or differ from before."""
    ordered = sorted(spans)
    starts = [start for _, start in ordered]
    return conn.execute(
        _statement(stream, level, MARKED),
        {
            "sensors": [sensor for sensor, _ in ordered],
            "starts": starts,
            "span": level.span,
            "first": min(starts),
            "end": max(starts) + level.span,
        },
    ).rowcount


def _statement(stream: Stream, level: Level, rows: sql.SQL) -> sql.Composed:
    """Return the upsert of the buckets of these source rows between ``first`` and ``end``."""
    names = ["n", *(name for name, _ in aggregate_columns(stream))]
    columns = [sql.Identifier(name) for name in names]
    sums = [_sql(COMBINE[name.rpartition("_")[2]]).format(sql.Identifier(name)) for name in names]
    comma = sql.SQL(", ")
    return sql.SQL(
        "INSERT INTO {table} AS t (sensor, window_start, revision, {columns})"
        " SELECT sensor, {bucket}, 1, {sums} {rows}"
        # bounds as constants, so that other chunks are not looked at
        " AND window_start >= %(first)s AND window_start < %(end)s GROUP BY 1, 2"
        " ON CONFLICT (sensor, window_start) DO UPDATE SET revision = t.revision + 1, {sets}"
        " WHERE ({old}) IS DISTINCT FROM ({new})"
    ).format(
        table=sql.Identifier(rollup_table(level.kind, stream.name)),
        rows=rows.format(source=sql.Identifier(source_table(level.source, stream.name))),
        bucket=_sql(level.bucket),
        columns=comma.join(columns),
        sums=comma.join(sums),
        sets=comma.join(sql.SQL("{0} = excluded.{0}").format(c) for c in columns),
        old=comma.join(sql.SQL("t.{}").format(c) for c in columns),
        new=comma.join(sql.SQL("excluded.{}").format(c) for c in columns),
    )


def source_table(kind: str, stream: str) -> str:
    """Return the table of a stream that holds the windows of a kind, 1m to 1d."""
    return aggregates_table(stream) if kind == "1m" else rollup_table(kind, stream)


def _sql(text: str) -> sql.SQL:
    return sql.SQL(text)  # pyright: ignore[reportArgumentType]
