"""Operator decisions on incidents: confirm, merge, reopen, end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg import Connection

from alerts.delivery.outbox import lock_writers
from alerts.event.events import Event
from alerts.incident.course import mark, merge, read_incidents, reopen
from alerts.incident.events import incident_event
from alerts.incident.parents import gather
from alerts.incident.queries import get_incident, must_be_open
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.wake import wake_screens
from catalog.errors import ConflictError


def confirm_incident(
    conn: Connection,
    incident: str,
    who: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """Say that a candidate is real; it is told from then on."""
    with _deciding(conn):
        found = must_be_open(conn, incident)
        if found.status == "candidate":
            confirmed = {"status": "confirmed", "confirmed_at": now, "confirmed_by": who}
            mark(conn, found, "confirmed", now, who, **confirmed)
            told = [_event(conn, incident, "confirmed", settings, now)]
            _tell(conn, told, notifier, settings, now)


def merge_incidents(
    conn: Connection,
    source: str,
    target: str,
    who: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """Say that two open incidents are one; ``source`` ends, its alerts go on in ``target``."""
    with _deciding(conn):
        one, other = must_be_open(conn, source), must_be_open(conn, target)
        if one.id == other.id:
            raise ConflictError("an incident is not merged with itself")
        if bool(one.declared.gathers) != bool(other.declared.gathers):
            raise ConflictError("a parent incident is merged with another parent only")
        _tell(conn, merge(conn, source, target, who, settings, now), notifier, settings, now)


def reopen_incident(
    conn: Connection,
    incident: str,
    who: str,
    reason: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """Say that an incident is not over, though all its alerts are; it is told if it was before."""
    with _deciding(conn):
        found = get_incident(conn, incident).incident
        if found.status != "resolved":
            raise ConflictError(f"incident {incident} is {found.status}, not resolved")
        _tell(conn, reopen(conn, found, who, reason, settings, now), notifier, settings, now)


def resolve_incident(
    conn: Connection,
    incident: str,
    who: str,
    reason: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """End an incident by hand, with a reason, whatever of it still fires."""
    if not reason.strip():
        raise ConflictError("say why the incident is ended")
    with _deciding(conn):
        found = must_be_open(conn, incident)
        over = {"status": "resolved", "resolved_at": now}
        mark(conn, found, "resolved", now, who, reason, **over)
        known = found.confirmed_at is not None
        told = [_event(conn, incident, "resolved", settings, now)] if known else []
        _tell(conn, told, notifier, settings, now)


@contextmanager
def _deciding(conn: Connection) -> Iterator[None]:
    """Do a deed in one transaction that no other writer of alerts crosses, then wake_screens it."""
    with conn.transaction():
        lock_writers(conn)
        yield
        wake_screens(conn)


def _tell(
    conn: Connection,
    events: list[Event],
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """Tell what a decision made, with what became of parents because of it."""
    notifier.tell(conn, [*events, *gather(conn, settings, now)], now)


def _event(
    conn: Connection, incident: str, kind: str, settings: AlertSettings, now: datetime
) -> Event:
    (after,) = read_incidents(conn, "id = %(id)s", {"id": incident})
    return incident_event(conn, after, kind, settings, now)
