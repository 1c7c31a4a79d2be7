"""REST of records: routes and bodies are made from the declarations."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import Response
from psycopg import Connection
from pydantic import BaseModel

from alerts.sources.exercises import Performance, performances
from catalog.errors import ForbiddenError
from catalog.lifecycle.record import Move, Record
from catalog.lifecycle.registry import records
from console.api.paging import Offset, Pages
from console.auth import Conn, Viewer, desk_of
from console.records.models import move_model, opening_model
from console.roles import Principal
from console.sheets import Bom, csv_response
from records import act as path
from records.attachments import Attachment, Files, add, attachment
from records.context import Context, grants_of
from records.keys import Done
from records.kpi import Figure, Period, counted_records, figures
from records.payload import headline, json_schema
from records.queries import (
    Filter,
    Page,
    Window,
    count_records,
    get_page,
    get_record,
    list_records,
    states_of,
)
from records.store import Row

MOST_AT_ONCE = 200


class Bulk(BaseModel):
    """How one of many went."""

    id: int
    state: str | None
    version: int | None
    refused: str | None


class StateCount(BaseModel):
    """How many open records are in a state."""

    state: str
    open: int
    overdue: int


def routers() -> list[APIRouter]:
    """Return one router for all records, and one for each."""
    return [_shared(), *(_router(record) for record in records().values())]


def context_of(conn: Connection, who: Principal) -> Context:
    """Return in which capacity a caller of the API acts."""
    grants = () if who.anonymous else grants_of(conn, who.name)
    return Context(conn, who.name, "api", who.role.value, grants)


def _shared() -> APIRouter:
    router = APIRouter(tags=["records"])

    @router.get("/records")
    def list_kinds(who: Viewer) -> list[dict[str, Any]]:
        """Return every declared record as it is declared."""
        return [record.model_dump(mode="json") for record in records().values()]

    @router.get("/attachments/{id}")
    def get_attachment(id: int, request: Request, conn: Conn, who: Viewer) -> Response:
        """Return a photo or document; its bytes are checked against their hash."""
        found = attachment(conn, id)
        data = files_of(request).read(found.sha256)
        headers = {"Content-Disposition": f'inline; filename="{found.id}"'}
        return Response(data, media_type=found.content_type, headers=headers)

    return router


def files_of(request: Request) -> Files:
    """Return where attachments lie."""
    return Files(desk_of(request).settings.state_dir / "attachments")


def _router(record: Record) -> APIRouter:
    kind = record.name
    router = APIRouter(prefix=f"/records/{kind}", tags=[f"records: {kind}"])

    @router.get("", name=f"list_{kind}")
    def list_all(
        conn: Conn,
        who: Viewer,
        pages: Pages,
        request: Request,
        state: Annotated[list[str], Query()] = [],  # noqa: B006
        open: bool | None = True,
        overdue: bool = False,
        district: str = "",
        search: Annotated[str, Query(max_length=100)] = "",
        since: datetime | None = None,
        until: datetime | None = None,
        order: str = "due",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Offset = 0,
    ) -> list[Row]:
        """Return records, what is due first first; ``field.<name>=`` filters by a field."""
        wanted = Filter(
            *(tuple(state), open, overdue, district, _fields(request), search, since, until)
        )
        rows = list_records(
            conn, record, wanted, Window(limit + 1, offset, "new" if order == "new" else "due")
        )
        pages.total(count_records(conn, record, wanted))
        return pages.cut(rows, limit, lambda _: {"offset": offset + limit})

    @router.get(".csv", name=f"csv_{kind}")
    def export(conn: Conn, who: Viewer, open: bool | None = None, bom: Bom = False) -> Response:
        """Return the newest records as a table."""
        rows = list_records(conn, record, Filter(open=open), Window(500, 0, "new"))
        names = ("id", "state", "opened_at", "due_at", "overdue", "closed_at", "close_reason")
        columns = {n: n for n in (*names, *(f.name for f in record.all_fields))}
        table = [{**{n: r.fields.get(n) for n in columns}, **_own(r, names)} for r in rows]
        return csv_response(kind, columns, table, bom=bom)

    @router.get("/states", name=f"states_{kind}")
    def states(conn: Conn, who: Viewer) -> list[StateCount]:
        """Return how many open records are in each state, in the order of the board."""
        found = states_of(conn, record)
        return [StateCount(state=s, open=n, overdue=late) for s, (n, late) in found.items()]

    @router.get("/map", name=f"map_{kind}")
    def layer(conn: Conn, who: Viewer) -> dict[str, Any]:
        """Return open records that have a place, as GeoJSON."""
        rows = list_records(conn, record, Filter(), Window(500))
        features = (_feature(record, row) for row in rows if row.lon is not None)
        return {"type": "FeatureCollection", "features": [*features]}

    @router.get("/schema", name=f"schema_{kind}")
    def schema(who: Viewer) -> dict[str, Any]:
        """Return the JSON Schema of the webhooks ``<record>.<move>``."""
        return json_schema(record)

    @router.get("/kpi", name=f"kpi_{kind}")
    def kpi(
        conn: Conn, who: Viewer, since: datetime, until: datetime, by: str = ""
    ) -> list[Figure]:
        """Return every KPI of a period, by the values of one field where asked."""
        return figures(conn, record, Period(since, until), by)

    @router.get("/kpi/{name}/records", name=f"counted_{kind}")
    def counted(
        name: str,
        conn: Conn,
        who: Viewer,
        since: datetime,
        until: datetime,
        met: bool | None = None,
    ) -> list[int]:
        """Return the records that a KPI counts: all, those that meet it, or those that do not."""
        return counted_records(conn, record, name, Period(since, until), met=met)

    @router.get("/{id:int}", name=f"get_{kind}")
    def get_one(id: int, conn: Conn, who: Viewer) -> Page:
        """Return one record with its log, links, files, and others near it."""
        return get_page(conn, record, id)

    if record.told:

        @router.get("/{id:int}/answers", name=f"answers_{kind}")
        def answers(id: int, conn: Conn, who: Viewer) -> list[Performance]:
            """Return how fast each receiver answered, from delivery to each step."""
            return performances(conn, get_record(conn, record, id).id)

    _add_opening(router, record)
    for move in record.moves:
        _add_move(router, record, move)

    @router.post("/{id:int}/undo", name=f"undo_{kind}")
    def undo(id: int, conn: Conn, who: Viewer) -> Done:
        """Take your last step back, where the move allows that and nothing has followed."""
        return path.act(context_of(conn, who), kind, id, "undo")

    @router.post("/attachments", status_code=201, name=f"attach_{kind}")
    def attach(
        request: Request,
        conn: Conn,
        who: Viewer,
        data: Annotated[bytes, Body(media_type="application/octet-stream")],
        name: Annotated[str, Query(max_length=200)] = "file",
    ) -> Attachment:
        """Keep a photo (JPEG, PNG) or a PDF; name its id in a field of files."""
        context = context_of(conn, who)
        roles = {*record.opening.roles, *(role for move in record.moves for role in move.roles)}
        if not context.may_ever(record, tuple(sorted(roles))):
            raise ForbiddenError(f"to attach files you need a duty of {kind}")
        return add(context, files_of(request), kind, name, data)

    return router


def _add_opening(router: APIRouter, record: Record) -> None:
    model = opening_model(record)

    def create(body: model, conn: Conn, who: Viewer) -> Done:  # pyright: ignore
        given = body.model_dump(exclude_unset=True)
        return path.open_record(
            context_of(conn, who),
            record.name,
            given["fields"],
            note=given.get("note", ""),
            key=given.get("key"),
            if_near=given.get("if_near", "open"),
        )

    create.__doc__ = f"{record.opening.title.zh} {record.opening.title.en}"
    router.post("", status_code=201, name=f"open_{record.name}")(create)


def _add_move(router: APIRouter, record: Record, move: Move) -> None:
    model = move_model(record, move)

    def one(id: int, body: model, conn: Conn, who: Viewer) -> Done:  # pyright: ignore
        given = body.model_dump(exclude_unset=True)
        args = given.pop("args", {})
        return path.act(context_of(conn, who), record.name, id, move.name, args, **given)

    def many(
        ids: Annotated[str, Query(pattern=r"^\d{1,18}(,\d{1,18})*$")],
        body: model,  # pyright: ignore
        conn: Conn,
        who: Viewer,
    ) -> list[Bulk]:
        given = body.model_dump(exclude_unset=True)
        wanted = [int(id) for id in ids.split(",")][:MOST_AT_ONCE]
        words = {n: given[n] for n in ("reason", "note", "key") if n in given}
        found = path.act_many(
            context_of(conn, who), record.name, wanted, move.name, given.get("args"), **words
        )
        return [
            Bulk(
                id=o.id,
                state=o.done.state if o.done else None,
                version=o.done.version if o.done else None,
                refused=str(o.error) if o.error else None,
            )
            for o in found
        ]

    states = ", ".join(move.from_states)
    one.__doc__ = f"{move.title.zh} {move.title.en}: from {states} to {move.to or 'the same'}"
    many.__doc__ = f"{one.__doc__}; of several, each for itself"
    router.post(f"/{{id:int}}/{move.name}", name=f"{record.name}_{move.name}")(one)
    router.post(f"/bulk/{move.name}", name=f"{record.name}_{move.name}_bulk")(many)


def _fields(request: Request) -> dict[str, str]:
    return {
        name.removeprefix("field."): value
        for name, value in request.query_params.items()
        if name.startswith("field.")
    }


def _own(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _feature(record: Record, row: Row) -> dict[str, Any]:
    title = headline(record, row.fields)
    return {
        "type": "Feature",
        "id": row.id,
        "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
        "properties": {
            "state": row.state,
            "overdue": row.overdue,
            "due_at": row.due_at.isoformat() if row.due_at else None,
            "title_zh": title.zh,
            "title_en": title.en,
        },
    }
