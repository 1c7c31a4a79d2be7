"""Things: every declared kind, how many are in each state."""

from typing import Any

from nicegui import ui

from catalog.thing.model import Thing
from catalog.thing.registry import things as declared
from console.frame import Page, View, keep_fresh, panel
from console.things.rows import thing_state
from console.widgets.table import Column, Table
from records.things.queries import states_of_things


async def things(view: View) -> None:
    """Show one row a state of each kind; a row leads to its list."""
    words = view.words
    tables: dict[str, Table] = {}
    if not declared():
        ui.label(words("things.none")).classes("empty")
    for thing in declared().values():
        with panel(words.of(thing.plural), "list") as side:
            with side:
                ui.link(words("things.list"), f"/things/{thing.name}")
            columns = [
                Column("state", words("things.state"), "state"),
                Column("count", words("things.count"), "link"),
            ]
            label = words.of(thing.plural)
            tables[thing.name] = Table(columns, label=label, empty=words("records.nothing"))

    async def read() -> None:
        counts = await view.ask(states_of_things)
        for name, table in tables.items():
            table.show(_rows(view, declared()[name], counts[name]))

    await read()
    keep_fresh(view, read)


def _rows(view: View, thing: Thing, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "id": state,
            "state": thing_state(view.words, thing, state),
            "count": {"text": str(n), "href": f"/things/{thing.name}?state={state}"},
        }
        for state, n in counts.items()
    ]


PAGE = Page("/things", "things.title", things)
