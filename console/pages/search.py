"""One search over everything: incidents, alerts, sensors, streets."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.site import site
from console import registry
from console.finder import Found, find
from console.frame import Page, View, keep_fresh, panel
from console.marks import WORST_FIRST, level_mark, number, response_mark, state_mark
from console.rows import (
    alert_status,
    district_title,
    incident_place,
    sensor_link,
    where_link,
    where_title,
)
from console.widgets.filters import Search, filter_row
from console.widgets.table import Column, Table

KINDS = ("incidents", "alerts", "sensors", "streets")


async def search(view: View, q: str = "") -> None:
    """Show what fits the text: in names, streets, districts, rules and ids, in both languages."""
    words, text = view.words, q.strip()
    filter_row(words, [Search("q", words("search.field"))], {"q": text})
    if not text:
        ui.label(words("search.hint")).classes("empty")
        return
    tables, counts = {}, {}
    for kind in KINDS:
        with panel(words(f"search.{kind}"), f"short {kind}") as side:
            columns = _columns(view)[kind]
            title = words(f"search.{kind}")
            tables[kind] = Table(columns, label=title, empty=words("search.none"))
            with side:
                counts[kind] = ui.label().classes("count").props('role="status"')

    async def read() -> None:
        found = await view.ask(lambda conn: _read(conn, text))
        for kind, rows in _rows(view, *found).items():
            tables[kind].show(rows)
            counts[kind].set_text(words("sensors.count", count=len(rows)))

    await read()
    keep_fresh(view, read)


def _read(conn: Connection, text: str) -> tuple[Found, dict[tuple[str, str], registry.Row]]:
    found = find(conn, text)
    return found, registry.places(conn, [(a.stream, a.sensor) for a in found.alerts])


def _columns(view: View) -> dict[str, list[Column]]:
    words = view.words
    return {
        "incidents": [
            Column("level", words("incidents.level"), "level", width="90px"),
            Column("title", words("incidents.what"), "link"),
            Column("place", words("alerts.where"), hide=True),
            Column("status", words("incidents.status")),
            Column("opened", words("incidents.opened"), "time", hide=True),
        ],
        "alerts": [
            Column("level", words("alerts.level"), "level", width="80px"),
            Column("title", words("alerts.what"), "link"),
            Column("sensor", words("alerts.where"), "link", hide=True),
            Column("status", words("alerts.status")),
            Column("raised", words("alerts.raised"), "time", hide=True),
        ],
        "sensors": [
            Column("state", words("sensors.state"), "state", width="110px"),
            Column("sensor", words("sensors.sensor"), "link"),
            Column("stream", words("filter.stream"), hide=True),
            Column("street", words("sensors.street"), hide=True),
            Column("value", words("sensors.value"), "number"),
        ],
        "streets": [
            Column("name", words("sensors.street"), "link"),
            Column("district", words("filter.district")),
            Column("sensors", words("sensors.title"), "number"),
        ],
    }


def _rows(
    view: View, found: Found, places: dict[tuple[str, str], registry.Row]
) -> dict[str, list[dict[str, Any]]]:
    words = view.words
    return {
        "incidents": [
            {
                "id": i.id,
                "level": response_mark(words, i.severity),
                "title": {
                    "text": words.of(i.title),
                    "href": f"/incidents/{i.id}",
                    "sub": incident_place(words, i),
                },
                "place": incident_place(words, i),
                "status": words(f"incidents.status_{i.status}"),
                "opened": i.opened_at.isoformat(),
            }
            for i in found.incidents
        ],
        "alerts": [
            {
                "id": a.id,
                "level": level_mark(words, a.severity),
                "title": {
                    "text": words.pick(*a.titles),
                    "href": f"/alerts/{a.id}",
                    "sub": where_title(words, a.stream, a.sensor, place),
                },
                "sensor": where_link(words, a.stream, a.sensor, place),
                "status": alert_status(words, a),
                "raised": a.raised_at.isoformat(),
            }
            for a in found.alerts
            for place in [places.get((a.stream, a.sensor), {})]
        ],
        "sensors": [
            {
                "id": f"{row['stream']}/{row['sensor']}",
                "state": state_mark(words, row["state"]),
                "sensor": sensor_link(words, row),
                "stream": words.of(registry.stream_title(row["stream"])),
                "street": f"{district_title(words, row['district'])} {row['street'] or ''}".strip(),
                "value": number(words, row["value"], row["unit"], row["decimals"]),
            }
            for row in sorted(found.sensors, key=lambda row: WORST_FIRST.index(row["state"]))
        ],
        "streets": [
            {
                "id": f"{code}/{street}",
                "name": {
                    "text": street or words.of(site().districts[code].title),
                    "href": f"/sensors?district={code}&search={street}",
                },
                "district": district_title(words, code),
                "sensors": {"text": str(count), "unit": "", "sort": count},
            }
            for code, street, count in found.streets
        ],
    }


PAGE = Page("/search", "search.title", search)
