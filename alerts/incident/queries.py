"""Questions to the incidents: what a console, an API or the command line shows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from psycopg import Connection
from pydantic import BaseModel

from alerts.rows import read_rows
from catalog.errors import ConflictError, NotFoundError
from catalog.incident import IncidentKind, incident_kinds
from catalog.model import Text

Status = Literal["candidate", "confirmed", "resolved", "merged"]


class Incident(BaseModel):
    """One incident; ``severity`` is its response level 1 (I) to 4 (IV)."""

    id: str
    kind: str
    status: Status
    severity: int
    peak_severity: int
    root_episode: str
    root_sensor: str
    district: str
    lon: float | None
    lat: float | None
    opened_at: datetime
    newest_at: datetime
    changed_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str | None
    resolved_at: datetime | None
    reopened: int
    merged_into: str | None
    similar_id: str | None
    acked_at: datetime | None
    acked_by: str | None
    assignee: str | None
    parent: str | None

    @property
    def declared(self) -> IncidentKind:
        """The kind's declaration."""
        return incident_kinds()[self.kind]


class Summary(Incident):
    """An incident with its name and how many alerts it and its children hold."""

    title: Text
    alerts: int
    firing: int
    folded: int
    children: int
    """Incidents below it, and how many of these are open."""
    children_open: int
    districts: list[str]
    """Codes of the districts in which these lie."""


class Member(BaseModel):
    """One alert of an incident: the evidence."""

    episode: str
    role: Literal["trigger", "support"]
    folded: bool
    added_at: datetime
    rule: str
    stream: str
    sensor: str
    severity: int
    value: float | None
    raised_at: datetime
    cleared_at: datetime | None


class TaskState(BaseModel):
    """A task of the plan, due by the clock of the opening; ``record`` once it was given."""

    record: int | None
    name: str
    title: Text
    owner: str
    due_at: datetime
    done_at: datetime | None
    done_by: str | None
    note: str


class IncidentAct(BaseModel):
    """One line of an incident's timeline, by the engine (``cityops``) or a person."""

    id: int
    at: datetime
    who: str
    act: str
    note: str


class IncidentPage(BaseModel):
    """Everything about one incident; evidence in the order it began, triggers first."""

    incident: Summary
    plan: Text
    evidence: list[Member]
    tasks: list[TaskState]
    timeline: list[IncidentAct]
    parent: Summary | None
    children: list[Summary]


SummaryT = TypeVar("SummaryT", bound=Incident)
STATE = ", ".join(Incident.model_fields)
_ALERTS = (
    "(SELECT count(*) FROM incidents c JOIN incident_members m ON m.incident = c.id"
    "{join} WHERE (c.id = i.id OR c.parent = i.id){only})"
)
_LIVE = " JOIN episodes e ON e.id = m.episode AND e.cleared_at IS NULL"
_TASKS = """
SELECT r.fields ->> 'what', r.id,
       (SELECT due_at FROM record_timers t WHERE t.record = r.id ORDER BY round DESC LIMIT 1),
       CASE r.state WHEN 'done' THEN l.at END, CASE r.state WHEN 'done' THEN l.actor END, l.note
FROM records r LEFT JOIN record_log l ON l.record = r.id AND l.move = 'done'
WHERE r.kind = 'task' AND r.fields ->> 'incident' = %(id)s
"""
_TIMELINE = """
SELECT id, at, who, act, note FROM incident_acts WHERE incident = %(id)s
UNION ALL
SELECT -l.seq, l.at, l.actor, 'task',
       trim(substr(r.fields ->> 'what', strpos(r.fields ->> 'what', '.') + 1) || ' ' || l.note)
FROM records r JOIN record_log l ON l.record = r.id AND l.move = 'done' AND l.via <> 'migration'
WHERE r.kind = 'task' AND r.fields ->> 'incident' = %(id)s
ORDER BY 2, 1
"""
_LIST = (
    f"SELECT i.*, {_ALERTS.format(join='', only='')} AS alerts,"
    f" {_ALERTS.format(join=_LIVE, only='')} AS firing,"
    f" {_ALERTS.format(join='', only=' AND m.folded')} AS folded,"
    " (SELECT count(*) FROM incidents c WHERE c.parent = i.id) AS children,"
    " (SELECT count(*) FROM incidents c WHERE c.parent = i.id AND c.resolved_at IS NULL)"
    " AS children_open, coalesce((SELECT array_agg(DISTINCT c.district ORDER BY c.district)"
    " FROM incidents c WHERE c.parent = i.id), '{}') AS districts FROM incidents i"
)


