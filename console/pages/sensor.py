"""One sensor: what it sent, what was made of it, what quality control said, what it hangs on."""

from datetime import datetime
from typing import Any, Literal

from nicegui import ui
from psycopg import Connection

from alerts.episode.models import AlertFilter
from alerts.episode.queries import find_alerts
from catalog.model import Stream
from catalog.registry import streams
from console import history, registry
from console.alert_rows import past_rows, relative_rows
from console.frame import Page, View, keep_fresh, missing, panel, unfolding
from console.history import Question, Row, Span, chosen_span
from console.marks import duration, local_time, number, shown_value, state_mark
from console.placing_form import service_form
from console.roles import Role
from console.rows import check_title, district_title
from console.sensor_forecast import ask_forecast, forecast_panel, is_forecast
from console.span_form import SpanPanel
from console.track import track
from console.track_panel import track_panel
from console.widgets.chart import (
    Chart,
    limits_of,
    lines_of,
    quantity_props,
    range_prop,
    usual_line,
)
from console.widgets.facts import Facts, badge
from console.widgets.filters import filter_row, hours_choice, metric_choice, period_fields
from console.widgets.table import Column, Table
from console.widgets.tools import compare_link
from storage import overrides

PAST = 20
FLAG_MARKS = {2: "normal", 3: "yellow", 4: "orange", 9: "stale"}
Hours = Literal["1", "6", "24", "168", "720"]


async def sensor(
    view: View,
    stream: str,
    sensor: str,
    metric: str = "",
    hours: Hours = "6",
    start: str = "",
    end: str = "",
) -> None:
    """Show the sensor and follow it."""
    words, declared = view.words, streams().get(stream)
    known = await view.ask(lambda conn: registry.sensor(conn, stream, sensor))
    if declared is None or known is None:
        missing(view, f"{stream}/{sensor}")
        return
    chosen = metric if metric in declared.aggregate_names else declared.headline
    _head(view, declared, known, chosen)
    if view.who.may(Role.OPERATOR):
        with unfolding(words("register.title"), "register"):
            service_form(view, _reload, known)
    spans = SpanPanel(view, declared, sensor, _reload)
    fields = [metric_choice(words, declared), hours_choice(words), *period_fields(words)]
    period = {"hours": hours, "start": start, "end": end}
    filter_row(words, fields, {"metric": chosen} | period)
    with ui.element("div").classes("two"):
        with ui.element("div").classes("column"):
            show_track = track_panel(view, declared)
            show_course = _course(view, declared, chosen)
        with ui.element("div").classes("column"):
            show_facts = _facts(view, declared)

    async def read() -> None:
        span = chosen_span(view.desk.clock.now(), **period)
        found = await view.ask(lambda conn: _ask(conn, declared, sensor, chosen, span))
        show_track(found["known"], found["track"])
        show_course(found)
        show_facts(found)
        spans.show(found["set"], view.desk.clock.now())

    await read()
    keep_fresh(view, read)


async def _reload() -> None:
    ui.navigate.reload()


def _ask(
    conn: Connection, declared: Stream, sensor: str, metric: str, span: Span
) -> dict[str, Any]:
    step = max(60, history.fitting_step(span))
    asked = Question(stream=declared, metric=metric, span=span, step_s=step, sensor=sensor)
    level = history.level(conn, asked, 1)
    known = registry.sensor(conn, declared.name, sensor) or {}
    past = AlertFilter(state="all", stream=[declared.name], sensor=sensor, limit=PAST)
    return {
        "span": span,
        "step_s": level.step_s if level else step,
        "known": known,
        "series": history.series(conn, asked),
        "usual": history.usual(conn, declared.name, sensor, metric, span),
        "raw": history.raw(conn, declared.name, sensor, metric, span),
        "track": track(conn, declared, sensor, span),
        "flags": history.flags(conn, declared.name, sensor, span),
        "alerts": find_alerts(conn, past),
        "forecast": ask_forecast(conn, declared, sensor, metric, span.end)
        if is_forecast(declared, metric)
        else None,
        "set": overrides.history(conn, declared.name, sensor),
        "relatives": registry.relatives(conn, sensor, known.get("parent")),
    }


def _head(view: View, declared: Stream, known: Row, metric: str) -> None:
    words = view.words
    name = words.pick(known["title_zh"], known["title_en"], known["sensor"])
    ui.page_title(f"{name} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words.of(declared.title)}", f"/streams/{declared.name}")
        ui.html(badge(state_mark(words, known["state"])), sanitize=False, tag="span")
        with ui.element("h1"):
            ui.label(name)
        compare_link(words, declared.name, metric, known["sensor"])


