"""Open311 GeoReport v2: the public reports and follows records that say how (``Record.open311``).

JSON, as https://wiki.open311.org/GeoReport_v2 has it. Who posts needs a key with the scope
``open311:report`` (``api_key``, as the specification asks); reading is open. Only public fields
leave the house.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from psycopg import Connection

from catalog.lifecycle.fields import Choice
from catalog.lifecycle.record import Open311, Record
from catalog.lifecycle.registry import records
from console.auth import Conn
from console.problems import Problem, Refused, not_found
from console.records.api import files_of
from records.act import open_record
from records.attachments import LARGEST, add, attachment
from records.context import Context
from records.near import near
from records.queries import Filter, Window, get_record, list_records
from records.store import Row
from service.api_keys import ApiKey, hash_key
from service.postgres import now_of

PREFIX = "/open311/v2"
AREA, SCOPE = "open311", "report"
SPAN = timedelta(days=90)
"""Without dates, so much is listed (GeoReport v2)."""
Ids = Annotated[str, Query(max_length=2000, pattern=r"^[\d,]*$")]


def router_of() -> APIRouter | None:
    """Return the routes; None where no declared record is open to the public in this way."""
    record = next((r for r in records().values() if r.open311), None)
    return _router(record, record.open311) if record and record.open311 else None


def _router(record: Record, shown: Open311) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["open311"])

    @router.get("/services.json")
    def services() -> list[dict[str, Any]]:
        """Return what may be reported."""
        return [_service(choice) for choice in _choices(record, shown)]

    @router.get("/services/{code}.json")
    def service(code: str) -> dict[str, Any]:
        """Return a service; none asks for more than the standard fields."""
        if code not in [choice.name for choice in _choices(record, shown)]:
            raise not_found(f"no service {code[:60]}")
        return {"service_code": code, "attributes": []}

    @router.get("/requests.json")
    def requests(
        request: Request,
        conn: Conn,
        service_request_id: Ids = "",
        service_code: str = "",
        status: Annotated[str, Query(pattern="^(open|closed)?$")] = "",
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        page: Annotated[int, Query(ge=1, le=1000)] = 1,
        page_size: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[dict[str, Any]]:
        """Return reports, the newest first; of the last 90 days where no dates are given."""
        if service_request_id:
            ids = [int(part[:18]) for part in service_request_id.split(",") if part][:100]
            rows = [get_record(conn, record, id) for id in ids]
        else:
            until = end_date or now_of(conn)
            wanted = Filter(
                open={"open": True, "closed": False}.get(status),
                fields={shown.service: service_code} if service_code else {},
                since=start_date or (until - SPAN if until.year > 1 else until),
                until=until,
            )
            rows = list_records(
                conn, record, wanted, Window(page_size, (page - 1) * page_size, "new")
            )
        due = _deadlines(conn, shown, rows)
        return [_shown(record, shown, row, due.get(row.id), request) for row in rows]

    @router.get("/requests/{id}.json")
    def one(id: int, request: Request, conn: Conn) -> list[dict[str, Any]]:
        """Return one report as it stands."""
        row = get_record(conn, record, id)
        due = _deadlines(conn, shown, [row])
        return [_shown(record, shown, row, due.get(row.id), request)]

    @router.get("/tokens/{token}.json")
    def token(token: int, conn: Conn) -> list[dict[str, str]]:
        """Return the id behind a token: ours are known at once, so they are the same."""
        row = get_record(conn, record, token)
        return [{"token": str(row.id), "service_request_id": str(row.id)}]

    @router.get("/media/{id}")
    def media(id: int, request: Request, conn: Conn) -> Response:
        """Return a photo that a report shows in public."""
        found = attachment(conn, id)
        if found.kind != record.name or found.record is None:
            raise not_found(f"no media {id}")
        row = get_record(conn, record, found.record)
        if id not in (row.fields.get(shown.media) or []):
            raise not_found(f"no media {id}")
        return Response(files_of(request).read(found.sha256), media_type=found.content_type)

    @router.post("/requests.json", status_code=201)
    def report(
        request: Request,
        conn: Conn,
        service_code: Annotated[str, Form(max_length=40)],
        api_key: Annotated[str, Form(max_length=200)] = "",
        lat: Annotated[float | None, Form(ge=-90, le=90)] = None,
        long: Annotated[float | None, Form(ge=-180, le=180)] = None,
        address_string: Annotated[str, Form(max_length=200)] = "",
        description: Annotated[str, Form(max_length=2000)] = "",
        phone: Annotated[str, Form(max_length=40)] = "",
        media_url: Annotated[str, Form(max_length=500)] = "",
        media: UploadFile | None = None,
    ) -> JSONResponse:
        """Report something; a photo may come along as ``media``."""
        context = Context(conn, _reporter(conn, api_key), "public")
        if lat is None or long is None:
            raise Refused("form.lat", "missing", "lat and long are required")
        with conn.transaction():
            fields: dict[str, object] = {
                **shown.fixed,
                shown.service: service_code,
                shown.description: description,
                shown.phone: phone,
                **{"lon": long, "lat": lat, "address": address_string},
            }
            if media is not None:
                data = media.file.read(LARGEST + 1)
                kept = add(context, files_of(request), record.name, media.filename or "", data)
                fields[shown.media] = [kept.id]
            note = f"media_url: {media_url}" if media_url else ""
            done = open_record(context, record.name, fields, note=note)
        row = get_record(conn, record, done.id)
        like = [
            one for one in near(conn, record, row.fields, row.opened_at, but=row.id) if one.open
        ]
        notice = f"See also {like[0].id}, reported {like[0].distance_m:.0f} m away." if like else ""
        answer = {"service_request_id": str(done.id), "service_notice": notice, "account_id": None}
        return JSONResponse([answer], 201)

    return router


def _reporter(conn: Connection, token: str) -> str:
    row = conn.execute(
        "SELECT name, hash, scopes FROM api_keys WHERE hash = %s AND revoked_at IS NULL",
        [hash_key(token)],
    ).fetchone()
    if row is None or not ApiKey(row[0], row[1], frozenset(row[2])).allows(AREA, SCOPE):
        raise Problem(403, "no valid api_key", f"needs a key with scope {AREA}:{SCOPE}", "key")
    return row[0]


def _choices(record: Record, shown: Open311) -> tuple[Choice, ...]:
    field = record.field(shown.service)
    return field.choices if field else ()


def _service(choice: Choice) -> dict[str, Any]:
    group = choice.parent.zh if choice.parent else ""
    return {
        "service_code": choice.name,
        "service_name": choice.title.zh,
        "description": choice.title.en,
        "metadata": False,
        "type": "realtime",
        "keywords": choice.title.en.lower(),
        "group": group,
    }


def _deadlines(conn: Connection, shown: Open311, rows: list[Row]) -> dict[int, datetime]:
    found = conn.execute(
        "SELECT DISTINCT ON (record) record, due_at FROM record_timers WHERE record = ANY(%s)"
        " AND clock = %s ORDER BY record, round DESC",
        [[row.id for row in rows], shown.clock],
    ).fetchall()
    return {record: due for record, due in found if due}


def _shown(
    record: Record, shown: Open311, row: Row, due: datetime | None, request: Request
) -> dict[str, Any]:
    """Return a report as the public sees it: nothing but public fields."""
    public = {f.name: row.fields.get(f.name) for f in record.all_fields if f.public}
    service = next(
        (c for c in _choices(record, shown) if c.name == public.get(shown.service)), None
    )
    agency = record.field(shown.agency)
    office = agency.choice(public.get(shown.agency)) if agency else None
    photos = public.get(shown.media) or []
    base = str(request.base_url).rstrip("/")
    return {
        "service_request_id": str(row.id),
        "status": "closed" if row.closed_at else "open",
        "status_notes": _notes(record, row),
        "service_name": service.title.zh if service else None,
        "service_code": service.name if service else None,
        "description": public.get(shown.description),
        "agency_responsible": office.title.zh if office else None,
        "service_notice": None,
        "requested_datetime": row.opened_at.isoformat(),
        "updated_datetime": row.changed_at.isoformat(),
        "expected_datetime": due.isoformat() if due else None,
        "address": public.get("address"),
        "lat": row.lat,
        "long": row.lon,
        "media_url": f"{base}{PREFIX}/media/{photos[0]}" if photos else None,
    }


def _notes(record: Record, row: Row) -> str:
    """Return the state in public words, and at the end why it ended."""
    state = record.state(row.state)
    said = (state.public or state.title).zh
    reasons = [r for m in record.moves for r in m.reasons if r.name == row.close_reason]
    return f"{said}：{reasons[0].title.zh}" if reasons else said
