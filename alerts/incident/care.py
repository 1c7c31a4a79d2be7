"""What operators do for an incident: acknowledge, assign, comment."""

from datetime import datetime

from psycopg import Connection

from alerts.people import require_user
from alerts.wake import wake_screens
from catalog.errors import NotFoundError


def acknowledge_incident(conn: Connection, incident: str, by: str, note: str, at: datetime) -> bool:
    """Note who takes care of an incident at its level; stops escalation. False when it was so."""
    done = conn.execute(
        "UPDATE incidents SET acked_at = %s, acked_by = %s, acked_severity = severity"
        " WHERE id = %s AND acked_at IS NULL",
        [at, by, incident],
    )
    return _written(conn, done.rowcount, incident, by, "ack", note)


def assign_incident(conn: Connection, incident: str, by: str, assignee: str) -> bool:
    """Give the incident to a user; an empty name takes it back. False when it was so before."""
    require_user(conn, assignee)
    done = conn.execute(
        "UPDATE incidents SET assignee = nullif(%s, '') WHERE id = %s"
        " AND coalesce(assignee, '') <> %s",
        [assignee, incident, assignee],
    )
    return _written(conn, done.rowcount, incident, by, "assign", assignee)


def comment_incident(conn: Connection, incident: str, by: str, text: str) -> None:
    """Add a remark to the timeline."""
    done = conn.execute("UPDATE incidents SET id = id WHERE id = %s", [incident])
    _written(conn, done.rowcount, incident, by, "comment", text)


def _written(conn: Connection, rows: int, incident: str, by: str, act: str, note: str) -> bool:
    """Write a line of the timeline unless there was nothing to do; NotFoundError without one."""
    if rows == 0:
        if not conn.execute("SELECT 1 FROM incidents WHERE id = %s", [incident]).fetchone():
            raise NotFoundError(f"no incident {incident}")
        return False
    conn.execute(
        "INSERT INTO incident_acts (incident, who, act, note) VALUES (%s, %s, %s, %s)",
        [incident, by, act, note],
    )
    wake_screens(conn)
    return True
