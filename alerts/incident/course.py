"""The course of an incident: confirmed, another level, merged, over; each step on its timeline."""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from alerts.episode.lapse import ENGINE, lapse_acknowledgement, supersede_escalations
from alerts.event.events import Event
from alerts.incident.events import incident_event
from alerts.incident.queries import STATE, Incident, Member, members_of
from alerts.settings import AlertSettings
from catalog.incident import IncidentKind, incident_kinds


def assess(
    conn: Connection, incident_id: str, settings: AlertSettings, now: datetime
) -> list[Event]:
    """Judge one incident by its firing alerts: confirmed, another level, over.

    It is over when none of its triggers fires; what only supports it does not keep it. A parent
    is judged by its children (``alerts.incident.parents``), not here.
    """
    (incident,) = read_incidents(conn, "id = %(id)s", {"id": incident_id})
    if incident.resolved_at is not None or incident.declared.gathers:
        return []
    members = members_of(conn, incident.id)
    triggers = [m for m in members if m.role == "trigger"]
    if any(m.cleared_at is None for m in triggers):
        said = _grow(conn, incident, [m for m in members if m.cleared_at is None], now)
    elif _waits_for_a_person(conn, incident.id):
        said = []
    else:
        over = max((m.cleared_at for m in triggers if m.cleared_at), default=now)
        said = mark(conn, incident, "resolved", now, status="resolved", resolved_at=over)
    (incident_now,) = read_incidents(conn, "id = %(id)s", {"id": incident_id})
    if incident_now.confirmed_at is None or not said:
        return []  # a candidate is shown, not told
    return [incident_event(conn, incident_now, said[0], settings, now)]


def stale_incidents(conn: Connection, limit: int) -> list[str]:
    """Return open incidents of which no trigger fires and for which nobody is waited."""
    rows = conn.execute(
        "SELECT i.id FROM incidents i WHERE i.resolved_at IS NULL AND NOT EXISTS (SELECT 1"
        " FROM incident_members m JOIN episodes e ON e.id = m.episode"
        " WHERE m.incident = i.id AND m.role = 'trigger' AND e.cleared_at IS NULL)"
        f" AND NOT {_WAITING.format(incident='i.id')} AND i.kind <> ALL(%s)"
        " ORDER BY i.id LIMIT %s".encode(),
        [[kind.name for kind in incident_kinds().values() if kind.gathers], limit],
    )
    return [incident for (incident,) in rows]


def _grow(conn: Connection, incident: Incident, firing: list[Member], now: datetime) -> list[str]:
    """Confirm it or give it another level, as its firing alerts say."""
    kind, said = incident_kinds()[incident.kind], []
    level = int(kind.level([m.severity for m in firing]))
    if incident.status == "candidate" and _confirmed(kind, firing):
        confirmed = {"status": "confirmed", "confirmed_at": now, "confirmed_by": ENGINE}
        said += mark(conn, incident, "confirmed", now, **confirmed)
    if level != incident.severity:
        peak = min(level, incident.peak_severity)
        said += mark(conn, incident, "changed", now, severity=level, peak_severity=peak)
        lapse_acknowledgement(conn, "incidents", incident.id, level)
    return said


def _waits_for_a_person(conn: Connection, incident: str) -> bool:
    """Tell whether a person reopened it and no trigger has ended since: then a person ends it."""
    row = conn.execute(
        f"SELECT {_WAITING.format(incident='%(id)s')}".encode(), {"id": incident}
    ).fetchone()
    return bool(row and row[0])


_WAITING = (
    "coalesce((SELECT max(at) FROM incident_acts WHERE incident = {incident}"
    " AND act = 'reopened' AND who <> 'cityops') > coalesce((SELECT max(e.cleared_recorded_at)"
    " FROM incident_members m JOIN episodes e ON e.id = m.episode"
    " WHERE m.incident = {incident} AND m.role = 'trigger'), '-infinity'), false)"
)


def merge(
    conn: Connection, source: str, target: str, who: str, settings: AlertSettings, now: datetime
) -> list[Event]:
    """Move an incident's alerts into another one; the first one ends as merged."""
    conn.execute("UPDATE incident_members SET incident = %s WHERE incident = %s", [target, source])
    conn.execute("UPDATE incidents SET parent = %s WHERE parent = %s", [target, source])
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
    supersede_escalations(conn, incident.id)
    conn.execute(
        "UPDATE incidents SET status = CASE WHEN confirmed_at IS NULL THEN 'candidate'"
        " ELSE 'confirmed' END, resolved_at = NULL, reopened = reopened + 1, acked_at = NULL,"
        " acked_by = NULL, acked_severity = NULL, changed_at = %s WHERE id = %s",
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
