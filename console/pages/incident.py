"""One incident: its evidence and place, the plan with its tasks, and what was done."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts.incident import queries as store
from alerts.incident.queries import IncidentPage, Summary, list_incidents
from alerts.incident.tasks import finish_task
from catalog.errors import NotFoundError
from console import registry
from console.deeds import do
from console.duty import contacts, people
from console.frame import Page, View, keep_fresh, missing, panel
from console.incident_desk import Found, IncidentDesk
from console.incident_rows import (
    act_row,
    child_row,
    incident_facts,
    member_row,
    ring_facts,
    similar_facts,
    task_row,
)
from console.marks import response_mark
from console.roles import Role
from console.rows import incident_areas, incident_title, sensor_mark
from console.widgets.city_map import CityMap
from console.widgets.facts import Facts, badge
from console.widgets.table import Act, Column, Table
from console.widgets.tools import list_tools
from service.postgres import now_of


async def incident(view: View, incident: str) -> None:
    """Show the incident and follow it."""
    try:
        found = await view.ask(lambda conn: _read(conn, incident))
    except NotFoundError:
        missing(view, incident)
        return
    _head(view, found.page)
    desk = None
    if view.who.may(Role.OPERATOR):
        with ui.element("div").classes("panel form-row"):
            desk = IncidentDesk(view, incident, lambda: read())
    with ui.element("div").classes("two"):
        with ui.element("div").classes("column"):
            show_left = _evidence(view)
        with ui.element("div").classes("column"):
            show_right = _plan(view, incident)

    async def read() -> None:
        found = await view.ask(lambda conn: _read(conn, incident))
        show_left(found)
        show_right(found)
        if desk:
            desk.show(found)

    await read()
    keep_fresh(view, read)


def _read(conn: Connection, incident: str) -> Found:
    page = store.get_incident(conn, incident)
    before, kind = page.incident.similar_id, page.incident.kind
    return Found(
        page,
        registry.places(conn, [(m.stream, m.sensor) for m in page.evidence]),
        store.get_incident(conn, before) if before else None,
        [other for other in list_incidents(conn, kind=kind) if other.id != incident],
        people(conn, now_of(conn)),
        contacts(conn),
    )


def _head(view: View, page: IncidentPage) -> None:
    words, found = view.words, page.incident
    title = incident_title(words, found)
    ui.page_title(f"{title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words('incidents.title')}", "/incidents")
        ui.html(badge(response_mark(words, found.severity)), sanitize=False, tag="span")
        with ui.element("h1"):
            ui.label(title)


def _evidence(view: View) -> Any:
    words = view.words
    with panel(words("incident.evidence"), "short evidence"):
        evidence = Table(
            [
                Column("level", words("alerts.level"), "level", width="72px"),
                Column("title", words("alerts.what"), "link"),
                Column("sensor", words("alerts.where"), "link", hide=True),
                Column("role", words("incident.role"), hide=True),
                Column("raised", words("alerts.raised"), "time"),
                Column("cleared", words("alerts.cleared"), "time", hide=True),
            ],
            label=words("incident.evidence"),
            empty=words("app.nothing"),
        )
    show_below = _below(view)
    with panel(words("incident.place"), "place"):
        city = CityMap(words)
    with panel(words("incident.timeline"), "short timeline"):
        timeline = Table(
            [
                Column("at", words("letters.at"), "time", width="120px"),
                Column("who", words("alert.who")),
                Column("act", words("alert.what")),
                Column("note", words("alerts.note")),
            ],
            label=words("incident.timeline"),
            empty=words("app.nothing"),
        )

    def show(found: Found) -> None:
        page, places = found.page, found.places
        evidence.show(
            [member_row(words, m, places.get((m.stream, m.sensor))) for m in page.evidence]
        )
        show_below(page.children)
        keys = set(places)
        states = [r for r in view.desk.live.look().sensors if (r["stream"], r["sensor"]) in keys]
        marks = [sensor_mark(words, row) for row in states if row["lon"] is not None]
        areas = incident_areas(words, [page.incident, *page.children])
        city.show(sensors=marks, areas=areas, focus=areas[0] if len(areas) == 1 else None)
        timeline.show([act_row(words, act, page) for act in reversed(page.timeline)])

    return show


def _below(view: View) -> Any:
    """Add the list of incidents below a parent; nothing where there are none."""
    words = view.words
    title = words("incident.children")
    with ui.element("div") as place, panel(title, "short children") as side:
        table = Table(
            [
                Column("level", words("incidents.level"), "level", width="80px"),
                Column("title", words("incidents.what"), "link"),
                Column("status", words("incidents.status")),
                Column("alerts", words("incidents.alerts"), "number"),
                Column("opened", words("incidents.opened"), "time", hide=True),
                Column("acked", words("alerts.acked"), hide=True),
            ],
            label=title,
            empty=words("app.nothing"),
        )
        list_tools(words, side, table)

    def show(children: list[Summary]) -> None:
        place.set_visibility(bool(children))
        table.show([child_row(words, child) for child in children])

    return show


def _plan(view: View, incident: str) -> Any:
    words, may = view.words, view.who.may(Role.OPERATOR)
    with panel(words("alert.facts"), "glance"):
        facts = Facts(words("alert.facts"))

    async def finish(pressed: Act) -> None:
        def deed(conn: Connection, who: str) -> None:
            finish_task(conn, incident, pressed.row, who, "", now_of(conn), "page")

        await do(view, "", incident, deed)
        show(await view.ask(lambda conn: _read(conn, incident)))

    with panel(words("incident.plan"), "plan"):
        plan = ui.label().classes("advice")
        tasks = Table(
            [
                Column("task", words("incident.task")),
                Column("owner", words("incident.owner"), hide=True),
                Column("due", words("incident.due"), "time"),
                Column("done", words("incident.done")),
                Column("act", "", "actions"),
            ],
            label=words("incident.plan"),
            empty=words("app.nothing"),
            on_act=finish,
        )

    with panel(words("duty.ring"), "ring") as side:
        ring = Facts(words("duty.ring"))
        with side:
            ui.link(words("duty.all"), "/duty")
    with panel(words("incident.similar"), "similar"):
        past = Facts(words("incident.similar"))
        none = ui.label(words("incident.no_similar")).classes("empty")

    def show(found: Found) -> None:
        page, now = found.page, view.desk.clock.now()
        facts.show(incident_facts(words, page, now))
        plan.set_text(words.of(page.plan))
        tasks.show([task_row(words, task, now, may=may) for task in page.tasks])
        owners = [task.owner for task in page.tasks]
        ring.show(ring_facts(words, owners, found.people.shifts, found.numbers))
        past.show(similar_facts(words, found.similar) if found.similar else [])
        none.set_visibility(found.similar is None)

    return show


PAGE = Page("/incidents/{incident}", "incident.title", incident)
