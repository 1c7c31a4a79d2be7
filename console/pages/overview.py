"""The city at one glance: vital signs, map, active alerts, districts, freshness, platform."""

from typing import Any

from nicegui import ui

from alerts.episode.acts import acknowledge
from alerts.incident.queries import outermost
from console.frame import Page, View, follow, panel
from console.live import Snapshot
from console.marks import number, state_mark
from console.outlook import outlook_strip
from console.roles import Role
from console.rows import (
    alert_row,
    district_mark,
    district_title,
    incident_areas,
    incident_chips,
    sensor_mark,
    unplaced_chip,
)
from console.widgets.city_map import CityMap
from console.widgets.table import Act, Column, Table
from console.widgets.vitals import VitalSigns, vital_signs
from service.disk import GIB, Disk, from_setting
from service.postgres import now_of
from storage.audit import record
from storage.views.limits import is_unwell

PLATFORM = (
    "stored_per_s",
    "arrival_delay_s",
    "newest_age_s",
    "dead_letters_open",
    "undelivered",
    "oldest_undelivered_s",
    "given_up",
    "windows_corrected",
)
CHIPS = 6
"""So many open incidents are named on the map, the worst first."""


async def overview(view: View) -> None:
    """Show the city."""
    words = view.words
    vital = VitalSigns(words("overview.vital")).classes("signs")
    coming = outlook_strip(view, linked=True)
    with panel(words("map.title"), "map") as side:
        city = CityMap(words)
        open_ones = ui.html("", sanitize=False, tag="nav").classes("chips")
        open_ones.props(f'aria-label="{words("incidents.open")}"')
        with side:
            for place in ("city", "centre"):
                ui.button(
                    words(f"map.{place}"), on_click=lambda _, p=place: city.look_at(p), color=None
                ).props("flat dense no-caps").classes("plain")
            legend(words)
    with panel(words("alerts.active"), "alerts") as side:
        alerts = alert_table(view)
        with side:
            count = ui.label().classes("count")
    with panel(words("districts.title"), "districts") as side:
        with side:
            ui.link(words("index.title"), "/index")
        districts = Table(
            _district_columns(view), label=words("districts.title"), empty=words("app.nothing")
        )
    with panel(words("freshness.title"), "freshness"):
        freshness = Table(
            _freshness_columns(view), label=words("freshness.title"), empty=words("app.nothing")
        )
    with panel(words("platform.title"), "platform"):
        platform = VitalSigns(words("platform.title"))

    def show(now: Snapshot) -> None:
        coming(now)
        vital.show(vital_signs(words, now.vital_signs))
        city.show(
            sensors=[sensor_mark(words, row) for row in now.sensors if row["lon"] is not None],
            districts=[district_mark(row) for row in now.districts],
            areas=incident_areas(words, now.incidents),
        )
        chips = incident_chips(words, outermost(now.incidents)[:CHIPS]) + unplaced_chip(
            words, now.sensors
        )
        open_ones.set_content(chips)
        alerts.show([alert_row(words, row, view.who) for row in now.alerts])
        count.set_text(words("alerts.count", count=len(now.alerts)))
        districts.show([_district(view, row) for row in now.districts])
        freshness.show([_freshness(view, row) for row in now.freshness])
        known = [_platform(view, n, now.platform[n]) for n in PLATFORM if n in now.platform]
        found = from_setting(view.desk.settings.disks)
        platform.show(known + [_disk(view, disk, len(found) > 1) for disk in found])

    follow(view, show)


def legend(words: Any) -> None:
    """Say what the marks of the map mean."""
    with ui.element("ul").classes("legend"):
        for state in ("red", "orange", "yellow", "blue", "stale", "normal"):
            mark = state_mark(words, state)
            ui.html(
                f'<i class="mark-{state}" aria-hidden="true">{mark["icon"]}</i>{mark["text"]}',
                sanitize=False,
                tag="li",
            )


def alert_table(view: View) -> Table:
    """Return the table of active alerts, with a button to acknowledge for operators."""
    words = view.words

    async def act(pressed: Act) -> None:
        def deed(conn: Any, who: Any) -> bool:
            acknowledge(conn, pressed.row, who.name, "", now_of(conn))
            record(conn, who.name, "alert.ack", pressed.row)
            return True

        if await view.act(Role.OPERATOR, deed):
            view.desk.live.poke()

    columns = [
        Column("level", words("alerts.level"), "level", width="72px"),
        Column("title", words("alerts.what"), "link"),
        Column("sensor", words("alerts.where"), hide=True),
        Column("value", words("alerts.value"), "number"),
        Column("raised", words("alerts.since"), "age", hide=True, width="64px"),
        Column("acked", words("alerts.acked"), hide=True),
        Column("act", "", "actions"),
    ]
    return Table(columns, label=words("alerts.active"), empty=words("alerts.none"), on_act=act)


def _district_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("name", words("districts.name")),
        Column("state", words("districts.state"), "state"),
        Column("alerts", words("districts.alerts"), "number"),
        Column("fresh", words("districts.sensors"), "number"),
        Column("stale", words("districts.silent"), "number"),
    ]


def _district(view: View, row: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    return {
        "id": row["district"],
        "name": district_title(words, row["district"]),
        "state": state_mark(words, row["worst"]),
        "alerts": number(words, row["alerts"] or None, "", 0),
        "fresh": {
            "text": f"{row['fresh']}/{row['sensors']}",
            "unit": "",
            "sort": row["fresh"],
        },
        "stale": number(words, (row["sensors"] - row["fresh"]) or None, "", 0),
    }


def _freshness_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("name", words("freshness.stream")),
        Column("state", words("freshness.state"), "state"),
        Column("fresh", words("freshness.fresh"), "number"),
        Column("newest", words("freshness.newest"), "age"),
    ]


def _freshness(view: View, row: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    silent = row["fresh"] == 0
    state = "normal" if row["fresh"] == row["sensors"] else "stale"
    mark = state_mark(words, "stale" if silent else state)
    if state == "stale" and not silent:
        mark = mark | {"text": words("freshness.some", count=row["stale"] + row["never"])}
    newest = row["newest_observed_at"]
    return {
        "id": row["stream"],
        "name": words.pick(row["title_zh"], row["title_en"], row["stream"]),
        "state": mark,
        "fresh": {"text": f"{row['fresh']}/{row['sensors']}", "unit": "", "sort": row["fresh"]},
        "newest": newest.isoformat() if newest else None,
    }


def _platform(view: View, name: str, row: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    value = row["value"]
    unwell = is_unwell(name, value)
    shown = number(words, value, row["unit"], 1 if row["unit"] and value and value < 10 else 0)
    return {
        "id": name,
        "title": words(f"platform.{name}"),
        "text": shown["text"] if shown else "–",
        "unit": row["unit"],
        "mark": "orange" if unwell else "normal",
        "icon": state_mark(words, "orange")["icon"] if unwell else "",
        "state": words("platform.unwell") if unwell else "",
    }


def _disk(view: View, disk: Disk, several: bool) -> dict[str, Any]:
    words = view.words
    title = words("platform.disk_free")
    return {
        "id": f"disk {disk.path}",
        "title": f"{title} {disk.path}" if several else title,
        "text": f"{disk.free / GIB:.1f}",
        "unit": "GiB",
        "mark": "red" if disk.low else "normal",
        "icon": state_mark(words, "red")["icon"] if disk.low else "",
        "state": words("platform.disk_low") if disk.low else "",
    }


PAGE = Page("/", "overview.title", overview, place=0)