def _course(view: View, declared: Stream, metric: str) -> Any:
    words = view.words
    props = quantity_props(declared, metric)
    name = words.of(declared.quantity(metric).title)
    name += f" ({props['unit']})" if props["unit"] else ""
    with panel(words("sensor.series_of", metric=name), "plot series") as side:
        series = Chart(words, name)
        with side:
            step = ui.label().classes("count")
    show_forecast = (
        forecast_panel(view, declared, metric) if is_forecast(declared, metric) else None
    )
    with panel(words("sensor.raw_of", metric=name), "plot raw"):
        measured = metric in declared.metric_names
        raw = Chart(words, name, none="" if measured else words("sensor.computed"))
    with panel(words("sensor.flags"), "short flags"):
        flags = Table(
            [
                Column("at", words("alert.when"), "time", width="120px"),
                Column("metric", words("sensor.metric")),
                Column("test", words("sensor.test")),
                Column("flag", words("sensor.flag")),
                Column("value", words("sensor.value"), "number"),
            ],
            label=words("sensor.flags"),
            empty=words("app.nothing"),
        )

    def show(found: dict[str, Any]) -> None:
        common = {"range": range_prop(found["span"]), **props}
        limits = limits_of(words, declared, metric, found["known"].get("attributes"))
        spans = [
            _window(alert, found["span"].end) for alert in found["alerts"] if alert.metric == metric
        ]
        shown = [line | {"band": True} for line in lines_of(found["series"])]
        shown += usual_line(words, found["usual"])
        series.show(lines=shown, limits=limits, spans=spans, **common)
        if show_forecast:
            show_forecast(found["forecast"], found["known"].get("attributes"))
        points = [[row["time"].isoformat(), row["value"]] for row in found["raw"]]
        dots = [_dot(words, row) for row in found["flags"] if row["metric"] == metric]
        raw.show(lines=[{"name": name, "points": points}], dots=dots, limits=limits, **common)
        taken = duration(words, found["step_s"])
        step.set_text(words("sensor.series_step", step=f"{taken['text']} {taken['unit']}"))
        flags.show([_flag(words, n, row, declared) for n, row in enumerate(found["flags"])])

    return show


def _facts(view: View, declared: Stream) -> Any:
    words = view.words
    with panel(words("sensor.card"), "glance"):
        card = Facts(words("sensor.card"))
    with panel(words("sensor.readings"), "newest"):
        newest = Facts(words("sensor.readings"))
    with panel(words("sensor.alerts"), "short past"):
        past = Table(
            [
                Column("level", words("alerts.level"), "level"),
                Column("what", words("alerts.what")),
                Column("raised", words("alerts.raised"), "link"),
                Column("lasted", words("alert.lasted"), "number"),
            ],
            label=words("sensor.alerts"),
            empty=words("alerts.nothing"),
        )
    with panel(words("alert.topology"), "short topology"):
        topology = Table(
            [
                Column("role", words("alert.role")),
                Column("sensor", words("alert.sensor"), "link"),
                Column("state", words("alerts.status"), "state"),
            ],
            label=words("alert.topology"),
            empty=words("app.nothing"),
        )

    def show(found: dict[str, Any]) -> None:
        card.show(_card(words, declared, found["known"]))
        newest.show(_newest(words, declared, found["known"]))
        rows = past_rows(words, found["alerts"], found["span"].end)
        for row, alert in zip(rows, found["alerts"], strict=True):
            row["what"] = words.pick(*alert.titles)
        past.show(rows)
        states = view.desk.live.look().sensors
        topology.show(relative_rows(words, found["relatives"], states))

    return show


def _card(words: Any, declared: Stream, known: Row) -> list[tuple[str, Any]]:
    attributes = [
        (words.of(a.title), number(words, known["attributes"].get(a.name), a.unit, 2))
        for a in declared.attributes
    ]
    return [
        (words("sensors.state"), state_mark(words, known["state"])),
        (words("letters.id"), known["sensor"]),
        (words("register.status"), words(f"register.status_{known['status']}")),
        (words("filter.district"), district_title(words, known["district"])),
        (words("sensors.street"), known["street"]),
        *attributes,
    ]


def _newest(words: Any, declared: Stream, known: Row) -> list[tuple[str, Any]]:
    readings = known["readings"] or {}
    shown = [
        (
            words.of(m.title),
            shown_value(words, declared.name, m.name, readings.get(m.name), m.unit, m.decimals),
        )
        for m in declared.metrics
    ]
    at = known["observed_at"]
    return [(words("sensors.heard"), local_time(at) if at else ""), *shown]


def _window(alert: Any, now: datetime) -> dict[str, str]:
    end = alert.cleared_at or now
    mark = {1: "red", 2: "orange", 3: "yellow", 4: "blue"}[alert.peak_severity]
    start = alert.raised_at.isoformat()
    return {"from": start, "to": end.isoformat(), "mark": mark, "text": ""}


def _dot(words: Any, row: Row) -> dict[str, Any]:
    verdict = words(f"sensor.flag_{row['flag']}")
    text = f"{verdict} · {check_title(words, row['test'])}"
    at = row["time"].isoformat()
    return {"at": at, "value": row["value"], "mark": FLAG_MARKS[row["flag"]], "text": text}


def _flag(words: Any, place: int, row: Row, declared: Stream) -> dict[str, Any]:
    decimals = declared.quantity(row["metric"]).decimals if row["unit"] is not None else 2
    return {
        "id": str(place),
        "at": row["time"].isoformat(),
        "metric": words.pick(row["title_zh"], row["title_en"], row["metric"]),
        "test": check_title(words, row["test"]),
        "flag": words(f"sensor.flag_{row['flag']}"),
        "value": shown_value(
            words, declared.name, row["metric"], row["value"], row["unit"], decimals
        ),
    }


PAGE = Page("/sensors/{stream}/{sensor}", "sensor.title", sensor)
