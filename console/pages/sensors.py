"""The list of sensors with filters, from worst to well."""

from typing import Any, Literal

from nicegui import ui

from console import registry
from console.frame import Page, View, keep_fresh, panel, unfolding
from console.marks import WORST_FIRST, number, state_mark
from console.placing_form import PlacingForm
from console.roles import Role
from console.rows import district_title, sensor_link
from console.widgets.filters import (
    Choice,
    Search,
    district_choice,
    domain_choice,
    filter_row,
    named,
    stream_choice,
)
from console.widgets.saved import saved_filters
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools

MOST = 500
State = Literal["", "red", "orange", "yellow", "blue", "normal", "stale", "never"]


async def sensors(
    view: View,
    state: State = "",
    domain: str = "",
    district: str = "",
    stream: str = "",
    search: str = "",
    registered: Literal["", "provisional", "registered", "retired"] = "",
) -> None:
    """Show the sensors that pass the filters."""
    words = view.words
    states = [("", words("filter.all"))]
    for name in WORST_FIRST:
        mark = state_mark(words, name)
        states.append((name, f"{mark['icon']} {mark['text']}"))
    fields = [
        Choice("state", words("filter.state"), states),
        domain_choice(words),
        stream_choice(words),
        district_choice(words),
        named(words, "list", "registered", ("", "provisional", "registered", "retired")),
        Search("search", words("filter.search")),
    ]
    chosen = {"state": state, "domain": domain, "district": district}
    chosen |= {"stream": stream, "search": search, "registered": registered}
    filter_row(words, fields, chosen)
    await saved_filters(view, "/sensors", chosen)
    if view.who.may(Role.OPERATOR):
        with unfolding(words("register.new"), "new"):
            PlacingForm(view, lambda: read())
    with panel(words("sensors.title"), "list") as side:
        table = Table(_columns(view), label=words("sensors.title"), empty=words("sensors.nothing"))
        with side:
            ui.link(words("things.title"), "/things")
            count = ui.label().classes("count").props('role="status"')
        list_tools(words, side, table)

    async def read() -> None:
        found = await view.ask(
            lambda conn: registry.sensors(
                conn,
                stream=stream or None,
                domain=domain or None,
                district=district or None,
                state=state or None,
                status=registered or None,
                search=search,
                limit=MOST,
            )
        )
        table.show([_row(view, row) for row in sorted(found, key=_order)])
        key = "sensors.more" if len(found) == MOST else "sensors.count"
        count.set_text(words(key, count=len(found)))

    await read()
    keep_fresh(view, read)


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("state", words("sensors.state"), "state", width="110px"),
        Column("sensor", words("sensors.sensor"), "link"),
        Column("stream", words("filter.stream"), "link", hide=True),
        Column("district", words("filter.district"), hide=True),
        Column("street", words("sensors.street"), hide=True),
        Column("value", words("sensors.value"), "number"),
        Column("status", words("register.status"), hide=True),
        Column("heard", words("sensors.heard"), "age", width="90px"),
    ]


def _order(row: dict[str, Any]) -> tuple[int, str, str]:
    return WORST_FIRST.index(row["state"]), row["stream"], row["sensor"]


def _row(view: View, row: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    title = words.of(registry.stream_title(row["stream"]))
    return {
        "id": f"{row['stream']}/{row['sensor']}",
        "mark": row["state"],
        "state": state_mark(words, row["state"]),
        "sensor": sensor_link(words, row),
        "stream": {"text": title, "href": f"/streams/{row['stream']}"},
        "district": district_title(words, row["district"]),
        "street": row["street"] or "",
        "value": number(words, row["value"], row["unit"], row["decimals"]),
        "status": words(f"register.status_{row['status']}"),
        "heard": row["observed_at"].isoformat() if row["observed_at"] else None,
    }


PAGE = Page("/sensors", "sensors.title", sensors, place=3)
