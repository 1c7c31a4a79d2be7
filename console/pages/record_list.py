"""One kind of record: its queue, what is due first first, filtered by state, steps of several."""

from nicegui import ui

from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records as declared
from console.frame import Page, View, keep_fresh, missing, panel
from console.records.rows import list_columns, list_row
from console.widgets.forms import choice_field, named_field, text_field
from console.widgets.table import Table
from console.widgets.tools import list_tools
from records.queries import Filter, Window, list_records
from records.store import Row

MOST = 200
OPEN, CLOSED, LATE = "open", "closed", "late"


async def record_list(view: View, kind: str, state: str = "") -> None:
    """Show the queue and keep it fresh."""
    record = declared().get(kind)
    if record is None:
        missing(view, kind)
        return
    words = view.words
    ui.page_title(f"{words.of(record.plural)} · {words('app.title')}")
    shown = {OPEN: words("records.open"), LATE: words("records.overdue")}
    shown |= {s.name: words.of(s.title) for s in record.states}
    shown |= {CLOSED: words("records.closed")}
    with panel(words.of(record.plural), "list") as side:
        with ui.element("div").classes("fields"):
            with named_field(words("records.state")):
                chosen = choice_field(shown, state if state in shown else OPEN)
            with named_field(words("records.search")):
                search = text_field(most=100)
        table = Table(
            list_columns(words, record),
            label=words.of(record.plural),
            empty=words("records.nothing"),
        )
        list_tools(words, side, table)

    async def read() -> None:
        wanted = _filter(record, str(chosen.value), search.value or "")
        order = "new" if wanted.open is False else "due"

        def ask(conn) -> list[Row]:  # noqa: ANN001
            return list_records(conn, record, wanted, Window(MOST, 0, order))

        rows = await view.ask(ask)
        table.show([list_row(words, record, row) for row in rows])

    chosen.on_value_change(read)
    search.on("keydown.enter", read)
    await read()
    keep_fresh(view, read)


def _filter(record: Record, chosen: str, search: str) -> Filter:
    if chosen == CLOSED:
        return Filter(open=False, search=search)
    if chosen == LATE:
        return Filter(overdue=True, search=search)
    if chosen == OPEN:
        return Filter(search=search)
    return Filter(states=(chosen,), open=None, search=search)


PAGE = Page("/records/{kind}", "records.title", record_list)
