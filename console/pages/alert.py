"""One alert: what happened, by which rule and standard, where, who was told; and what to do."""

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from catalog.errors import NotFoundError
from console.alert_desk import AlertDesk
from console.alert_explained import explained_line, signal_rows
from console.alert_rows import (
    alert_facts,
    alert_place,
    delivery_rows,
    near_rows,
    past_rows,
    relative_rows,
    timeline_rows,
)
from console.dossier import Dossier, nearby, read_dossier
from console.frame import Page, View, follow, missing, panel
from console.limit_table import limit_columns, limit_rows
from console.live import Snapshot
from console.marks import level_mark
from console.outlook import rule_address
from console.roles import Role
from console.rule_words import rule_text
from console.widgets.chart import Chart, limits_of, lines_of, quantity_props, range_prop
from console.widgets.facts import Facts, badge
from console.widgets.table import Column, Table

NEAR = 15


async def alert(view: View, episode: str) -> None:
    """Show the alert and follow it while it lasts."""
    try:
        first = await _read(view, episode)
    except NotFoundError:
        missing(view, episode)
        return
    _head(view, first)
    desk = None
    if view.who.may(Role.OPERATOR):
        with ui.element("div").classes("panel form-row"):
            desk = AlertDesk(view, episode, lambda: anew())
    with ui.element("div").classes("two"):
        with ui.element("div").classes("column"):
            show_left = _left(view, first)
        with ui.element("div").classes("column"):
            show_right = _right(view, first)
    seen = view.desk.live.changes.newest

    def show(found: Dossier) -> None:
        show_left(found)
        show_right(found)
        if desk:
            desk.show(found)

    async def look(_: Snapshot) -> None:
        nonlocal seen
        newest = view.desk.live.changes.newest
        over = first.alert.cleared_at is not None and newest == seen
        if not over:
            seen = newest
            show(await _read(view, episode))

    async def anew() -> None:
        show(await _read(view, episode))

    show(first)
    follow(view, look)


async def _read(view: View, episode: str) -> Dossier:
    now = view.desk.clock.now()
    return await view.ask(lambda conn: read_dossier(conn, episode, now))


def _head(view: View, found: Dossier) -> None:
    words = view.words
    level = badge(level_mark(words, found.alert.severity))
    title = f"{words.pick(*found.alert.titles)} · {alert_place(words, found)}"
    ui.page_title(f"{title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words('alerts.title')}", "/alerts")
        ui.html(level, sanitize=False, tag="span")
        with ui.element("h1"):
            ui.label(title)
        if view.who.may(Role.OPERATOR) and found.alert.cleared_at is None:
            ui.link(words("alert.silence"), silence_address(found))


def silence_address(found: Dossier) -> str:
    """Return the page where alerts like this one are silenced, with what is alike chosen."""
    alert, sensor = found.alert, found.sensor or {}
    chosen = {"rule": alert.rule, "stream": alert.stream, "sensor": alert.sensor}
    chosen["district"] = sensor.get("district") or ""
    if found.rule is None:  # from another system: its stream and sensor are that system's
        chosen.pop("rule")
    return "/silences?" + urlencode({name: value for name, value in chosen.items() if value})


