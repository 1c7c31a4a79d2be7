"""Sensors: the list with filters, and everything about one."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from catalog.registry import streams, systems
from catalog.site import site
from console import registry
from console.api.paging import next_link
from console.api.streams import KnownStream
from console.auth import Conn, Operator, Viewer
from console.history import MAX_ROWS
from console.problems import Refused, not_found, require_known
from console.registration import Placing, register_sensor, restore_sensor, retire_sensor
from console.registry import State, Status
from console.sheets import Bom, csv_response
from service.postgres import now_of
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
    status: Status = "registered"


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
    status: Annotated[
        Status | None, Query(description="provisional: sent, but not registered; retired: out")
    ] = None,
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
        ("domain", domain, systems()),
        ("district", district, site().districts),
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
        status=status,
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


class Why(BaseModel):
    """Why a sensor is taken out of service."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2000)


SensorId = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


@router.put("/sensors/{stream}/{sensor}", status_code=204)
def put_sensor(
    declared: KnownStream, sensor: SensorId, placing: Placing, conn: Conn, who: Operator
) -> None:
    """Register a sensor with name and place; 409 for one that the catalog declares."""
    register_sensor(conn, declared.name, sensor, placing, who.name)


@router.post("/sensors/{stream}/{sensor}/retire", status_code=204)
def retire(declared: KnownStream, sensor: SensorId, why: Why, conn: Conn, who: Operator) -> None:
    """Take a sensor out of service: in no state or count, its alerts are not notified."""
    now = now_of(conn)
    retire_sensor(conn, declared.name, sensor, why.reason, who.name, now)


@router.post("/sensors/{stream}/{sensor}/restore", status_code=204)
def restore(declared: KnownStream, sensor: SensorId, conn: Conn, who: Operator) -> None:
    """Put a sensor back into service."""
    restore_sensor(conn, declared.name, sensor, who.name, now_of(conn))
