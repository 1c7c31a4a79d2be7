"""One drill: what is exercised, and how fast each receiver answered."""

from nicegui import ui
from psycopg import Connection

from alerts.sources.drills import cancel_drill, get_drill
from catalog.errors import NotFoundError
from console.deeds import do
from console.drill_rows import drill_facts, drill_state, result_columns, result_row
from console.frame import Page, View, keep_fresh, missing, panel
from console.marks import level_mark
from console.roles import Role
from console.widgets.facts import Facts, badge
from console.widgets.forms import act_button
from console.widgets.table import Table
from service.postgres import now_of


async def drill(view: View, drill: int) -> None:
    """Show the drill and follow the answers."""
    words = view.words
    try:
        found = await view.ask(lambda conn: get_drill(conn, drill))
    except NotFoundError:
        missing(view, str(drill))
        return
    known = found.drill
    ui.page_title(f"{known.title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words('drills.title')}", "/drills")
        mark = badge(level_mark(words, known.severity))
        ui.html(mark, sanitize=False, tag="span")
        with ui.element("h1"):
            ui.label(f"{words('drill.mark')} {known.title}")
    with panel(words("alert.facts"), "glance wide") as side:
        ui.label(known.instruction).classes("advice")
        facts = Facts(words("alert.facts"))

    async def end() -> None:
        def deed(conn: Connection, who: str) -> None:
            cancel_drill(conn, drill, who, now_of(conn))

        if await do(view, "drill.cancel", str(drill), deed):
            view.say("drills.cancelled")
        await read()

    with side:
        ending = act_button(words("drills.end_running"), end)
    with panel(words("drill.results"), "list"):
        results = Table(
            result_columns(words), label=words("drill.results"), empty=words("drill.untold")
        )

    async def read() -> None:
        page = await view.ask(lambda conn: get_drill(conn, drill))
        now = view.desk.clock.now()
        facts.show(drill_facts(words, page.drill, now))
        results.show([result_row(words, result) for result in page.results])
        state = drill_state(page.drill, now)
        ending.set_visibility(view.who.may(Role.OPERATOR) and state in ("planned", "running"))
        if state in ("planned", "running"):
            ending.set_text(words(f"drills.end_{state}"))

    await read()
    keep_fresh(view, read)


PAGE = Page("/drills/{drill}", "drill.title", drill)
