"""Alerts: lists, one alert's timeline, and what people do with it.

An alert is one episode: from the moment a rule was broken until it no longer is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from psycopg import Connection
from pydantic import BaseModel, Field

from alerts.episode import acts
from alerts.episode.models import Alert, AlertFilter, AlertPage, State, TransitionRow
from alerts.episode.queries import count_alerts, find_alerts, get_alert, list_transitions
from alerts.event.fields import Moment, Words
from alerts.sources.ending import end_alert
from alerts.sources.foreign import STREAM as EXTERNAL
from alerts.sources.verdict import ACTS, Verdict, judge_alert
from catalog.joint import GROUPS
from catalog.lifecycle.registry import RECORDS
from catalog.platform import PLATFORM
from catalog.registry import streams
from console.alerting import Room
from console.api.paging import Offset, Pager, Pages
from console.auth import Conn, Operator, Viewer
from console.problems import require_known
from console.roles import Principal
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["alerts"])


class Ack(BaseModel):
    """What is said with an acknowledgement."""

    note: str = Field(default="", max_length=2000)


class Reason(BaseModel):
    """Why something is ended by hand."""

    note: Words


class BulkAck(Ack):
    """Several alerts to acknowledge at once: all of them, or none when one is unknown."""

    ids: list[str] = Field(min_length=1, max_length=1000)


class Assignment(BaseModel):
    """The user who takes care; empty takes it back."""

    to: str = Field(max_length=200, examples=["zhang.wei"])


class Comment(BaseModel):
    """A remark for the timeline."""

    text: Words


class Shelf(BaseModel):
    """Say nothing about an alert for so long; it stays on the list."""

    minutes: float = Field(gt=0, le=7 * 24 * 60)
    reason: Words


class Episodes(AlertFilter):
    """The same filter, over open and past alerts."""

    state: State = "all"


@router.get("/alerts")
def list_alerts(
    conn: Conn, who: Viewer, wanted: Annotated[AlertFilter, Query()], pages: Pages
) -> list[Alert]:
    """Return open alerts (or by ``state``), worst and newest first."""
    return _page(conn, wanted, pages)


@router.get("/episodes")
def list_episodes(
    conn: Conn, who: Viewer, wanted: Annotated[Episodes, Query()], pages: Pages
) -> list[Alert]:
    """Return open and past alerts, newest first."""
    return _page(conn, wanted, pages)


def _page(conn: Connection, wanted: AlertFilter, pages: Pager) -> list[Alert]:
    _known_streams(wanted.stream)
    pages.total(count_alerts(conn, wanted))
    found = find_alerts(conn, wanted.model_copy(update={"limit": wanted.limit + 1}))
    return pages.cut(found, wanted.limit, lambda _: {"offset": wanted.offset + wanted.limit})


def _known_streams(names: list[str]) -> None:
    """Refuse a stream that nobody knows: no alert would ever be of it."""
    require_known("stream", names, (*streams(), PLATFORM, RECORDS, GROUPS, EXTERNAL))


@router.get("/transitions")
def list_changes(
    conn: Conn,
    who: Viewer,
    pages: Pages,
    episode: str = "",
    stream: str = "",
    sensor: str = "",
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    offset: Offset = 0,
) -> list[TransitionRow]:
    """Return every change of alerts, newest first; append-only, with event and record time."""
    _known_streams([stream] if stream else [])
    asked = {"episode": episode, "stream": stream, "sensor": sensor}

    def fetch(most: int) -> list[TransitionRow]:
        return list_transitions(conn, **asked, since=since, until=until, limit=most)

    return pages.window(fetch, limit, offset)


@router.post("/alerts/ack", status_code=204)
def acknowledge_several(which: BulkAck, conn: Conn, who: Operator) -> None:
    """Say that the caller takes care of several alerts."""
    with conn.transaction():
        for episode in sorted(set(which.ids)):
            _acknowledge(conn, episode, who, which.note)


@router.get("/alerts/{episode}")
def get_one(episode: str, conn: Conn, who: Viewer) -> AlertPage:
    """Return one alert with its timeline, who was told and why somebody was not."""
    return get_alert(conn, episode)


@router.post("/alerts/{episode}/ack", status_code=204)
def acknowledge_alert(episode: str, conn: Conn, who: Operator, ack: Ack | None = None) -> None:
    """Say that the caller takes care; the first acknowledgement stands until the level is worse."""
    with conn.transaction():
        _acknowledge(conn, episode, who, ack.note if ack else "")


@router.post("/alerts/{episode}/unack", status_code=204)
def take_back(episode: str, conn: Conn, who: Operator, said: Ack | None = None) -> None:
    """Take an acknowledgement back."""
    note = said.note if said else ""
    with _recorded(conn, who, "alert.unack", episode, note):
        acts.unacknowledge(conn, episode, who.name, note)


@router.post("/alerts/{episode}/assign", status_code=204)
def assign_alert(episode: str, given: Assignment, conn: Conn, who: Operator) -> None:
    """Give the alert to a user of the console; 422 for anybody else."""
    with conn.transaction():
        if acts.assign(conn, episode, who.name, given.to, now_of(conn)):
            record(conn, who.name, "alert.assign", episode, note=given.to)


@router.post("/alerts/{episode}/comment", status_code=204)
def comment_alert(episode: str, said: Comment, conn: Conn, who: Operator) -> None:
    """Add a remark to the timeline."""
    with _recorded(conn, who, "alert.comment", episode, said.text):
        acts.comment(conn, episode, who.name, said.text)


@router.post("/alerts/{episode}/shelve", status_code=204)
def shelve_alert(episode: str, shelf: Shelf, conn: Conn, who: Operator) -> None:
    """Say nothing about an open alert for a while; afterwards it is told if it still lasts."""
    now = now_of(conn)
    until = now + timedelta(minutes=shelf.minutes)
    with _recorded(conn, who, "alert.shelve", episode, shelf.reason):
        acts.shelve(conn, episode, who.name, until, shelf.reason, now)


@router.post("/alerts/{episode}/unshelve", status_code=204)
def unshelve_alert(episode: str, conn: Conn, who: Operator) -> None:
    """End shelving now."""
    with _recorded(conn, who, "alert.unshelve", episode, ""):
        acts.unshelve(conn, episode, who.name)


@router.post("/alerts/{episode}/end", status_code=204)
def end_one(episode: str, said: Reason, conn: Conn, who: Operator, room: Room) -> None:
    """End an alert from elsewhere that no message ends; 409 for one that a rule of ours ends."""
    with _recorded(conn, who, "alert.end", episode, said.note):
        now = now_of(conn)
        end_alert(conn, episode, who.name, said.note, room.notifier, room.settings, now)


@router.post("/alerts/{episode}/confirm", status_code=204)
def confirm_one(episode: str, said: Reason, conn: Conn, who: Operator, room: Room) -> None:
    """Say that an alert in doubt is true; 409 for one that is over or not in doubt."""
    _judge("confirmed", episode, said, conn, who, room)


@router.post("/alerts/{episode}/withdraw", status_code=204)
def withdraw_one(episode: str, said: Reason, conn: Conn, who: Operator, room: Room) -> None:
    """Say that the value of an alert in doubt is wrong; it comes again if readings bear it out."""
    _judge("withdrawn", episode, said, conn, who, room)


def _judge(
    verdict: Verdict, episode: str, said: Reason, conn: Conn, who: Operator, room: Room
) -> None:
    with _recorded(conn, who, f"alert.{ACTS[verdict]}", episode, said.note):
        given = (who.name, said.note, room.notifier, room.settings, now_of(conn))
        judge_alert(conn, episode, verdict, *given)


def _acknowledge(conn: Connection, episode: str, who: Principal, note: str) -> None:
    if acts.acknowledge(conn, episode, who.name, note, now_of(conn)):
        record(conn, who.name, "alert.ack", episode, note=note)


@contextmanager
def _recorded(
    conn: Connection, who: Principal, what: str, episode: str, note: str
) -> Iterator[None]:
    """Record what is done inside: both, or neither."""
    with conn.transaction():
        yield
        record(conn, who.name, what, episode, note=note)
