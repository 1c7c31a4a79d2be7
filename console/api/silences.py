"""Silences and maintenance windows: what is not said for a while, by whom and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query
from psycopg import Connection
from pydantic import BaseModel, ConfigDict, Field

from alerts.episode.models import Alert
from alerts.episode.queries import preview
from alerts.event.fields import Number
from alerts.event.labels import Matcher
from alerts.routing import silences as book
from alerts.routing.silences import Silence, SilenceDraft
from console.api.paging import Offset, Pages
from console.auth import Conn, Operator, Viewer
from console.problems import Refused, not_found
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["silences"])
EXAMPLE = {
    "matchers": [{"name": "district", "value": "510104"}],
    "reason": "管网检修 Works on the main",
    "starts_at": "2026-11-24T08:00:00+08:00",
    "ends_at": "2026-11-24T12:00:00+08:00",
}


class Matchers(BaseModel):
    """What a silence would match; all must fit."""

    model_config = ConfigDict(extra="forbid")

    matchers: list[Matcher] = Field(min_length=1, max_length=20)


class Hidden(BaseModel):
    """The open alerts that a silence would hide."""

    count: int
    alerts: list[Alert]


@router.get("/silences")
def list_silences(
    conn: Conn,
    who: Viewer,
    pages: Pages,
    expired: bool = False,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    offset: Offset = 0,
) -> list[Silence]:
    """Return silences that hold or will hold, the one that ends next first."""

    def fetch(most: int) -> list[Silence]:
        return book.list_silences(conn, expired=expired, limit=most)

    return pages.window(fetch, limit, offset)


@router.post("/silences/preview")
def preview_silence(what: Matchers, conn: Conn, who: Viewer) -> Hidden:
    """Return the open alerts that these matchers would hide."""
    found = preview(conn, what.matchers)
    return Hidden(count=len(found), alerts=found)


@router.post("/silences", status_code=201)
def create_silence(
    draft: Annotated[SilenceDraft, Body(examples=[EXAMPLE])], conn: Conn, who: Operator
) -> Silence:
    """Set a silence; its author is the caller. What it hides stays on the list."""
    refuse_past(conn, "body.ends_at", draft.ends_at)
    with conn.transaction():
        made = book.add_silence(conn, draft, who.name)
        matchers = " ".join(str(m) for m in made.matchers)
        ends = made.ends_at.isoformat()
        record(
            conn,
            who.name,
            f"{made.kind}.create",
            str(made.id),
            matchers=matchers,
            reason=made.reason,
            ends_at=ends,
        )
    return made


@router.get("/silences/{silence}")
def get_silence(silence: Number, conn: Conn, who: Viewer) -> Silence:
    """Return one silence."""
    found = book.get_silence(conn, silence)
    if found is None:
        raise not_found(f"no silence {silence}")
    return found


@router.delete("/silences/{silence}")
def expire_silence(silence: Number, conn: Conn, who: Operator) -> Silence:
    """End a silence now; what it hid and still lasts is told within a second."""
    with conn.transaction():
        ended = book.end_silence(conn, silence, who.name, now_of(conn))
        if ended is None:
            raise not_found(f"no silence {silence}")
        record(conn, who.name, f"{ended.kind}.expire", str(silence))
    return ended


def refuse_past(conn: Connection, field: str, ends_at: datetime) -> None:
    """Refuse a silence that would be over before it begins to hide anything."""
    if ends_at <= now_of(conn):
        raise Refused(field, "past", "the end lies in the past: nothing would be silenced")
