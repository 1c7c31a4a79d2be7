"""Records: every declared kind, how many are open in each state, and how many are overdue."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.lifecycle.registry import records as declared
from catalog.plan.registry import plans
from console.frame import Page, View, keep_fresh, panel
from console.widgets.table import Column, Table
from records.queries import states_of

Counts = dict[str, dict[str, tuple[int, int]]]


async def records(view: View) -> None:
    """Show one row a state of each kind; a row leads to its queue."""
    words = view.words
    tables: dict[str, Table] = {}
    planned = {plan.record for plan in plans().values()}
    if not declared():
        ui.label(words("records.none")).classes("empty")
    for record in declared().values():
        with panel(words.of(record.plural), "list") as side:
            with side:
                if record.name in planned:
                    ui.link(words("plans.title"), "/plans")
                ui.link(words("records.board"), f"/boards/{record.name}")
                ui.link(words("records.queue"), f"/records/{record.name}")
            columns = [
                Column("state", words("records.state"), "link"),
                Column("open", words("records.open")),
                Column("overdue", words("records.overdue")),
            ]
            label = words.of(record.plural)
            tables[record.name] = Table(columns, label=label, empty=words("records.nothing"))

    async def read() -> None:
        counts = await view.ask(_counts)
        for name, table in tables.items():
            table.show(_rows(view, name, counts[name]))

    await read()
    keep_fresh(view, read)


def _counts(conn: Connection) -> Counts:
    return {record.name: states_of(conn, record) for record in declared().values()}


def _rows(view: View, name: str, counts: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    record = declared()[name]
    return [
        {
            "id": state,
            "state": {
                "text": view.words.of(record.state(state).title),
                "href": f"/records/{name}?state={state}",
            },
            "open": str(total),
            "overdue": str(late) if late else "",
        }
        for state, (total, late) in counts.items()
    ]


PAGE = Page("/records", "records.title", records, place=2)
