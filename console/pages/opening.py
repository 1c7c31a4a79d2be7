"""The form that opens a record, alone on a page: for the phone of somebody on a round."""

from nicegui import ui

from catalog.lifecycle.registry import records
from console.frame import Page, View, missing, panel
from console.records.forms import move_context, opening_form


async def opening(view: View, kind: str) -> None:
    """Show the form to who may open such a record."""
    words, record = view.words, records().get(kind)
    if record is None:
        missing(view, kind)
        return
    title = words.of(record.opening.title)
    ui.page_title(f"{title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words.of(record.plural)}", f"/records/{kind}")
    context = await view.ask(lambda conn: move_context(conn, view.who))
    with panel(title, "new"):
        if view.who.anonymous or not context.role(record, record.opening.roles, {}):
            ui.label(words("app.refused")).classes("empty")
            return

        async def opened() -> None:
            ui.run_javascript("window.scrollTo(0, 0)")

        await opening_form(view, record, opened)


PAGE = Page("/open/{kind}", "records.title", opening)
