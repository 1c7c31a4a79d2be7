"""The audit log."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from alerts.event.fields import Number
from console.api.paging import Pages
from console.auth import Admin, Conn
from storage import audit

router = APIRouter(tags=["audit"])


class Verdict(BaseModel):
    """Whether the hash chain holds; keep ``head`` elsewhere to notice rows cut off later."""

    whole: bool
    rows: int
    broken_at: int | None
    head: str


@router.get("/audit")
def list_audit(
    conn: Conn,
    who: Admin,
    pages: Pages,
    before: Number | None = None,
    search: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[audit.Entry]:
    """Return acts, newest first; page on with ``before`` = the last ``seq``."""
    found = audit.entries(conn, before=before, search=search, limit=limit + 1)
    return pages.cut(found, limit, lambda last: {"before": last.seq})


@router.get("/audit/verify")
def verify_audit(conn: Conn, who: Admin) -> Verdict:
    """Recompute the hash chain."""
    found = audit.verify(conn)
    return Verdict(whole=found.whole, rows=found.rows, broken_at=found.broken_at, head=found.head)
