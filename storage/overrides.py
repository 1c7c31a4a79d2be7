"""What people set for one metric of one sensor, in place of its declaration: set, end, look up.

Every row stays: who set what when, and why. The newest of a sensor and metric holds; the worker
takes it from here into Kafka's log.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from catalog.errors import ConflictError, InvalidError, NotFoundError
from catalog.overrides import Override, mistake
from catalog.registry import streams
from service.audit import record
from service.postgres import connect, now_of

ROW = "revision, stream, sensor, metric, span_low, span_high, floor, resolution, until"


@dataclass(frozen=True, slots=True)
class Target:
    """The metric of a sensor that something is set for."""

    stream: str
    sensor: str
    metric: str


class Wish(BaseModel):
    """What shall hold for a metric of a sensor, in the metric's unit, until when, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    span: tuple[float, float] | None = None
    floor: float | None = None
    resolution: float | None = None
    until: AwareDatetime | None = None
    reason: str = Field(min_length=1, max_length=500)


class Row(BaseModel):
    """One row: what was set by whom, when and why; nothing set = what was set before is ended."""

    revision: int
    stream: str
    sensor: str
    metric: str
    span_low: float | None
    span_high: float | None
    floor: float | None
    resolution: float | None
    until: datetime | None
    author: str
    reason: str
    made_at: datetime

    def holds(self, now: datetime) -> bool:
        """Tell whether anything holds by it at a time."""
        given = any(x is not None for x in (self.span_low, self.floor, self.resolution))
        return given and (self.until is None or self.until > now)


def set_override(conn: Connection, target: Target, wish: Wish, who: str, **detail: str) -> int:
    """Set span, floor or resolution in place of what was set before; return the revision.

    ``InvalidError`` says what is wrong with it; ``detail`` is more for the audit log.
    """
    declared = streams().get(target.stream)
    metric = declared.metric(target.metric) if declared else None
    if metric is None:
        raise InvalidError(f"no metric {target.metric[:60]!r} in stream {target.stream[:60]!r}")
    if wrong := mistake(metric, wish.span, wish.floor, wish.resolution):
        raise InvalidError(wrong)
    if wish.until is not None and wish.until <= now_of(conn):
        raise InvalidError("it would end before it begins")
    return _write(conn, target, wish, (who, "sensor.override"), detail)


def end_override(conn: Connection, target: Target, reason: str, who: str, **detail: str) -> int:
    """Take back what was set; return the revision. ``ConflictError`` when nothing is set."""
    rows = history(conn, target.stream, target.sensor)
    last = next((row for row in rows if row.metric == target.metric), None)
    if last is None or not last.holds(now_of(conn)):
        raise ConflictError(f"nothing is set for {target.metric} of {target.sensor}")
    return _write(conn, target, Wish(reason=reason), (who, "sensor.override_end"), detail)


def history(conn: Connection, stream: str, sensor: str, limit: int = 200) -> list[Row]:
    """Return all that was set for a sensor, the newest first."""
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"SELECT {ROW}, author, reason, made_at FROM sensor_overrides"
            " WHERE stream = %s AND sensor = %s ORDER BY revision DESC LIMIT %s".encode(),
            [stream, sensor, limit],
        ).fetchall()


def in_force(rows: list[Row], now: datetime) -> list[Row]:
    """Return what holds at a time, of the history of a sensor: of each metric the newest."""
    last = {row.metric: row for row in reversed(rows)}
    return [row for row in last.values() if row.holds(now)]


def newest(dsn: str) -> list[tuple[str, Override]]:
    """Return the newest override of each sensor and metric, with its stream, in their order."""
    with connect(dsn, "worker") as conn:
        rows = conn.execute(
            f"SELECT DISTINCT ON (stream, sensor, metric) {ROW} FROM sensor_overrides"
            " ORDER BY stream, sensor, metric, revision DESC".encode()
        ).fetchall()
    found = [(row[1], _override(*row)) for row in rows]
    return sorted(found, key=lambda item: item[1].revision)


def _override(
    revision: int,
    _stream: str,
    sensor: str,
    metric: str,
    low: float | None,
    high: float | None,
    floor: float | None,
    resolution: float | None,
    until: datetime | None,
) -> Override:
    return Override(
        revision=revision,
        sensor=sensor,
        metric=metric,
        span=None if low is None or high is None else (low, high),
        floor=floor,
        resolution=resolution,
        until=None if until is None else int(until.timestamp()),
    )


def _write(
    conn: Connection, target: Target, wish: Wish, act: tuple[str, str], detail: dict[str, str]
) -> int:
    who, what = act
    low, high = wish.span or (None, None)
    place = [target.stream, target.sensor, target.metric]
    with conn.transaction():
        if not conn.execute(
            "SELECT 1 FROM sensors WHERE stream = %s AND sensor = %s FOR UPDATE", place[:2]
        ).fetchone():
            raise NotFoundError(f"no sensor {target.sensor} in stream {target.stream}")
        row = conn.execute(
            "INSERT INTO sensor_overrides (stream, sensor, metric, span_low, span_high, floor,"
            " resolution, until, author, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " RETURNING revision",
            [*place, low, high, wish.floor, wish.resolution, wish.until, who, wish.reason],
        ).fetchone()
        assert row is not None
        told = wish.model_dump(mode="json", exclude_none=True)
        record(conn, who, what, "/".join(place), revision=row[0], **told, **detail)
    return row[0]