def list_incidents(
    conn: Connection,
    *,
    state: Literal["open", "all"] | Status = "open",
    kind: str = "",
    district: str = "",
    limit: int = 200,
) -> list[Summary]:
    """Return incidents, open ones first, then worst, then newest."""
    conditions = {"open": "i.resolved_at IS NULL", "all": "true"}
    where = conditions.get(state, "i.status = %(state)s")
    return _summaries(
        conn,
        f"{_LIST} WHERE {where} AND (%(kind)s = '' OR i.kind = %(kind)s)"
        " AND (%(district)s = '' OR i.district = %(district)s)"
        " ORDER BY i.resolved_at IS NOT NULL, i.severity, i.opened_at DESC, i.id LIMIT %(limit)s",
        {"state": state, "kind": kind, "district": district, "limit": limit},
    )


def outermost(found: Sequence[SummaryT]) -> list[SummaryT]:
    """Leave out those whose parent is there as well: of one cause one is shown."""
    there = {incident.id for incident in found}
    return [incident for incident in found if incident.parent not in there]


def children_of(conn: Connection, incident: str) -> list[Summary]:
    """Return the incidents below one, open ones first, then the worst."""
    return _summaries(
        conn,
        f"{_LIST} WHERE i.parent = %(id)s"
        " ORDER BY i.resolved_at IS NOT NULL, i.severity, i.opened_at, i.id",
        {"id": incident},
    )


def incidents_named(conn: Connection, ids: list[str]) -> list[Summary]:
    """Return the incidents of these ids, those that are known."""
    if not ids:
        return []
    return _summaries(conn, f"{_LIST} WHERE i.id = ANY(%(ids)s) ORDER BY i.id", {"ids": ids})


def incidents_at(conn: Connection, at: datetime) -> list[Summary]:
    """Return the incidents that were open at a moment, the worst first."""
    return _summaries(
        conn,
        f"{_LIST} WHERE i.opened_at <= %(at)s AND (i.resolved_at IS NULL OR i.resolved_at > %(at)s)"
        " AND i.merged_into IS NULL ORDER BY i.peak_severity, i.opened_at DESC LIMIT 200",
        {"at": at},
    )


def get_incident(conn: Connection, incident: str) -> IncidentPage:
    """Return one incident with evidence, tasks and timeline; NotFoundError when there is none."""
    found = _summaries(conn, f"{_LIST} WHERE i.id = %(id)s", {"id": incident})
    if not found:
        raise NotFoundError(f"no incident {incident}")
    acts = read_rows(conn, IncidentAct, _TIMELINE, {"id": incident})
    return IncidentPage(
        incident=found[0],
        plan=found[0].declared.plan,
        evidence=members_of(conn, incident),
        tasks=tasks_of(conn, found[0]),
        timeline=acts,
        parent=next(iter(incidents_named(conn, [p for p in [found[0].parent] if p])), None),
        children=children_of(conn, incident),
    )


def open_incident(conn: Connection, incident: str) -> Incident | None:
    """Return an incident that is not over, if it is one."""
    found = _summaries(
        conn, f"{_LIST} WHERE i.id = %(id)s AND i.resolved_at IS NULL", {"id": incident}
    )
    return found[0] if found else None


def members_of(conn: Connection, incident: str) -> list[Member]:
    """Return the alerts of an incident and its children, triggers first, as they began."""
    return read_rows(
        conn,
        Member,
        "SELECT m.episode, m.role, m.folded, m.added_at, e.rule, e.stream, e.sensor, e.severity,"
        " e.value, e.raised_at, e.cleared_at FROM incident_members m"
        " JOIN episodes e ON e.id = m.episode WHERE m.incident IN"
        " (SELECT c.id FROM incidents c WHERE c.id = %(id)s OR c.parent = %(id)s)"
        " ORDER BY m.role DESC, e.raised_at, e.id",
        {"id": incident},
    )


def tasks_of(conn: Connection, incident: Incident) -> list[TaskState]:
    """Return the plan's tasks for the highest level that was reached."""
    rows = conn.execute(_TASKS, {"id": incident.id}).fetchall()
    known = {what: found for what, *found in rows}
    made = []
    for task in incident.declared.tasks:
        if incident.peak_severity <= task.level:
            what = f"{incident.kind}.{task.name}"
            record, due, at, by, note = known.get(what, (None, None, None, None, ""))
            made.append(
                TaskState(
                    record=record,
                    name=task.name,
                    title=task.title,
                    owner=task.owner,
                    due_at=due or incident.opened_at + timedelta(minutes=task.within_min),
                    done_at=at,
                    done_by=by,
                    note=note or "",
                )
            )
    return made


def must_be_open(conn: Connection, incident: str) -> Summary:
    """Return an open incident; ``ConflictError`` for one that is over."""
    found = get_incident(conn, incident).incident
    if found.resolved_at is not None:
        raise ConflictError(f"incident {incident} is {found.status}")
    return found


def _summaries(conn: Connection, query: str, values: dict[str, Any]) -> list[Summary]:
    class Raw(Incident):
        alerts: int
        firing: int
        folded: int
        children: int
        children_open: int
        districts: list[str]

    return [
        Summary(**raw.model_dump(), title=raw.declared.title)
        for raw in read_rows(conn, Raw, query, values)
    ]
