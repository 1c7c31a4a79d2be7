"""The report of a day as a plain page to look at, print and send: the one of the command line."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from catalog.site import zone
from console.auth import COOKIE, Conn, desk_of, session_principal
from console.days import CityDay
from console.login import login_address
from console.problems import Refused
from console.report_notes import notes_of
from console.texts import language_of
from dashboards.report.day import read_day
from dashboards.report.page import render
from service.postgres import now_of

PATH = "/report/sheet"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def sheet(request: Request, conn: Conn, day: Annotated[CityDay, Query()]) -> Response:
    """Show the report of a day, with what was written into it, to who is logged in."""
    if session_principal(conn, desk_of(request), request.cookies.get(COOKIE)) is None:
        return RedirectResponse(login_address(f"{PATH}?day={day}"), 303)
    now = now_of(conn)
    if day > now.astimezone(zone()).date():
        raise Refused("query.day", "future", f"{day} has not begun")
    told = read_day(conn, day, language_of(request), now)
    return HTMLResponse(render(told, notes_of(conn, day)))
