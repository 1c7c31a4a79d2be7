"""The week of a kind of record as a plain page to look at and print."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from catalog.lifecycle.registry import records
from catalog.site import zone
from console.auth import COOKIE, Conn, desk_of, session_principal
from console.days import DayAsked
from console.login import login_address
from console.problems import Refused, not_found
from console.texts import language_of
from dashboards.report.week import read_week
from dashboards.report.week_page import render_week
from service.postgres import now_of

PATH = "/records/{kind}/week/sheet"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def sheet(
    kind: str, request: Request, conn: Conn, day: Annotated[DayAsked, Query()] = None
) -> Response:
    """Show the week of a day, the last one where none is given, to who is logged in."""
    if session_principal(conn, desk_of(request), request.cookies.get(COOKIE)) is None:
        query = f"?day={day}" if day else ""
        return RedirectResponse(login_address(PATH.format(kind=kind) + query), 303)
    record = records().get(kind)
    if record is None:
        raise not_found(f"no record {kind[:60]!r}")
    now = now_of(conn)
    today = now.astimezone(zone()).date()
    chosen = day or today - timedelta(days=7)
    if chosen > today:
        raise Refused("query.day", "future", f"{chosen} has not begun")
    return HTMLResponse(render_week(read_week(conn, record, chosen, language_of(request), now)))
