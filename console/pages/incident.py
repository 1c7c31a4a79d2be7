"""One incident: its evidence and place, the plan with its tasks, and what was done."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts import incident_store as store
from alerts.errors import NotFoundError
from alerts.events import find_rule
from alerts.incident_acts import confirm_incident, merge_incidents
from alerts.incident_store import IncidentPage, Member, list_incidents
from catalog.registry import streams
from console import registry
from console.alerting import alerting
from console.deeds import do
from console.frame import Page, View, keep_fresh, missing, panel
from console.marks import duration, level_mark, local_time
from console.roles import Role
from console.rows import district_title, incident_areas, sensor_link, sensor_mark
from console.widgets.city_map import CityMap
from console.widgets.facts import Facts, badge
from console.widgets.forms import act_button, choice_field, text_field
from console.widgets.table import Act, Column, Table

Found = tuple[IncidentPage, dict[tuple[str, str], registry.Row]]


async def incident(view: View, incident: str) -> None:
    """Show the incident and follow it."""
    try:
        found = await view.ask(lambda conn: _read(conn, incident))
    except NotFoundError:
        missing(view, incident)
        return
    _head(view, found[0])
    desk = ui.element("div").classes("panel form-row")
    with ui.element("div").classes("two"):
        with ui.element("div").classes("column"):
            show_left = _evidence(view)
        with ui.element("div").classes("column"):
            show_right = _plan(view, incident)

    async def read() -> None:
        found = await view.ask(lambda conn: _read(conn, incident))
        show_left(found)
        show_right(found)

    if view.who.may(Role.OPERATOR):
        others = await view.ask(lambda conn: list_incidents(conn, kind=found[0].incident.kind))
        with desk:
            _desk(view, found[0], [o for o in others if o.id != incident], read)
    else:
        desk.delete()
    await read()
    keep_fresh(view, read)


def _read(conn: Connection, incident: str) -> Found:
    page = store.get_incident(conn, incident)
    return page, registry.places(conn, [(m.stream, m.sensor) for m in page.evidence])


def _head(view: View, page: IncidentPage) -> None:
    words, found = view.words, page.incident
    title = f"{words.of(found.title)} · {district_title(words, found.district)}".rstrip(" ·")
    ui.page_title(f"{title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words('incidents.title')}", "/incidents")
        ui.html(badge(level_mark(words, found.severity)), sanitize=False, tag="span")
        with ui.element("h1"):
            ui.label(title)


def _evidence(view: View) -> Any:
    words = view.words
    with panel(words("incident.evidence"), "short evidence"):
        evidence = Table(
            [
                Column("level", words("alerts.level"), "level", width="72px"),
                Column("title", words("alerts.what"), "link"),
                Column("sensor", words("alerts.where"), "link"),
                Column("role", words("incident.role"), hide=True),
                Column("raised", words("alerts.raised"), "time"),
                Column("cleared", words("alerts.cleared"), "time", hide=True),
            ],
            label=words("incident.evidence"),
            empty=words("app.nothing"),
        )
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
        page, places = found
        evidence.show([_member(words, m, places.get((m.stream, m.sensor))) for m in page.evidence])
        keys = set(places)
        states = [r for r in view.desk.live.look().sensors if (r["stream"], r["sensor"]) in keys]
        marks = [sensor_mark(words, row) for row in states if row["lon"] is not None]
        city.show(sensors=marks, areas=incident_areas(words, [page.incident]))
        timeline.show(
            [
                {
                    "id": str(act.id),
                    "at": act.at.isoformat(),
                    "who": act.who,
                    "act": act.act,
                    "note": act.note,
                }
                for act in reversed(page.timeline)
            ]
        )

    return show


def _plan(view: View, incident: str) -> Any:
    words, may = view.words, view.who.may(Role.OPERATOR)
    with panel(words("alert.facts"), "glance"):
        facts = Facts(words("alert.facts"))

    async def finish(pressed: Act) -> None:
        def deed(conn: Connection, who: str) -> None:
            now = view.desk.clock.now()
            store.finish_task(conn, incident, pressed.row, who, "", now)

        await do(view, "incident.task", incident, deed, task=pressed.row)
        show(await view.ask(lambda conn: _read(conn, incident)))

    with panel(words("incident.plan"), "plan"):
        plan = ui.label().classes("advice")
        tasks = Table(
            [
                Column("task", words("incident.task")),
                Column("owner", words("incident.owner")),
                Column("due", words("incident.due"), "time"),
                Column("done", words("incident.done")),
                Column("act", "", "actions"),
            ],
            label=words("incident.plan"),
            empty=words("app.nothing"),
            on_act=finish,
        )

    def show(found: Found) -> None:
        page = found[0]
        facts.show(_facts(view, page))
        plan.set_text(words.of(page.plan))
        tasks.show([_task(view, task, may) for task in page.tasks])

    return show


def _facts(view: View, page: IncidentPage) -> list[tuple[str, Any]]:
    words, found = view.words, page.incident
    end = found.resolved_at or view.desk.clock.now()
    similar = {"text": found.similar_id, "href": f"/incidents/{found.similar_id}"}
    merged = {"text": found.merged_into, "href": f"/incidents/{found.merged_into}"}
    return [
        (words("incidents.status"), words(f"incidents.status_{found.status}")),
        (words("alert.peak"), level_mark(words, found.peak_severity)),
        (words("incidents.opened"), local_time(found.opened_at)),
        (words("alert.lasted"), duration(words, (end - found.opened_at).total_seconds())),
        (words("incidents.alerts"), f"{found.firing}/{found.alerts}"),
        (words("incidents.folded"), str(found.folded) if found.folded else ""),
        (words("incident.reopened"), str(found.reopened) if found.reopened else ""),
        (words("alerts.acked"), found.acked_by or ""),
        (words("alerts.assignee"), found.assignee or ""),
        (words("incident.similar"), similar if found.similar_id else ""),
        (words("incident.merged"), merged if found.merged_into else ""),
    ]


def _desk(view: View, page: IncidentPage, others: list[Any], anew: Any) -> None:
    words, incident, now = view.words, page.incident.id, view.desk.clock.now
    note = text_field(words("alerts.note"))

    def offer(what: str, text: str, deed: Any, *, strong: bool = False) -> None:
        async def press() -> None:
            said = note.value or ""
            act = f"incident.{what}"
            await do(view, act, incident, lambda conn, who: deed(conn, who, said), note=said)
            note.set_value("")
            await anew()

        act_button(text, press, strong=strong)

    if page.incident.status == "candidate":
        offer("confirm", words("incident.confirm"), _confirm(incident, now), strong=True)
    offer(
        "ack",
        words("alerts.ack"),
        lambda c, who, said: store.acknowledge_incident(c, incident, who, said, now()),
        strong=page.incident.status != "candidate",
    )
    offer(
        "comment",
        words("alert.comment"),
        lambda c, who, said: store.comment_incident(c, incident, who, said),
    )
    offer(
        "assign",
        words("alert.assign_me"),
        lambda c, who, _: store.assign_incident(c, incident, who, who),
    )
    if others and page.incident.resolved_at is None:
        titles = {o.id: f"{district_title(words, o.district)} · {o.id}" for o in others}
        into = choice_field(words("incident.merge"), titles, others[0].id)
        offer("merge", words("incident.merge"), _merge(incident, into, now))


def _confirm(incident: str, now: Any) -> Any:
    def deed(conn: Connection, who: str, _: str) -> None:
        room = alerting()
        confirm_incident(conn, incident, who, room.notifier, room.settings, now())

    return deed


def _merge(incident: str, into: Any, now: Any) -> Any:
    def deed(conn: Connection, who: str, _: str) -> None:
        room = alerting()
        merge_incidents(conn, incident, into.value, who, room.notifier, room.settings, now())

    return deed


def _member(words: Any, member: Member, place: registry.Row | None) -> dict[str, Any]:
    stream = streams().get(member.stream)
    rule = find_rule(stream, member.rule) if stream else None
    role = words(f"incident.role_{member.role}")
    row = place or {"stream": member.stream, "sensor": member.sensor}
    names = {"title_zh": None, "title_en": None} | row
    return {
        "id": member.episode,
        "level": level_mark(words, member.severity),
        "title": {
            "text": words.of(rule.title) if rule else member.rule,
            "href": f"/alerts/{member.episode}",
        },
        "sensor": sensor_link(words, names),
        "role": f"{role} {words('incident.folded')}" if member.folded else role,
        "raised": member.raised_at.isoformat(),
        "cleared": member.cleared_at.isoformat() if member.cleared_at else None,
    }


def _task(view: View, task: store.TaskState, may: bool) -> dict[str, Any]:
    words = view.words
    done = f"✓ {task.done_by} {local_time(task.done_at)}" if task.done_at else ""
    late = task.done_at is None and task.due_at < view.desk.clock.now()
    button = {"act": "done", "text": words("incident.finish"), "look": "strong" if late else ""}
    return {
        "id": task.name,
        "task": words.of(task.title),
        "owner": words(f"owner.{task.owner}"),
        "due": task.due_at.isoformat(),
        "done": done or ("⚠" if late else ""),
        "act": [button] if may and not task.done_at else [],
    }


PAGE = Page("/incidents/{incident}", "incident.title", incident)