def _left(view: View, found: Dossier) -> Any:
    words = view.words
    stream, metric = found.stream, found.metric
    title = words("alert.facts")
    if stream and metric:
        quantity = stream.quantity(metric)
        unit = quantity_props(stream, metric)["unit"]
        title = words.of(quantity.title) + (f" ({unit})" if unit else "")
    with panel(title, "plot"):
        chart = Chart(words, title)
    with panel(words("alert.timeline"), "short timeline"):
        timeline = _table(
            view,
            "alert.timeline",
            Column("at", words("alert.when"), "time", width="120px"),
            Column("level", words("alerts.level"), "level"),
            Column("text", words("alert.what")),
            Column("value", words("alerts.value"), "number"),
            Column("who", words("alert.who"), hide=True),
            Column("delay", words("alert.recorded"), "number", hide=True),
        )
    with panel(words("alert.deliveries"), "short deliveries") as side:
        deliveries = _table(
            view,
            "alert.deliveries",
            Column("receiver", words("alert.receiver")),
            Column("message", words("alert.message"), hide=True),
            Column("state", words("alert.state")),
            Column("attempts", words("alert.attempts"), "number"),
            Column("delivered", words("alert.delivered"), "time"),
            Column("error", words("alert.error"), hide=True),
            empty="alert.untold",
        )
        with side:
            held = ui.label().classes("count")
    with panel(words("alert.past"), "short past"):
        past = _table(
            view,
            "alert.past",
            Column("level", words("alerts.level"), "level"),
            Column("raised", words("alerts.raised"), "link"),
            Column("lasted", words("alert.lasted"), "number"),
            Column("acked", words("alerts.acked"), hide=True),
        )

    def show(now: Dossier) -> None:
        alert = now.alert
        if stream and metric:
            own = now.sensor["attributes"] if now.sensor else None
            end = alert.cleared_at or now.span.end
            level = level_mark(words, alert.peak_severity)
            chart.show(
                lines=lines_of(now.series),
                limits=limits_of(words, stream, metric, own),
                spans=[
                    {
                        "from": alert.raised_at.isoformat(),
                        "to": end.isoformat(),
                        "mark": level["mark"],
                        "text": level["icon"],
                    }
                ],
                range=range_prop(now.span),
                **quantity_props(stream, metric),
            )
        timeline.show(timeline_rows(words, now))
        deliveries.show(delivery_rows(words, now.deliveries))
        holding = [words("alert.held", receiver=h.receiver, reason=h.reason) for h in now.page.held]
        held.set_text("；".join(holding))
        past.show(past_rows(words, now.past, view.desk.clock.now()))

    return show


def _right(view: View, found: Dossier) -> Any:
    words = view.words
    with panel(words("alert.facts"), "glance"):
        facts = Facts(words("alert.facts"))
        if found.rule:
            advice = words.of(found.rule.advice)
            ui.label(words("alert.advice", text=advice)).classes("advice")
    with panel(words("alert.explained"), "short explained") as why:
        line = ui.label().classes("pad")
        signals = _table(
            view,
            "alert.explained",
            Column("sensor", words("alert.sensor"), "link"),
            Column("quantity", words("filter.metric")),
            Column("value", words("alerts.value"), "number"),
            Column("expected", words("alert.expected"), "number"),
            Column("off", words("alert.off"), "number"),
        )
    with panel(words("alert.rule"), "rule"):
        if found.rule:
            ui.label(rule_text(words, found.rule)).classes("pad")
            if found.stream:
                ui.link(words("rule.page"), rule_address(found.alert.rule)).classes("pad")
        limits = _table(
            view,
            "alert.rule",
            *limit_columns(words, clause=True),
        )
    with panel(words("alert.topology"), "short topology"):
        topology = _table(
            view,
            "alert.topology",
            Column("role", words("alert.role")),
            Column("sensor", words("alert.sensor"), "link"),
            Column("state", words("alerts.status"), "state"),
        )
    with panel(words("alert.nearby"), "short nearby"):
        near = _table(
            view,
            "alert.nearby",
            Column("sensor", words("alert.sensor"), "link"),
            Column("state", words("alerts.status"), "state"),
            Column("quantity", words("filter.metric"), hide=True),
            Column("value", words("alerts.value"), "number"),
            Column("km", words("alert.distance"), "number"),
        )
    own = found.sensor["attributes"] if found.sensor else None
    if found.stream and found.rule:
        limits.show(limit_rows(words, found.stream, found.rule, own))

    def show(now: Dossier) -> None:
        sensors = view.desk.live.look().sensors
        why.set_visibility(now.alert.explanation is not None)
        line.set_text(explained_line(words, now.alert.explanation))
        signals.show(signal_rows(words, now.alert.explanation))
        facts.show(alert_facts(words, now, view.desk.clock.now()))
        topology.show(relative_rows(words, now.relatives, sensors))
        around = nearby(sensors, now.sensor)[:NEAR] if now.sensor else []
        near.show(near_rows(words, around))

    return show


def _table(view: View, label: str, *columns: Column, empty: str = "app.nothing") -> Table:
    return Table(columns, label=view.words(label), empty=view.words(empty))


PAGE = Page("/alerts/{episode}", "alert.title", alert)
