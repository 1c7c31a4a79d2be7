"""Tasks of incidents: records that are opened, lapse and are taken up again with their incident.

What is missing is found by comparing, so that a restart, an upgrade or another release loses none.
"""

from datetime import datetime

from psycopg import Connection
from pydantic import BaseModel

from alerts.episode.lapse import ENGINE
from alerts.incident.queries import get_incident
from alerts.rows import read_rows
from alerts.wake import wake_screens
from catalog.errors import ConflictError, NotFoundError, RefusedError
from catalog.incident import Task, incident_kinds
from records.act import act, open_record
from records.context import Context, Via
from service.log import logger

TASK = "task"


class Planned(BaseModel):
    """An incident as its tasks see it; ``known`` are the records there are, by their task."""

    id: str
    kind: str
    peak_severity: int
    since: datetime
    known: dict[str, int]


def keep_tasks(conn: Connection, now: datetime, limit: int) -> int:
    """Open, lapse and take up tasks of incidents; return how many steps were taken."""
    taken, kinds = 0, incident_kinds()
    open_ones = f"{_PLANNED} WHERE i.status = 'confirmed'"
    for incident in read_rows(conn, Planned, open_ones, {"now": now}):
        for task in kinds[incident.kind].tasks if incident.kind in kinds else ():
            known = f"{incident.kind}.{task.name}" in incident.known
            if taken < limit and not known and incident.peak_severity <= task.level:
                taken += _open(conn, incident, task) is not None
    engine = Context(conn, ENGINE, "engine", now=lambda _: now)
    for (id,) in conn.execute(_ENDED, [limit]).fetchall():
        taken += _step(engine, id, "lapse", "incident_over")
    for (id,) in conn.execute(_GOES_ON, [limit]).fetchall():
        taken += _step(engine, id, "take_up", "")
    return taken


def finish_task(
    conn: Connection,
    incident: str,
    task: str,
    by: str,
    note: str,
    at: datetime,
    via: Via = "api",
) -> None:
    """Tick off a task of the plan; a second time changes nothing."""
    page = get_incident(conn, incident)
    declared = {t.name: t for t in page.incident.declared.tasks}
    if task not in {t.name for t in page.tasks}:
        raise NotFoundError(f"incident {incident} has no task {task}")
    id = _given(conn, incident, declared[task], at) or _given(conn, incident, declared[task], at)
    if id is None:
        raise NotFoundError(f"incident {incident} has no task {task}")
    person = Context(conn, by, via, "operator", now=lambda _: at)
    try:
        act(person, TASK, id, "done", reason="done", note=note)
    except ConflictError:
        return  # somebody was first
    wake_screens(conn)


def _given(conn: Connection, incident: str, task: Task, now: datetime) -> int | None:
    """Return a task's record, given now if need be; None when another has given it meanwhile."""
    one = f"{_PLANNED} WHERE i.id = %(id)s"
    (found,) = read_rows(conn, Planned, one, {"id": incident, "now": now})
    return found.known.get(f"{found.kind}.{task.name}") or _open(conn, found, task)


def _open(conn: Connection, incident: Planned, task: Task) -> int | None:
    """Give a task, its clock running from the incident's opening; None when it is refused."""
    engine = Context(conn, ENGINE, "engine", now=lambda _: incident.since)
    what = f"{incident.kind}.{task.name}"
    fields = {"what": what, "incident": incident.id, "owner": task.owner}
    try:
        done = open_record(engine, TASK, fields, links=[("about", f"incident:{incident.id}")])
    except RefusedError as error:  # no fault of a declaration may hold up what is told
        logger().warning("a task was refused", incident=incident.id, what=what, reason=str(error))
        return None
    return done.id


def _step(engine: Context, id: int, move: str, reason: str) -> bool:
    try:
        act(engine, TASK, id, move, reason=reason)
    except RefusedError as error:
        logger().warning("a task was not moved", task=id, move=move, reason=str(error))
        return False
    return True


_PLANNED = (
    "SELECT i.id, i.kind, i.peak_severity, least(%(now)s, (SELECT min(at) FROM incident_acts a"
    " WHERE a.incident = i.id)) AS since, (SELECT coalesce(jsonb_object_agg(r.fields ->> 'what',"
    " r.id), '{}') FROM records r WHERE r.kind = 'task'"
    " AND r.fields ->> 'incident' = i.id) AS known FROM incidents i"
)
_ENDED = (
    "SELECT r.id FROM records r LEFT JOIN incidents i ON i.id = r.fields ->> 'incident'"
    " WHERE r.kind = 'task' AND r.closed_at IS NULL AND (i.id IS NULL OR i.resolved_at IS NOT NULL)"
    " ORDER BY r.id LIMIT %s"
)
_GOES_ON = (
    "SELECT r.id FROM incidents i JOIN records r ON r.kind = 'task' AND r.state = 'lapsed'"
    " AND r.fields ->> 'incident' = i.id"
    " WHERE i.resolved_at IS NULL AND i.status = 'confirmed' ORDER BY r.id LIMIT %s"
)
