"""Answers of receivers (received, accepted, on site, done) and how long they take."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from alerts.event.fields import Moment
from alerts.sources.responses import Clock, Response, Step, clocks, list_responses, respond
from catalog.errors import NotFoundError
from console.api.paging import Offset, Pages
from console.auth import Conn, Operator, Viewer
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["responses"])
WEEK = timedelta(days=7)


class Answer(BaseModel):
    """A step that was taken for an alert, incident or drill; ``receiver`` names the crew."""

    model_config = ConfigDict(extra="forbid")

    subject: str
    step: Step
    receiver: str = Field(default="", description="Whose step; absent = the caller's")
    note: str = Field(default="", max_length=2000)


@router.get("/responses")
def list_answers(
    conn: Conn,
    who: Viewer,
    pages: Pages,
    subject: str = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    offset: Offset = 0,
) -> list[Response]:
    """Return answers, newest first."""
    return pages.window(lambda most: list_responses(conn, subject, most), limit, offset)


@router.get("/responses/clocks")
def show_clocks(
    conn: Conn,
    who: Viewer,
    since: Annotated[Moment | None, Query(description="Absent = a week")] = None,
) -> list[Clock]:
    """Return the clocks delivery → received → accepted → on site → done, in seconds."""
    begin: datetime = since or now_of(conn) - WEEK
    return clocks(conn, begin)


@router.post("/responses", status_code=204)
def answer(given: Answer, conn: Conn, who: Operator) -> None:
    """Note a step; the first one stands. All but ``received`` acknowledge."""
    receiver, now = given.receiver or who.name, now_of(conn)
    with conn.transaction():
        known = conn.execute(
            "SELECT 1 FROM outbox_subjects WHERE subject = %(s)s"
            " UNION ALL SELECT 1 FROM alert_subjects WHERE id = %(s)s LIMIT 1",
            {"s": given.subject},
        ).fetchone()
        if known is None:
            raise NotFoundError(f"nothing is known of {given.subject}")
        if respond(
            conn, given.subject, given.step, receiver, who.name, now, via="api", note=given.note
        ):
            record(conn, who.name, "response", given.subject, step=given.step, receiver=receiver)
