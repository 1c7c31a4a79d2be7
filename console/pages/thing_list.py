"""Things of one kind: map and list, the worst state first."""

from nicegui import ui

from catalog.thing.registry import things
from console.frame import Page, View, keep_fresh, missing, panel
from console.things.rows import map_marks, thing_columns, thing_row, thing_state
from console.widgets.city_map import CityMap
from console.widgets.filters import Choice, Search, district_choice, filter_row
from console.widgets.saved import saved_filters
from console.widgets.table import Table
from console.widgets.tools import list_tools
from records.things.queries import MOST, Wanted, list_things


async def thing_list(
    view: View, kind: str, state: str = "", district: str = "", search: str = ""
) -> None:
    """Show the things that pass the filters, and keep them fresh."""
    words, thing = view.words, things().get(kind)
    if thing is None:
        missing(view, kind)
        return
    ui.page_title(f"{words.of(thing.plural)} · {words('app.title')}")
    states = [("", words("filter.all"))]
    for one in thing.states:
        mark = thing_state(words, thing, one.name)
        states.append((one.name, f"{mark['icon']} {mark['text']}".strip()))
    fields = [
        Choice("state", words("things.state"), states),
        district_choice(words),
        Search("search", words("filter.search")),
    ]
    chosen = {"state": state, "district": district, "search": search}
    filter_row(words, fields, chosen)
    await saved_filters(view, f"/things/{kind}", chosen)
    with panel(words("things.where"), "map"):
        city = CityMap(words)
    with panel(words.of(thing.plural), "list") as side:
        columns = thing_columns(words, thing)
        table = Table(columns, label=words.of(thing.plural), empty=words("records.nothing"))
        list_tools(words, side, table)

    async def read() -> None:
        wanted = Wanted(state=state, district=district, search=search)
        rows = await view.ask(lambda conn: list_things(conn, thing, wanted, MOST))
        table.show([thing_row(words, thing, row) for row in rows])
        city.show(sensors=map_marks(words, rows))

    await read()
    keep_fresh(view, read)


PAGE = Page("/things/{kind}", "things.title", thing_list)
