"""Incidents: alerts of one cause, with evidence, response level, plan and tasks."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from alerts.event.fields import Words
from alerts.incident import care as care
from alerts.incident import queries as store
from alerts.incident.acts import (
    confirm_incident,
    merge_incidents,
    reopen_incident,
    resolve_incident,
)
from alerts.incident.queries import IncidentPage, Status, Summary
from alerts.incident.tasks import finish_task
from console.alerting import Room
from console.api.alerts import Reason
from console.api.paging import Offset, Pages
from console.auth import Conn, Operator, Viewer
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["incidents"])


class Said(BaseModel):
    """What is said with an act."""

    note: str = Field(default="", max_length=2000)


class Remark(BaseModel):
    """A remark for the timeline."""

    text: Words


class Assignment(BaseModel):
    """The user who takes care; empty takes it back."""

    to: str = Field(max_length=200)


class Target(BaseModel):
    """The incident that goes on."""

    into: str


@router.get("/incidents")
def list_incidents(
    conn: Conn,
    who: Viewer,
    pages: Pages,
    state: Literal["open", "all"] | Status = "open",
    kind: str = "",
    district: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Offset = 0,
) -> list[Summary]:
    """Return incidents, open ones first, then by response level, newest first."""

    def fetch(most: int) -> list[Summary]:
        return store.list_incidents(conn, state=state, kind=kind, district=district, limit=most)

    return pages.window(fetch, limit, offset)


@router.get("/incidents/{incident}")
def get_incident(incident: str, conn: Conn, who: Viewer) -> IncidentPage:
    """Return one incident with evidence, tasks and timeline."""
    return store.get_incident(conn, incident)


@router.post("/incidents/{incident}/confirm", status_code=204)
def confirm(incident: str, conn: Conn, who: Operator, room: Room) -> None:
    """Say that a candidate is real; receivers are told of it from then on."""
    with conn.transaction():
        now = now_of(conn)
        confirm_incident(conn, incident, who.name, room.notifier, room.settings, now)
        record(conn, who.name, "incident.confirm", incident)


@router.post("/incidents/{incident}/merge", status_code=204)
def merge(incident: str, target: Target, conn: Conn, who: Operator, room: Room) -> None:
    """Say that this incident is part of another one, which takes in its alerts."""
    with conn.transaction():
        now = now_of(conn)
        merge_incidents(conn, incident, target.into, who.name, room.notifier, room.settings, now)
        record(conn, who.name, "incident.merge", incident, into=target.into)


@router.post("/incidents/{incident}/reopen", status_code=204)
def reopen(incident: str, conn: Conn, who: Operator, room: Room, said: Said | None = None) -> None:
    """Say that an incident is not over, though its alerts are."""
    note, now = said.note if said else "", now_of(conn)
    with conn.transaction():
        reopen_incident(conn, incident, who.name, note, room.notifier, room.settings, now)
        record(conn, who.name, "incident.reopen", incident, note=note)


@router.post("/incidents/{incident}/resolve", status_code=204)
def resolve(incident: str, said: Reason, conn: Conn, who: Operator, room: Room) -> None:
    """End an incident with a reason, whatever of it still fires."""
    with conn.transaction():
        now = now_of(conn)
        resolve_incident(conn, incident, who.name, said.note, room.notifier, room.settings, now)
        record(conn, who.name, "incident.resolve", incident, note=said.note)


@router.post("/incidents/{incident}/ack", status_code=204)
def acknowledge(incident: str, conn: Conn, who: Operator, said: Said | None = None) -> None:
    """Say that the caller takes care; stops escalation, until the level is worse."""
    note = said.note if said else ""
    with conn.transaction():
        if care.acknowledge_incident(conn, incident, who.name, note, now_of(conn)):
            record(conn, who.name, "incident.ack", incident, note=note)


@router.post("/incidents/{incident}/assign", status_code=204)
def assign(incident: str, given: Assignment, conn: Conn, who: Operator) -> None:
    """Give the incident to a user of the console; 422 for anybody else."""
    with conn.transaction():
        if care.assign_incident(conn, incident, who.name, given.to):
            record(conn, who.name, "incident.assign", incident, to=given.to)


@router.post("/incidents/{incident}/comment", status_code=204)
def comment(incident: str, said: Remark, conn: Conn, who: Operator) -> None:
    """Add a remark to the timeline."""
    with conn.transaction():
        care.comment_incident(conn, incident, who.name, said.text)
        record(conn, who.name, "incident.comment", incident, note=said.text)


@router.post("/incidents/{incident}/tasks/{task}/done", status_code=204)
def finish(incident: str, task: str, conn: Conn, who: Operator, said: Said | None = None) -> None:
    """Tick off a task of the plan."""
    note = said.note if said else ""
    with conn.transaction():
        finish_task(conn, incident, task, who.name, note, now_of(conn))
