"""L0, the city on a video wall: the same functions, order, limits and texts as Grafana's wall.

Full-screen and dark, readable from five metres; pages turn by themselves: the city (on two pages
or more when its domains would not be readable on one), then each domain. On one page
stays ``/wall?page=water&seconds=0``.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nicegui import ui

from alerts.incident.queries import Summary, outermost
from catalog.model import Severity
from catalog.severity import LEVELS
from console.frame import Page, View, beat, follow
from console.history import Span
from console.live import Snapshot
from console.marks import duration, level_mark, number, response_mark
from console.outlook import outlook_strip
from console.rows import (
    district_mark,
    incident_areas,
    incident_title,
    sensor_mark,
    where_title,
)
from console.texts import Words
from console.widgets.chart import Chart, limits_of, quantity_props, range_prop
from console.widgets.city_map import CityMap
from console.widgets.head import Pulse
from console.widgets.rotate import Rotation
from console.widgets.table import Column, Table
from console.widgets.vitals import VitalSigns, limit_lines, wall_tiles
from dashboards.texts import say
from dashboards.wall import HOURS, Row, wall_rows
from storage.views.limits import is_offline, is_unwell

TURN_S = 20.0
LOOK_S = 0.2
"""Sooner than other pages: a reading is here within a second of its arrival."""
CITY = "city"
DOMAINS = 5
"""So many rows of numbers a page of the city holds, each with its place and trend."""
ALERTS = 6
INCIDENTS = 2
"""Rows of each list; what is more is counted below the list."""
Show = Callable[[Snapshot], None]


async def wall(view: View) -> None:
    """Show the wall."""
    words, lines = view.words, wall_rows()
    shows = [_head(view), outlook_strip(view)]
    titles = []
    for n, part in enumerate(city_parts(lines), 1):
        name, title = (CITY, "") if n == 1 else (f"{CITY}-{n}", f" {n}")
        titles.append((name, words("wall.city") + title))
        shows.append(_page(name, lambda part=part: _city(view, part)))
    for line in lines:
        shows.append(_page(line.domain.name, lambda line=line: _domain(view, line)))
    titles += [(line.domain.name, words.of(line.domain.title)) for line in lines]
    Rotation(words, titles, TURN_S)

    def show(now: Snapshot) -> None:
        for each in shows:
            each(now)

    follow(view, show, LOOK_S)


def city_parts(lines: list[Row]) -> list[list[Row]]:
    """Return the domains of each page of the city, as even as can be, in their order."""
    pages = max(1, -(-len(lines) // DOMAINS))
    size = max(1, -(-len(lines) // pages))
    return [lines[begin : begin + size] for begin in range(0, len(lines), size)] or [[]]


def _page(name: str, fill: Callable[[], Show]) -> Show:
    with ui.element("section").classes(f"wall-page {name}").props(f"data-page={name}"):
        return fill()


def _head(view: View) -> Show:
    words = view.words
    with ui.element("header").classes("wall-head"):
        ui.html(words("wall.title"), sanitize=False, tag="h1")
        figures = VitalSigns(say("severities", words.language)).classes("figures")
        pulse = Pulse(words)

    def show(now: Snapshot) -> None:
        figures.show(_severities(view, now) + _platform(view, now))
        beat(pulse, now, words)

    return show


def _city(view: View, lines: list[Row]) -> Show:
    words = view.words
    strips = []
    with ui.element("div").classes("strips"):
        for line in lines:
            with ui.element("div").classes("strip"):
                icon = f'<i class="material-icons" aria-hidden="true">{line.domain.icon}</i>'
                title = words.of(line.domain.title)
                ui.html(f"{icon}<span>{title}</span>", sanitize=False, tag="h2")
                strips.append((line, VitalSigns(title)))
    city = _map(view)
    incidents = _incidents(view)
    alerts = _alerts(view)

    def show(now: Snapshot) -> None:
        for line, strip in strips:
            strip.show(wall_tiles(words, line.vitals, now))
        city(now.sensors, now)
        shown = outermost(now.incidents)
        incidents(shown)
        alerts(now.alerts, len(shown))

    return show


def _domain(view: View, line: Row) -> Show:
    words = view.words
    cells = []
    with ui.element("div").classes(f"charts of-{len(line.vitals)}"):
        for vital in line.vitals:
            with ui.element("div").classes("cell"):
                tile = VitalSigns(words.of(vital.title))
                cells.append((vital, tile, Chart(words, words.of(vital.title), still=True)))
    city = _map(view)
    incidents = _incidents(view)
    alerts = _alerts(view)
    name = line.domain.name

    def show(now: Snapshot) -> None:
        signs = {row["stream"]: row for row in now.vital_signs}
        for tile, (vital, strip, chart) in zip(
            wall_tiles(words, line.vitals, now), cells, strict=False
        ):
            strip.show([tile | {"points": None, "of": tile["hint"]}])
            sign = signs.get(vital.stream.name)
            if now.at and sign:
                span, metric = Span(now.at - timedelta(hours=HOURS), now.at), sign["metric"]
                limits = limits_of(words, vital.stream, metric)
                chart.show(
                    lines=[{"name": tile["hint"], "points": tile["points"]}],
                    limits=limit_lines(vital) if sign["headline"] else limits,
                    range=range_prop(span) if now.trends else None,
                    **quantity_props(vital.stream, metric),
                )
        city([row for row in now.sensors if row["domain"] == name], now)
        shown = outermost(now.incidents)
        incidents(shown)
        alerts([row for row in now.alerts if row["domain"] == name], len(shown))

    return show


def _map(view: View) -> Callable[[list[Any], Snapshot], None]:
    words = view.words
    with ui.element("div").classes("wall-map"):
        city = CityMap(words, still=True)

    def show(sensors: list[Any], now: Snapshot) -> None:
        city.show(
            sensors=[sensor_mark(words, row) for row in sensors if row["lon"] is not None],
            districts=[district_mark(row) for row in now.districts],
            areas=incident_areas(words, now.incidents),
        )

    return show


def _incidents(view: View) -> Callable[[list[Summary]], None]:
    """Add the open incidents, the worst first; the place is no higher than what it holds."""
    words = view.words
    columns = [
        Column("level", words("incidents.level"), "level", width="12rem"),
        Column("title", words("wall.incidents")),
        Column("alerts", words("wall.alerts"), "number", width="9rem"),
        Column("opened", words("alerts.since"), "age", width="8rem"),
    ]
    with ui.element("div").classes("wall-incidents") as place:
        table = Table(columns, label=words("wall.incidents"), empty=f"✓ {words('incidents.none')}")
        more = ui.label().classes("more")

    def show(found: list[Summary]) -> None:
        place.set_visibility(bool(found))
        table.show([_incident(view, one) for one in found[:INCIDENTS]])
        hidden = len(found) - INCIDENTS
        more.set_text(words("wall.more", count=hidden) if hidden > 0 else "")

    return show


def _incident(view: View, one: Summary) -> dict[str, Any]:
    words = view.words
    edge = level_mark(words, one.severity)["mark"]
    sure = "" if one.confirmed_at else words("incidents.maybe")
    return {
        "id": one.id,
        "mark": edge,
        "level": response_mark(words, one.severity),
        "title": f"{incident_title(words, one)}{sure}",
        "alerts": {"text": f"{one.firing}/{one.alerts}", "unit": "", "sort": one.firing},
        "opened": one.opened_at.isoformat(),
    }


def _alerts(view: View) -> Callable[[list[Any], int], None]:
    """Add the open alerts, the worst first; rows given to incidents are taken from them."""
    words = view.words
    columns = [
        Column("level", say("c.level", words.language), "level", width="10.6rem"),
        Column("title", say("c.alert", words.language)),
        Column("sensor", say("c.sensor", words.language)),
        Column("value", say("c.value", words.language), "number", width="9rem"),
        Column("raised", words("alerts.since"), "age", width="8rem"),
    ]
    with ui.element("div").classes("wall-alerts"):
        table = Table(
            columns, label=say("active", words.language), empty=f"✓ {words('alerts.none')}"
        )
        more = ui.label().classes("more")

    def show(rows: list[Any], incidents: int) -> None:
        most = ALERTS - min(INCIDENTS, incidents)
        shown, hidden = rows[:most], len(rows) - most
        table.show([_alert(view, row) for row in shown])
        notes = [words("wall.acked")] if any(row["acked_at"] for row in shown) else []
        notes += [words("wall.more", count=hidden)] if hidden > 0 else []
        more.set_text(" · ".join(notes))

    return show


def _alert(view: View, row: dict[str, Any]) -> dict[str, Any]:
    words = view.words
    level = level_mark(words, row["severity"])
    acked = "✓ " if row["acked_at"] else ""
    names = {"title_zh": row["sensor_zh"], "title_en": row["sensor_en"]}
    names["district"] = row["district"]
    return {
        "id": row["episode"],
        "mark": level["mark"],
        "level": level,
        "title": f"{acked}{words.pick(row['title_zh'], row['title_en'], row['rule'])}",
        "sensor": where_title(words, row["stream"], row["sensor"], names),
        "value": number(words, row["value"], row["unit"], row["decimals"]),
        "raised": row["raised_at"].isoformat(),
    }


def _severities(view: View, now: Snapshot) -> list[dict[str, Any]]:
    words, found = view.words, []
    for severity in LEVELS:
        mark = level_mark(words, severity)
        count = sum(row["severity"] == severity for row in now.alerts)
        found.append(
            _tile(mark["mark"], f"{mark['icon']} {mark['text']}", count)
            | {"mark": mark["mark"] if count else "normal"}
        )
    return found


def _platform(view: View, now: Snapshot) -> list[dict[str, Any]]:
    """Return data online, age of the newest reading, and what waits, as Grafana's wall has them."""
    words, orange = view.words, Severity.ORANGE.name.lower()
    sensors = sum(row["sensors"] for row in now.freshness)
    online = 100 * sum(row["fresh"] for row in now.freshness) / sensors if sensors else None
    age = now.figure("newest_age_s")
    lasting = duration(words, age) if age is not None else {}
    shown = [
        (_figure("c.pct_online", words, online, "%", 1), is_offline(online)),
        (_figure("c.age_newest", words, age) | lasting, is_unwell("newest_age_s", age)),
    ]
    for text, name in (("c.undelivered", "undelivered"), ("c.dead", "dead_letters_open")):
        value = now.figure(name)
        shown.append((_figure(text, words, value), is_unwell(name, value)))
    limit = {"limit": {"mark": orange, "icon": LEVELS[Severity.ORANGE].icon}}
    return [figure | (limit if unwell else {}) for figure, unwell in shown]


def _figure(
    text: str, words: Words, value: float | None, unit: str = "", decimals: int = 0
) -> dict[str, Any]:
    return _tile(text, say(text, words.language), value, unit, decimals)


def _tile(
    id: str, title: str, value: float | None, unit: str = "", decimals: int = 0
) -> dict[str, Any]:
    shown = "–" if value is None else f"{value:.{decimals}f}"
    return {"id": id, "title": title, "text": shown, "unit": unit, "mark": "normal"}


PAGE = Page("/wall", "wall.title", wall, theme="wall")
