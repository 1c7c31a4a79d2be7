"""Drills: planned exercises by the real way, to receivers of the exercise channel only."""

from typing import Annotated

from fastapi import APIRouter, Query

from alerts.event.fields import Number
from alerts.sources import drills as book
from alerts.sources.drills import Drill, DrillDraft, DrillPage, DrillSummary
from console.api.paging import Offset, Pages
from console.auth import Conn, Operator, Viewer
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["drills"])


@router.get("/drills")
def list_drills(
    conn: Conn,
    who: Viewer,
    pages: Pages,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Offset = 0,
) -> list[DrillSummary]:
    """Return drills and how they went in sum, the newest first."""
    return pages.window(lambda most: book.list_drills(conn, most), limit, offset)


@router.post("/drills", status_code=201)
def plan_drill(draft: DrillDraft, conn: Conn, who: Operator) -> Drill:
    """Plan a drill, or begin one now; 409 when a receiver is not one for exercises."""
    with conn.transaction():
        made = book.plan_drill(conn, draft, who.name, now_of(conn))
        record(conn, who.name, "drill.plan", str(made.id), title=made.title)
    return made


@router.get("/drills/{drill}")
def get_drill(drill: Number, conn: Conn, who: Viewer) -> DrillPage:
    """Return a drill and how fast each receiver answered."""
    return book.get_drill(conn, drill)


@router.post("/drills/{drill}/cancel")
def cancel_drill(drill: Number, conn: Conn, who: Operator) -> Drill:
    """End a drill now, or take it off the plan."""
    with conn.transaction():
        ended = book.cancel_drill(conn, drill, who.name, now_of(conn))
        record(conn, who.name, "drill.cancel", str(drill))
    return ended
