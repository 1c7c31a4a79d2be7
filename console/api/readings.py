"""Readings as sent and series over time, as JSON or CSV; rows are bounded and never cut in silence.

The step of a series is chosen from its range when none is given, and the table that answers
(raw, 1 m, 15 m, 1 h, 1 d) is chosen by ``dash.series``.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from alerts.event.fields import Moment
from catalog.model import Stream, Text
from console import history
from console.api.paging import next_link
from console.api.streams import KnownStream
from console.auth import Conn, Viewer
from console.history import MAX_ROWS, By, Question, Span
from console.problems import Refused, not_found
from console.registry import known_sensors
from console.sheets import Bom, csv_response, heading
from service.clock import SystemClock
from storage.audit import record

router = APIRouter(tags=["readings"])
MAX_SENSORS = 50
PAGE = 1000
NO_LONGER_THAN = timedelta(days=3660)
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}
Format = Literal["json", "csv"]
_moment = TypeAdapter[datetime](Moment)


class ReadingsPage(BaseModel):
    """Readings by time; ``next`` is the value of ``after`` for the following page."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stream": "waterlogging",
                    "units": {"depth_m": "m"},
                    "readings": [
                        {
                            "sensor": "pond-jinxin",
                            "observed_at": "2026-07-01T08:00:00Z",
                            "received_at": "2026-07-01T08:00:01Z",
                            "depth_m": 0.28,
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    stream: str
    units: dict[str, str]
    readings: list[dict[str, Any]]
    next: str | None


class Point(BaseModel):
    """One step of one line: mean of good values, lowest and highest."""

    time: datetime
    label: str
    value: float | None
    low: float | None
    high: float | None


class Series(BaseModel):
    """A metric over time; ``step_s`` is the step given, ``source`` the table that answered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stream": "waterlogging",
                    "metric": "depth_m",
                    "title": {"zh": "积水深度", "en": "Ponding depth"},
                    "unit": "m",
                    "step_s": 60,
                    "source": "1m",
                    "points": [
                        {
                            "time": "2026-07-01T08:00:00Z",
                            "label": "积水深度",
                            "value": 0.27,
                            "low": 0.25,
                            "high": 0.29,
                        }
                    ],
                }
            ]
        }
    )

    stream: str
    metric: str
    title: Text
    unit: str
    step_s: int
    source: Literal["raw", "1m", "15m", "1h", "1d"]
    points: list[Point]


def asked_span(
    start: Annotated[
        Moment | None,
        Query(alias="from", description="From then on; an hour before `to` when left out"),
    ] = None,
    end: Annotated[
        Moment | None, Query(alias="to", description="Before then; now when left out")
    ] = None,
) -> Span:
    """Return the time asked about; ``Refused`` when it is empty or longer than ten years."""
    end = end or SystemClock().now()
    start = start or end - timedelta(hours=1)
    if not timedelta(0) < end - start <= NO_LONGER_THAN:
        raise Refused("query.from", "range", "`from` must be before `to`, by at most ten years")
    return Span(start, end)


AskedSpan = Annotated[Span, Depends(asked_span)]


@router.get("/streams/{stream}/readings", response_model=ReadingsPage, responses=CSV)
def list_readings(
    request: Request,
    declared: KnownStream,
    conn: Conn,
    who: Viewer,
    span: AskedSpan,
    sensor: Annotated[list[str], Query(min_length=1, max_length=MAX_SENSORS)],
    metric: Annotated[list[str] | None, Query(description="All measured ones if left out")] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_ROWS, description="1 000 if left out; a sheet: all of them")
    ] = None,
    after: Annotated[str, Query(description="`next` of the page before")] = "",
    format: Format = "json",
    bom: Bom = False,
) -> ReadingsPage | Response:
    """Return readings of up to 50 sensors as they were sent, oldest first.

    A sheet without ``limit`` holds all of them, or is refused with the time up to which they fit;
    with it, ``Link`` leads to the next part.
    """
    metrics = metric or list(declared.metric_names)
    for name in metrics:
        _known_metric(declared, name, declared.metric_names)
    if unknown := set(sensor) - known_sensors(conn, declared.name, sensor):
        raise not_found(f"no sensor {', '.join(sorted(unknown))} in stream {declared.name}")
    most = limit or (MAX_ROWS if format == "csv" else PAGE)
    rows = history.readings(
        conn, declared, sensor, metrics, span, limit=most + 1, after=_cursor(after)
    )
    rows, beyond = rows[:most], rows[most:]
    if beyond and format == "csv" and limit is None:
        raise _too_many(beyond[0]["observed_at"])
    more = _cursor_of(rows[-1]) if beyond else None
    units = {name: declared.quantity(name).unit for name in metrics}
    if format == "csv":
        columns = {name: name for name in ("sensor", "observed_at", "received_at")}
        columns |= {name: heading(name, unit) for name, unit in units.items()}
        asked = {"sensors": sensor, "from": str(span.start), "to": str(span.end)}
        record(conn, who.name, "export", f"{declared.name}/readings", rows=len(rows), **asked)
        sheet = csv_response(f"{declared.name}-readings", columns, rows, bom=bom)
        if more:
            sheet.headers["Link"] = next_link(request, after=more)
        return sheet
    return ReadingsPage(stream=declared.name, units=units, readings=rows, next=more)


@router.get("/streams/{stream}/series", response_model=Series, responses=CSV)
def get_series(
    declared: KnownStream,
    conn: Conn,
    who: Viewer,
    span: AskedSpan,
    metric: Annotated[str | None, Query(description="The headline if left out")] = None,
    step_s: Annotated[
        float | None,
        Query(
            ge=1,
            le=NO_LONGER_THAN.total_seconds(),
            allow_inf_nan=False,
            description="Seconds; chosen from the range when left out",
        ),
    ] = None,
    district: str | None = None,
    sensor: str | None = None,
    by: Annotated[By, Query(description="One line in all, or one per sensor or district")] = "all",
    language: Literal["zh", "en"] = "zh",
    format: Format = "json",
    bom: Bom = False,
) -> Series | Response:
    """Return a metric over time, of all sensors, one district or one sensor."""
    metric = _known_metric(declared, metric or declared.headline, declared.aggregate_names)
    if sensor is not None and not known_sensors(conn, declared.name, [sensor]):
        raise not_found(f"no sensor {sensor!r} in stream {declared.name}")
    place = {"district": district, "sensor": sensor, "by": by, "language": language}
    asked = Question(stream=declared, metric=metric, span=span, step_s=step_s or 1, **place)
    sensors, lines = history.lines(conn, asked)
    fitting = step_s or history.fitting_step(span, lines=lines)
    asked = Question(stream=declared, metric=metric, span=span, step_s=fitting, **place)
    level = history.level(conn, asked, sensors)
    assert level is not None  # the stream is known
    if history.rows_expected(span, level.step_s, lines) > MAX_ROWS + lines:
        least = history.fitting_step(span, lines=lines)
        told = f"more than {MAX_ROWS} rows: ask for a step of at least {least} s, or fewer lines"
        raise Refused("query.step_s", "too_many_rows", told)
    rows = history.series(conn, asked)
    if format == "csv":
        record(conn, who.name, "export", f"{declared.name}/series", rows=len(rows), metric=metric)
    return _answer(asked, level, rows, format, bom)


def _answer(
    asked: Question, level: history.Level, rows: list[dict[str, Any]], format: Format, bom: bool
) -> Series | Response:
    quantity = asked.stream.quantity(asked.metric)
    if format == "csv":
        named = {name: heading(name, quantity.unit) for name in ("value", "low", "high")}
        columns = {"time": "time", "label": "label"} | named
        return csv_response(f"{asked.stream.name}-{asked.metric}", columns, rows, bom=bom)
    return Series(
        stream=asked.stream.name,
        metric=asked.metric,
        title=quantity.title,
        unit=quantity.unit,
        step_s=level.step_s,
        source=level.name,  # pyright: ignore[reportArgumentType]  (what dash.level can say)
        points=[Point(**row) for row in rows],
    )


def _too_many(at: datetime) -> Refused:
    told = (
        f"a sheet holds at most {MAX_ROWS} rows: `to={_utc(at)}` or earlier would fit,"
        " or fewer sensors, or parts by `limit` and the `Link` of each"
    )
    return Refused("query.to", "too_many_rows", told)


def _known_metric(declared: Stream, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        told = f"no metric {name!r} here; known: {', '.join(known)}"
        raise Refused("query.metric", "unknown", told)
    return name


def _cursor_of(row: dict[str, Any]) -> str:
    return f"{_utc(row['observed_at'])}/{row['sensor']}"


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")  # a plus would be a space in a query


def _cursor(after: str) -> tuple[datetime, str] | None:
    if not after:
        return None
    at, _, name = after.partition("/")
    try:
        return _moment.validate_python(at), name
    except ValidationError:
        raise Refused("query.after", "cursor", "use `next` of the page before") from None
