"""One thing: where it is, what it shows, what it belongs to, records that name it, its past."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts.event.events import rule_title
from catalog.errors import NotFoundError
from catalog.lifecycle.registry import records
from catalog.thing.model import Thing
from catalog.thing.registry import things
from console.frame import Page, View, keep_fresh, missing, panel
from console.things.rows import cause, map_marks, thing_link, thing_state, where_facts
from console.widgets.city_map import CityMap
from console.widgets.facts import Facts
from console.widgets.table import Column, Table
from records.things.queries import Named, ThingPage, ThingRow, get_thing, rules_of_alerts

NEAR_KM = 0.6


async def thing(view: View, kind: str, id: str) -> None:
    """Show the thing and keep it fresh."""
    words, declared = view.words, things().get(kind)
    if declared is None:
        missing(view, kind)
        return
    try:
        first = await view.ask(lambda conn: get_thing(conn, declared, id))
    except NotFoundError:
        missing(view, id)
        return
    title = thing_link(words, first.thing)["text"]
    ui.page_title(f"{title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words.of(declared.plural)}", f"/things/{kind}")
        with ui.element("h1"):
            ui.label(title)
    with panel(words("things.what"), "glance wide"):
        facts = Facts(words("things.what"))
    if first.thing.lon is not None:
        with panel(words("things.where"), "map"):
            city = CityMap(words)
            focus = {"lon": first.thing.lon, "lat": first.thing.lat, "radius_km": NEAR_KM}
            city.show(sensors=map_marks(words, [first.thing]), focus=focus)
    named = _table(view, "things.records", ("record", "state", "due"))
    parts = _table(view, "things.parts", ("part", "mark"))
    past = _table(view, "things.past", ("at", "mark", "cause"))

    async def read() -> None:
        page = await view.ask(lambda conn: _read(conn, declared, id))
        found, alerts = page
        facts.show([*where_facts(words, declared, found.thing), *_around(view, found, alerts)])
        named.show([_record_row(view, row) for row in found.records])
        parts.show([_part_row(view, row) for row in found.parts])
        past.show(
            [
                {
                    "id": one.at.isoformat(),
                    "at": one.at.isoformat(),
                    "mark": thing_state(words, declared, one.state),
                    "cause": cause(words, declared, one.cause),
                }
                for one in found.history
            ]
        )

    await read()
    keep_fresh(view, read)


def _read(conn: Connection, thing: Thing, id: str) -> tuple[ThingPage, list[tuple[str, str]]]:
    page = get_thing(conn, thing, id)
    rules = rules_of_alerts(conn, page.alerts)
    return page, [(one, rules[one]) for one in page.alerts if one in rules]


KINDS = {"record": "link", "part": "link", "mark": "state", "due": "time", "at": "time"}


def _table(view: View, key: str, columns: tuple[str, ...]) -> Table:
    words = view.words
    with panel(words(key), "list"):
        return Table(
            [Column(c, words(f"things.c_{c}"), KINDS.get(c, "text")) for c in columns],  # pyright: ignore[reportArgumentType]
            label=words(key),
            empty=words("records.nothing"),
        )


def _around(view: View, page: ThingPage, alerts: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    """Return what the thing belongs to, and the open alerts of its sensor."""
    above = [thing_link(view.words, row) for row in page.parents]
    open_alerts = [
        {"text": view.words.of(rule_title(rule)), "href": f"/alerts/{id}"} for id, rule in alerts
    ]
    return [(view.words("things.parent"), above), (view.words("alerts.title"), open_alerts)]


def _record_row(view: View, row: Named) -> dict[str, Any]:
    state = records()[row.kind].state(row.state)
    return {
        "id": row.record,
        "record": {"text": row.record, "href": f"/records/{row.kind}/{row.record}"},
        "state": view.words.of(state.title),
        "due": row.due_at.isoformat() if row.due_at else None,
    }


def _part_row(view: View, row: ThingRow) -> dict[str, Any]:
    return {
        "id": f"{row.kind}/{row.thing}",
        "part": thing_link(view.words, row),
        "mark": thing_state(view.words, things()[row.kind], row.state),
    }


PAGE = Page("/things/{kind}/{id}", "things.title", thing)
