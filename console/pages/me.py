"""What is mine: given to me, said to me, and where I begin."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts.episode.models import Alert
from alerts.incident.queries import Summary
from console import registry
from console.deeds import do
from console.frame import Page, View, keep_fresh, panel
from console.login import login_address
from console.marks import level_mark, response_mark
from console.mine import DAYS, Mention, Mine, read_mine
from console.roles import Role
from console.rows import alert_status, incident_place, where_title
from console.start_page import begin_at, start_page
from console.widgets.forms import act_button, choice_field, named_field
from console.widgets.saved import read_filters
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools
from service.postgres import now_of

LISTS = {
    "/alerts": "alerts.title",
    "/incidents": "incidents.title",
    "/sensors": "sensors.title",
}
"""Lists whose filters can be saved."""
FIRST = {
    "/": "overview.title",
    **LISTS,
    "/records": "records.title",
    "/me": "me.title",
    "/wall": "wall.title",
}
Places = dict[tuple[str, str], registry.Row]


async def me(view: View) -> None:
    """Show what waits for the person who looks."""
    words, name = view.words, view.who.name
    if view.who.anonymous:
        ui.link(words("login.submit"), login_address("/me"))
        return
    given, said = (_table(view, what, columns(view)) for what, columns in _TABLES.items())
    ui.label(words("me.how")).classes("advice")
    await _settings(view)

    def ask(conn: Connection) -> tuple[Mine, Places]:
        mine = read_mine(conn, name, now_of(conn))
        return mine, registry.places(conn, [(a.stream, a.sensor) for a in mine.alerts])

    async def read() -> None:
        mine, places = await view.ask(ask)
        rows = [_alert(view, a, places) for a in mine.alerts]
        given.show([_incident(view, i) for i in mine.incidents] + rows)
        said.show([_mention(view, m) for m in mine.mentions])

    await read()
    keep_fresh(view, read)


def _table(view: View, what: str, columns: list[Column]) -> Table:
    words = view.words
    title = words(f"me.{what}", days=DAYS)
    with panel(title, f"short {what}") as side:
        table = Table(columns, label=title, empty=words(f"me.no_{what}"))
        list_tools(words, side, table)
    return table


def _given(view: View) -> list[Column]:
    words = view.words
    return [
        Column("level", words("alerts.level"), "level", width="90px"),
        Column("kind", words("me.kind"), hide=True),
        Column("title", words("me.subject"), "link"),
        Column("where", words("alerts.where"), hide=True),
        Column("status", words("alerts.status"), hide=True),
        Column("since", words("alerts.since"), "age"),
    ]


def _said(view: View) -> list[Column]:
    words = view.words
    return [
        Column("at", words("letters.at"), "time", width="120px"),
        Column("who", words("alert.who")),
        Column("note", words("me.said")),
        Column("title", words("me.subject"), "link"),
    ]


_TABLES = {"given": _given, "mentions": _said}


def _alert(view: View, alert: Alert, places: Places) -> dict[str, Any]:
    words = view.words
    where = where_title(
        words, alert.stream, alert.sensor, places.get((alert.stream, alert.sensor), {})
    )
    return {
        "id": f"alert {alert.id}",
        "level": level_mark(words, alert.severity),
        "kind": words("me.kind_alert"),
        "title": {"text": words.pick(*alert.titles), "href": f"/alerts/{alert.id}", "sub": where},
        "where": where,
        "status": alert_status(words, alert),
        "since": alert.raised_at.isoformat(),
    }


def _incident(view: View, one: Summary) -> dict[str, Any]:
    words, where = view.words, incident_place(view.words, one)
    return {
        "id": f"incident {one.id}",
        "level": response_mark(words, one.severity),
        "kind": words("me.kind_incident"),
        "title": {"text": words.of(one.title), "href": f"/incidents/{one.id}", "sub": where},
        "where": where,
        "status": words(f"incidents.status_{one.status}"),
        "since": one.opened_at.isoformat(),
    }


def _mention(view: View, one: Mention) -> dict[str, Any]:
    kind = view.words(f"me.kind_{one.kind}")
    return {
        "id": f"{one.kind} {one.subject} {one.at.isoformat()}",
        "at": one.at.isoformat(),
        "who": one.who,
        "note": one.note,
        "title": {"text": f"{kind} {one.subject}", "href": f"/{one.kind}s/{one.subject}"},
    }


async def _settings(view: View) -> None:
    words, name = view.words, view.who.name

    def ask(conn: Connection) -> tuple[str, dict[str, str]]:
        return start_page(conn, name), saved_pages(view, conn)

    chosen, saved = await view.ask(ask)
    offered = {path: words(title) for path, title in FIRST.items()} | saved
    with panel(words("me.settings"), "settings"), ui.element("div").classes("form-row"):
        with named_field(words("me.start")):
            page = choice_field(offered, chosen if chosen in offered else "/")

        async def keep() -> None:
            def deed(conn: Connection, who: str) -> None:
                begin_at(conn, who, page.value, offered)

            if await do(view, "user.start_page", name, deed, role=Role.VIEWER, page=page.value):
                view.say("me.start_saved")

        act_button(words("receivers.save"), keep, strong=True)
        ui.link(words("password.title"), "/password")
        ui.link(words("duty.all"), "/duty")
        ui.link(words("report.title"), "/report")


def saved_pages(view: View, conn: Connection) -> dict[str, str]:
    """Return the lists with filters that this person saved: address → title."""
    return {
        f"{path}?{query}": f"★ {own} · {view.words(title)}"
        for path, title in LISTS.items()
        for own, query in read_filters(conn, view.who.name, path)
    }


PAGE = Page("/me", "me.title", me)
