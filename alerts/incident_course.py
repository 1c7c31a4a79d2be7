"""The course of an incident: confirmed, another level, merged, over; each step on its timeline."""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from alerts.events import Event
from alerts.incident_events import incident_event
from alerts.incident_store import STATE, Incident, Member, members_of
from alerts.settings import AlertSettings
from catalog.incident import IncidentKind, incident_kinds

ENGINE = "cityops"


def assess(
    conn: Connection, incident_id: str, settings: AlertSettings, now: datetime
) -> list[Event]:
    """Judge one incident by its firing alerts: confirmed, another level, over."""
    (incident,) = read_incidents(conn, "id = %(id)s", {"id": incident_id})
    if incident.resolved_at is not None:
        return []
    members = members_of(conn, incident.id)
    firing = [m for m in members if m.cleared_at is None]
    kind = incident_kinds()[incident.kind]
    said: list[str] = []
    if not firing:
        over = max((m.cleared_at for m in members if m.cleared_at), default=now)
        said += mark(conn, incident, "resolved", now, status="resolved", resolved_at=over)
    else:
        level = int(kind.level([m.severity for m in firing]))
        if incident.status == "candidate" and _confirmed(kind, firing):
            said += mark(
                conn,
                incident,
                "confirmed",
                now,
                status="confirmed",
                confirmed_at=now,
                confirmed_by=ENGINE,
            )
        if level != incident.severity:
            peak = min(level, incident.peak_severity)
            said += mark(conn, incident, "changed", now, severity=level, peak_severity=peak)
    (incident_now,) = read_incidents(conn, "id = %(id)s", {"id": incident_id})
    if incident_now.confirmed_at is None or not said:
        return []  # a candidate is shown, not told
    return [incident_event(conn, incident_now, said[0], settings, now)]


def merge(
    conn: Connection, source: str, target: str, who: str, settings: AlertSettings, now: datetime
) -> list[Event]:
    """Move an incident's alerts into another one; the first one ends as merged."""
    conn.execute("UPDATE incident_members SET incident = %s WHERE incident = %s", [target, source])
    (before,) = read_incidents(conn, "id = %(id)s", {"id": source})
    said = mark(
        conn, before, "merged", now, who, status="merged", resolved_at=now, merged_into=target
    )
    note(conn, target, who, "absorbed", source)
    (after,) = read_incidents(conn, "id = %(id)s", {"id": source})
    events = [incident_event(conn, after, s, settings, now) for s in said if after.confirmed_at]
    return events + assess(conn, target, settings, now)


def reopen(
    conn: Connection,
    incident: Incident,
    who: str,
    why: str,
    settings: AlertSettings,
    now: datetime,
) -> list[Event]:
    """Let an incident that has ended go on; return what there is to tell."""
    conn.execute(
        "UPDATE incidents SET status = CASE WHEN confirmed_at IS NULL THEN 'candidate'"
        " ELSE 'confirmed' END, resolved_at = NULL, reopened = reopened + 1, acked_at = NULL,"
        " acked_by = NULL, changed_at = %s WHERE id = %s",
        [now, incident.id],
    )
    note(conn, incident.id, who, "reopened", why)
    (again,) = read_incidents(conn, "id = %(id)s", {"id": incident.id})
    told = again.status == "confirmed"
    return [incident_event(conn, again, "reopened", settings, now)] if told else []


def note(conn: Connection, incident: str, who: str, act: str, text: str = "") -> None:
    """Add a line to the incident's timeline."""
    conn.execute(
        "INSERT INTO incident_acts (incident, who, act, note) VALUES (%s, %s, %s, %s)",
        [incident, who, act, text],
    )


def mark(
    conn: Connection,
    incident: Incident,
    act: str,
    now: datetime,
    who: str = ENGINE,
    why: str = "",
    **columns: Any,
) -> list[str]:
    """Write columns and a line of the timeline; return what happened."""
    sets = "".join(f", {name} = %({name})s" for name in columns)
    conn.execute(
        f"UPDATE incidents SET changed_at = %(now)s{sets} WHERE id = %(id)s".encode(),
        columns | {"now": now, "id": incident.id},
    )
    level = columns.get("severity", incident.severity)
    note(conn, incident.id, who, act, str(level) if act == "changed" else why)
    return [act]


def _confirmed(kind: IncidentKind, firing: list[Member]) -> bool:
    rules = {m.rule for m in firing}
    return len(rules) >= kind.confirm_rules or len(firing) >= kind.confirm_alerts


def read_incidents(conn: Connection, condition: str, values: Any) -> list[Incident]:
    """Return the incidents that fulfil an SQL condition."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"SELECT {STATE} FROM incidents WHERE {condition}".encode(), values)
        return [Incident.model_validate(row) for row in rows]
