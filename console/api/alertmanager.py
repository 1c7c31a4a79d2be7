"""Alertmanager's API v2, so that ``amtool``, Prometheus and Grafana's Alertmanager source work.

Alerts are our open episodes; what is pushed here becomes one. Silences are the same as ours.
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from psycopg import Connection
from pydantic import BaseModel, Field, ValidationError

from alerts.delivery.receivers import list_receivers
from alerts.event.labels import Matcher, parse_matcher
from alerts.event.patterns import pattern
from alerts.routing import silences as book
from console import alertmanager as am
from console.alerting import Room
from console.alertmanager_config import config_of
from console.api.incoming import MOST as MOST_PUSHED
from console.api.incoming import Received, take_all
from console.api.silences import refuse_past
from console.auth import Conn, Operator, Viewer
from console.problems import Refused, not_found
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["alertmanager"])
MOST = 2000
LATE = timedelta(minutes=1)
Found = dict[str, Any]


class SilenceId(BaseModel):
    """The id of the silence that was set."""

    silence_id: str = Field(serialization_alias="silenceID")


@router.get("/status")
def status(who: Viewer, room: Room) -> Found:
    """Return what Alertmanager's clients ask for first."""
    return {
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": "0.27.0",
            "branch": "cityops",
            "revision": "cityops",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        },
        "config": {"original": config_of(room.notifier.routes)},
        "uptime": am.started(),
    }


@router.get("/receivers")
def receivers(conn: Conn, who: Viewer) -> list[Found]:
    """Return the names of the receivers."""
    return [{"name": r.name} for r in list_receivers(conn)]


class AlertQuery(BaseModel):
    """Which alerts: ``filter`` holds matchers, e.g. ``domain="water"``; ``receiver`` a pattern."""

    filter: list[str] = []
    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    receiver: str = Field(default="", max_length=200)


@router.get("/alerts")
def alerts(conn: Conn, who: Viewer, query: Annotated[AlertQuery, Query()]) -> list[Found]:
    """Return firing alerts."""
    return _chosen(conn, query)


@router.get("/alerts/groups")
def alert_groups(conn: Conn, who: Viewer, query: Annotated[AlertQuery, Query()]) -> list[Found]:
    """Return firing alerts by receiver and alert name."""
    return am.grouped(_chosen(conn, query))


@router.post("/alerts")
def push_alerts(
    alerts: Annotated[list[Any], Body(max_length=MOST_PUSHED)],
    conn: Conn,
    who: Operator,
    room: Room,
) -> Received:
    """Take alerts; each lasts until its ``endsAt``, or 5 minutes after it was last pushed."""
    return take_all(conn, alerts, room, pushed=True)


@router.get("/silences")
def silences(
    conn: Conn,
    who: Viewer,
    filter: Annotated[list[str] | None, Query(description='e.g. `domain="water"`')] = None,
) -> list[Found]:
    """Return silences, expired ones as well; with a filter those that hold these matchers."""
    wanted = set(map(str, _matchers(filter or [])))
    now = now_of(conn)
    found = book.list_silences(conn, expired=True, limit=am.MOST)
    return [am.gettable_silence(s, now) for s in found if wanted <= {str(m) for m in s.matchers}]


@router.post("/silences")
def post_silence(posted: am.PostedSilence, conn: Conn, who: Operator) -> SilenceId:
    """Set a silence, or replace one. Its author is the caller, for whom it names."""
    now = now_of(conn)
    refuse_past(conn, "body.endsAt", posted.ends_at)
    if posted.starts_at < now - LATE:
        posted = posted.model_copy(update={"starts_at": now})
    try:
        draft = posted.ours()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, ("body", *first["loc"])))
        raise Refused(field, first["type"], first["msg"]) from None
    author = _author(posted.created_by, who.name)
    with conn.transaction():
        if posted.id and book.end_silence(conn, am.number_of(posted.id), who.name, now) is None:
            raise not_found(f"no silence {posted.id}")
        made = book.add_silence(conn, draft, author)
        record(
            conn, who.name, "silence.create", str(made.id), replaces=posted.id, reason=made.reason
        )
    return SilenceId(silence_id=am.public_id(made.id))


@router.get("/silence/{silence}")
def silence(silence: str, conn: Conn, who: Viewer) -> Found:
    """Return one silence."""
    found = book.get_silence(conn, am.number_of(silence))
    if found is None:
        raise not_found(f"no silence {silence}")
    return am.gettable_silence(found, now_of(conn))


@router.delete("/silence/{silence}")
def expire_silence(silence: str, conn: Conn, who: Operator) -> None:
    """End a silence now."""
    with conn.transaction():
        ended = book.end_silence(conn, am.number_of(silence), who.name, now_of(conn))
        if ended is None:
            raise not_found(f"no silence {silence}")
        record(conn, who.name, "silence.expire", str(ended.id))


def _chosen(conn: Connection, query: AlertQuery) -> list[Found]:
    try:
        receiver = pattern(query.receiver) if query.receiver else None
    except ValueError as error:
        raise Refused("query.receiver", "pattern", str(error)) from None
    found = am.gettable_alerts(conn, _matchers(query.filter), now_of(conn))
    kinds = {"active": query.active, "silenced": query.silenced, "inhibited": query.inhibited}
    return am.selected(found, kinds, receiver)


def _author(said: str, caller: str) -> str:
    """Return who set it: the name that was said, and whose key said it."""
    mark = f"({caller})"
    return caller if said in ("", caller) else said if said.endswith(mark) else f"{said} {mark}"


def _matchers(lines: list[str]) -> list[Matcher]:
    try:
        return [parse_matcher(line) for line in lines]
    except ValueError as error:
        raise Refused("query.filter", "matcher", str(error)) from None
