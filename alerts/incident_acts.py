"""What people decide about incidents: this one is real, these two are one."""

from datetime import datetime

from psycopg import Connection

from alerts.errors import ConflictError
from alerts.incident_course import mark, merge, read_incidents
from alerts.incident_events import incident_event
from alerts.incident_store import must_be_open
from alerts.notify import Notifier
from alerts.outbox import lock_writers
from alerts.settings import AlertSettings


def confirm_incident(
    conn: Connection,
    incident: str,
    who: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """Say that a candidate is real; it is told from then on."""
    with conn.transaction():
        lock_writers(conn)
        found = must_be_open(conn, incident)
        if found.status == "candidate":
            confirmed = {"status": "confirmed", "confirmed_at": now, "confirmed_by": who}
            mark(conn, found, "confirmed", now, who, **confirmed)
            (after,) = read_incidents(conn, "id = %(id)s", {"id": incident})
            event = incident_event(conn, after, "confirmed", settings, now)
            notifier.tell(conn, [event], now)


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
    with conn.transaction():
        lock_writers(conn)
        one, other = must_be_open(conn, source), must_be_open(conn, target)
        if one.id == other.id:
            raise ConflictError("an incident is not merged with itself")
        notifier.tell(conn, merge(conn, source, target, who, settings, now), now)
