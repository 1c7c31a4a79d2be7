"""Sensors: the list with filters, and everything about one."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from catalog.city.districts import DISTRICTS
from catalog.domains import DOMAINS
from catalog.registry import streams
from console import registry
from console.api.paging import next_link
from console.api.streams import KnownStream
from console.auth import Conn, Viewer
from console.history import MAX_ROWS
from console.problems import Refused, not_found, require_known
from console.registry import State
from console.sheets import Bom, csv_response
from storage.audit import record

router = APIRouter(tags=["sensors"])
PAGE = 500
EXAMPLE = {
    "stream": "waterlogging",
    "domain": "water",
    "sensor": "pond-jinxin",
    "title_zh": "金新路下穿隧道",
    "title_en": "Jinxin Road underpass",
    "district": "510104",
    "street": "三圣街道",
    "lon": 104.15,
    "lat": 30.62,
    "observed_at": "2026-07-01T08:00:00Z",
    "age_s": 4.2,
    "freshness": "fresh",
    "severity": 2,
    "state": "orange",
    "value": 0.28,
    "unit": "m",
    "decimals": 2,
}


class SensorState(BaseModel):
    """A sensor and what it is doing; ``value`` is its stream's headline in ``unit``.

    ``state`` is the worst active level, or ``stale`` / ``never`` heard, or ``normal``.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    stream: str
    domain: str
    sensor: str
    title_zh: str
    title_en: str
    district: str | None
    street: str | None
    lon: float | None
    lat: float | None
    observed_at: datetime | None
    age_s: float | None
    freshness: Literal["fresh", "stale", "never"]
    severity: int | None
    state: State
    value: float | None
    unit: str
    decimals: int


class Relative(BaseModel):
    """A sensor that feeds this one (``parent``), or that it feeds (``child``)."""

    role: Literal["parent", "child"]
    stream: str
    sensor: str
    title_zh: str
    title_en: str


class SensorDetail(SensorState):
    """Everything about one sensor; ``readings`` holds the newest value of each metric."""

    city: str | None
    attributes: dict[str, Any]
    parent: str | None
    status: Literal["registered", "provisional", "retired"]
    created_at: datetime
    received_at: datetime | None
    readings: dict[str, float | None] | None
    relatives: list[Relative]


class SensorPage(BaseModel):
    """One page of sensors; ``next`` is the value of ``after`` for the following page."""

    sensors: list[SensorState]
    next: str | None


@router.get(
    "/sensors",
    response_model=SensorPage,
    responses={200: {"content": {"text/csv": {}}}},
)
def list_sensors(
    request: Request,
    conn: Conn,
    who: Viewer,
    stream: Annotated[str | None, Query(examples=["waterlogging"])] = None,
    domain: Annotated[str | None, Query(examples=["water"])] = None,
    district: Annotated[str | None, Query(examples=["510104"])] = None,
    state: State | None = None,
    search: Annotated[str, Query(max_length=80, description="In id, titles, street")] = "",
    limit: Annotated[
        int | None, Query(ge=1, le=5000, description="500 if left out; a sheet: all of them")
    ] = None,
    after: Annotated[str, Query(description="`next` of the page before")] = "",
    format: Literal["json", "csv"] = "json",
    bom: Bom = False,
) -> SensorPage | Response:
    """Return sensors by stream and id, with state and newest value."""
    for field, value, known in (
        ("stream", stream, streams()),
        ("domain", domain, DOMAINS),
        ("district", district, DISTRICTS),
    ):
        require_known(field, [] if value is None else [value], known)
    last_stream, _, last_sensor = after.partition("/")
    most = limit or (MAX_ROWS if format == "csv" else PAGE)
    rows = registry.sensors(
        conn,
        stream=stream,
        domain=domain,
        district=district,
        state=state,
        search=search,
        after=(last_stream, last_sensor),
        limit=most + 1,
    )
    rows, beyond = rows[:most], rows[most:]
    more = f"{rows[-1]['stream']}/{rows[-1]['sensor']}" if beyond else None
    if format == "csv":
        if more and limit is None:
            told = f"a sheet holds at most {MAX_ROWS} rows: ask for one stream, domain or district"
            raise Refused("query.stream", "too_many_rows", told)
        record(conn, who.name, "export", "sensors", rows=len(rows))
        columns = {name: name for name in SensorState.model_fields}
        sheet = csv_response("sensors", columns, rows, bom=bom)
        if more:
            sheet.headers["Link"] = next_link(request, after=more)
        return sheet
    page = [SensorState(**row) for row in rows]
    return SensorPage(sensors=page, next=more)


@router.get("/sensors/{stream}/{sensor}")
def get_sensor(declared: KnownStream, sensor: str, conn: Conn, who: Viewer) -> SensorDetail:
    """Return one sensor with attributes, newest reading and what it hangs on."""
    found = registry.sensor(conn, declared.name, sensor)
    if found is None:
        raise not_found(f"no sensor {sensor!r} in stream {declared.name}")
    around = registry.relatives(conn, sensor, found["parent"])
    return SensorDetail(**found, relatives=[Relative(**row) for row in around])
