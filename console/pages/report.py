"""The report of a day: opened to be printed, and written into by those on duty."""

from datetime import date, timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.site import zone
from console.days import DayAsked
from console.deeds import do
from console.frame import Page, View, keep_fresh, panel
from console.report_notes import LONGEST, add_note, notes_of
from console.report_sheet import PATH
from console.roles import Role
from console.widgets.filters import Day, filter_row
from console.widgets.forms import act_button
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools
from dashboards.report.page import Note


async def report(view: View, day: DayAsked = None) -> None:
    """Show what was written into a day's report, yesterday's at first, and add to it."""
    words = view.words
    today = view.desk.clock.now().astimezone(zone()).date()
    chosen = min(day or today - timedelta(days=1), today)
    filter_row(words, [Day("day", words("report.day"))], {"day": str(chosen)})
    with ui.element("div").classes("panel form-row"):
        ui.label(words("report.how"))
        ui.link(words("report.open"), f"{PATH}?day={chosen}", new_tab=True)
    with panel(words("report.notes"), "list") as side:
        table = Table(_columns(view), label=words("report.notes"), empty=words("report.no_notes"))
        list_tools(words, side, table)

    async def read() -> None:
        found = await view.ask(lambda conn: notes_of(conn, chosen))
        table.show([_row(n, note) for n, note in enumerate(found)])

    if view.who.may(Role.OPERATOR):
        _form(view, chosen, read)
    await read()
    keep_fresh(view, read)


def _form(view: View, day: date, anew: Any) -> None:
    words = view.words
    with ui.element("div").classes("panel form-row"):
        field = ui.textarea(placeholder=words("report.note")).classes("note")
        field.props(f'outlined autogrow maxlength={LONGEST} aria-label="{words("report.note")}"')

        async def add() -> None:
            text = (field.value or "").strip()
            if not text:
                ui.notify(words("alert.note_needed"), type="warning")
                return

            def deed(conn: Connection, who: str) -> None:
                add_note(conn, day, who, text)

            if await do(view, "report.note", str(day), deed, note=text):
                field.set_value("")
                view.say("report.added", day=day)
            await anew()

        act_button(words("report.add"), add, strong=True)


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("at", words("report.at"), "time", width="120px"),
        Column("who", words("report.who"), width="120px"),
        Column("text", words("report.text")),
    ]


def _row(number: int, note: Note) -> dict[str, Any]:
    return {"id": str(number), "at": note.at.isoformat(), "who": note.who, "text": note.text}


PAGE = Page("/report", "report.title", report)
