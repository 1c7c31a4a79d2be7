"""Drills: plan an exercise by the real way, see how fast people answered in past ones."""

from typing import Any

from nicegui import ui
from psycopg import Connection
from pydantic import ValidationError

from alerts.delivery.outbox import load_addresses
from alerts.sources.drills import (
    DrillDraft,
    DrillSummary,
    cancel_drill,
    exercise_channel,
    list_drills,
    plan_drill,
)
from catalog.severity import LEVELS
from console.deeds import do
from console.drill_rows import list_columns, list_row
from console.frame import Page, View, keep_fresh, panel
from console.marks import level_mark
from console.roles import Role
from console.widgets.forms import (
    act_button,
    choice_field,
    choices_field,
    chosen_time,
    named_field,
    show_mistake,
    text_field,
    time_field,
)
from console.widgets.table import Act, Table
from console.widgets.tools import list_tools
from service.postgres import now_of

MINUTES = ("15", "30", "60", "120", "240")


async def drills(view: View) -> None:
    """Show the form for those who may plan, and all drills."""
    words = view.words

    async def act(pressed: Act) -> None:
        def deed(conn: Connection, who: str) -> None:
            cancel_drill(conn, int(pressed.row), who, now_of(conn))

        if await do(view, "drill.cancel", pressed.row, deed):
            view.say("drills.cancelled")
        await read()

    takers, found = await view.ask(_state)
    if view.who.may(Role.OPERATOR):
        with panel(words("drills.new"), "new"):
            if takers:
                _form(view, takers, lambda: read())
            else:
                with ui.element("p").classes("empty"):
                    ui.label(words("drills.nobody"))
                    ui.link(words("receivers.title"), "/receivers")
    with panel(words("drills.title"), "list") as side:
        table = Table(
            list_columns(words), label=words("drills.title"), empty=words("drills.none"), on_act=act
        )
        list_tools(words, side, table)

    def show(found: list[DrillSummary]) -> None:
        now = view.desk.clock.now()
        table.show([list_row(words, drill, now, view.who) for drill in found])

    async def read() -> None:
        show(await view.ask(list_drills))

    show(found)
    keep_fresh(view, read)


def _state(conn: Connection) -> tuple[list[str], list[DrillSummary]]:
    return list(exercise_channel(load_addresses(conn))), list_drills(conn)


def _form(view: View, takers: list[str], anew: Any) -> None:
    words = view.words
    ui.label(words("drills.safe")).classes("advice")
    with ui.element("div").classes("fields"):
        with named_field(words("drills.what")):
            title = text_field(hint=words("drills.example"), most=200)
        with named_field(words("alerts.level")):
            marks = {str(int(n)): level_mark(words, n) for n in LEVELS}
            levels = {n: f"{mark['icon']} {mark['text']}" for n, mark in marks.items()}
            level = choice_field(levels, "2")
        with named_field(words("drills.receivers"), words("drills.empty_all")):
            names = choices_field({n: n for n in takers})
        with named_field(words("drills.starts"), words("drills.empty_now")):
            starts = time_field()
        with named_field(words("drills.minutes")):
            spans = {n: words("drills.for_minutes", count=n) for n in MINUTES}
            minutes = choice_field(spans, "30")
        with named_field(words("drills.instruction"), wide=True):
            instruction = text_field()
        with ui.element("div").classes("field-end"):
            act_button(words("drills.plan"), lambda: put(), strong=True)

    async def put() -> None:
        try:
            draft = DrillDraft(
                title=(title.value or "").strip(),
                instruction=(instruction.value or "").strip(),
                severity=int(level.value),
                receivers=list(names.value or []),
                starts_at=chosen_time(starts),
                minutes=float(minutes.value),
            )
        except ValidationError as error:
            show_mistake(words, error)
            return
        planned = await do(
            view,
            "drill.plan",
            draft.title,
            lambda conn, who: plan_drill(conn, draft, who, now_of(conn)),
        )
        if planned:
            view.say("drills.planned")
            for field in (title, instruction, starts):
                field.set_value("")
        await anew()


PAGE = Page("/drills", "drills.title", drills, place=9)
