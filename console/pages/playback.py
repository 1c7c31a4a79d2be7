"""The city as it was at a moment that is past: map, alerts and incidents of then, step by step."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection
from psycopg.rows import dict_row

from alerts.incident.queries import Summary, incidents_at, outermost
from catalog.site import zone
from console.frame import Page, View, panel
from console.history import Row, moment
from console.marks import WORST_FIRST, level_mark, number, response_mark
from console.rows import district_mark, incident_areas, incident_title, sensor_mark, where_title
from console.widgets.city_map import CityMap
from console.widgets.filters import Moment, filter_row
from console.widgets.forms import act_button
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools

STEPS = (-60, -5, 5, 60)
"""Minutes to go back or on by a press."""
FRAME = timedelta(minutes=1)
FRAME_S = 1.0
"""While it plays, so much of the past passes in so many seconds."""


@dataclass(frozen=True, slots=True)
class Then:
    """What was at one moment."""

    sensors: list[Row]
    alerts: list[Row]
    districts: list[Row]
    incidents: list[Summary]


async def playback(view: View, at: str = "") -> None:
    """Show the city at a moment, at first an hour ago."""
    words, now = view.words, view.desk.clock.now()
    shown = min(now, moment(at) or now - timedelta(hours=1))
    field = shown.astimezone(zone()).strftime("%Y-%m-%dT%H:%M")
    filter_row(words, [Moment("at", words("playback.at"))], {"at": field})
    with ui.element("div").classes("panel form-row playback"):
        title = ui.label().classes("moment").props('role="status"')
        buttons = ui.element("div").classes("buttons")
        ui.link(words("playback.live"), "/")
        ui.link(words("compare.title"), "/compare")
    with panel(words("map.title"), "map"):
        city = CityMap(words)
    with panel(words("playback.alerts"), "alerts") as side:
        alerts = Table(
            _alert_columns(view), label=words("playback.alerts"), empty=words("alerts.none")
        )
        list_tools(words, side, alerts)
    with panel(words("playback.incidents"), "incidents"):
        incidents = Table(
            _incident_columns(view),
            label=words("playback.incidents"),
            empty=words("incidents.none"),
        )

    async def show() -> None:
        then = await view.ask(lambda conn: _read(conn, shown))
        title.set_text(words("playback.then", at=f"{shown.astimezone(zone()):%Y-%m-%d %H:%M}"))
        marks = [sensor_mark(words, row) for row in then.sensors if row["lon"] is not None]
        city.show(
            sensors=marks,
            districts=[district_mark(row) for row in then.districts],
            areas=incident_areas(words, then.incidents),
        )
        alerts.show([_alert(view, row, shown) for row in then.alerts])
        incidents.show([_incident(view, one, shown) for one in outermost(then.incidents)])

    async def go(by: timedelta) -> None:
        nonlocal shown
        shown = min(view.desk.clock.now(), shown + by)
        await show()

    async def play() -> None:
        if view.desk.clock.now() - shown > FRAME:
            await go(FRAME)
        else:
            timer.active = False

    timer = ui.timer(FRAME_S, play, active=False)

    def turn() -> None:
        timer.active = not timer.active
        button.set_text(words("playback.pause" if timer.active else "playback.play"))

    with buttons:
        for minutes in STEPS:
            act_button(
                words("playback.step", minutes=f"{minutes:+d}"),
                lambda m=minutes: go(timedelta(minutes=m)),
            )
        button = act_button(words("playback.play"), turn, strong=True)
    await show()


def _read(conn: Connection, at: datetime) -> Then:
    with conn.cursor(row_factory=dict_row) as cursor:

        def rows(call: str) -> list[Row]:
            return cursor.execute(f"SELECT * FROM dash.{call}".encode(), [at]).fetchall()

        sensors, alerts = rows("sensors_at(%s)"), rows("alerts_at(%s)")
        known = cursor.execute("SELECT district, lon, lat FROM dash.districts").fetchall()
    worst: dict[str, str] = {}
    for row in sensors:
        here = worst.get(row["district"], "normal")
        if row["state"] not in ("stale", "never"):
            worst[row["district"]] = min(here, row["state"], key=WORST_FIRST.index)
    districts = [row | {"worst": worst.get(row["district"], "stale")} for row in known]
    return Then(sensors, alerts, districts, incidents_at(conn, at))


def _alert_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("level", words("alerts.level"), "level", width="80px"),
        Column("title", words("alerts.what"), "link"),
        Column("sensor", words("alerts.where"), hide=True),
        Column("value", words("alerts.value"), "number"),
        Column("raised", words("alerts.raised"), "time", hide=True),
    ]


def _alert(view: View, row: Row, at: datetime) -> dict[str, Any]:
    words = view.words
    level = level_mark(words, row["severity"])
    names = {"title_zh": row["sensor_zh"], "title_en": row["sensor_en"]}
    where = where_title(words, row["stream"], row["sensor"], names | {"district": row["district"]})
    title = words.pick(row["title_zh"], row["title_en"], row["rule"])
    return {
        "id": row["episode"],
        "mark": level["mark"],
        "level": level,
        "title": {"text": title, "href": f"/alerts/{row['episode']}", "sub": where},
        "sensor": where,
        "value": number(words, row["value"], row["unit"], row["decimals"]),
        "raised": row["raised_at"].isoformat(),
    }


def _incident_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("level", words("incidents.level"), "level", width="100px"),
        Column("title", words("incidents.what"), "link"),
        Column("opened", words("incidents.opened"), "time"),
    ]


def _incident(view: View, one: Summary, at: datetime) -> dict[str, Any]:
    words = view.words
    return {
        "id": one.id,
        "level": response_mark(words, one.severity),
        "title": {"text": incident_title(words, one), "href": f"/incidents/{one.id}"},
        "opened": one.opened_at.isoformat(),
    }


PAGE = Page("/playback", "playback.title", playback, place=9)
