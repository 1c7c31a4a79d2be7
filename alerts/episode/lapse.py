"""Take an acknowledgement back when what was acknowledged becomes worse than it was then."""

from typing import Literal

from psycopg import Connection

from catalog.model import Severity
from catalog.severity import LEVELS

ENGINE = "cityops"


def lapse_acknowledgement(
    conn: Connection, table: Literal["episodes", "incidents"], subject: str, severity: int
) -> bool:
    """Reopen a subject that is worse than the level somebody acknowledged; tell whether it was.

    The first acknowledgement stays in the timeline; escalation begins anew.
    """
    note = ", ack_note = NULL" if table == "episodes" else ""
    row = conn.execute(
        f"UPDATE {table} t SET acked_at = NULL, acked_by = NULL, acked_severity = NULL{note}"
        f" FROM (SELECT id, acked_by, acked_severity FROM {table} WHERE id = %s FOR UPDATE) b"
        " WHERE t.id = b.id AND b.acked_severity > %s"
        " RETURNING b.acked_by, b.acked_severity".encode(),
        [subject, severity],
    ).fetchone()
    if row is None:
        return False
    by, acknowledged = row
    acts, key = _ACTS[table]
    conn.execute(
        f"INSERT INTO {acts} ({key}, who, act, note) VALUES (%s, %s, 'ack_lapsed', %s)".encode(),
        [subject, ENGINE, f"{_roman(acknowledged)} → {_roman(severity)} · {by}"],
    )
    supersede_escalations(conn, subject)
    return True


def supersede_escalations(conn: Connection, subject: str) -> None:
    """Let a subject's escalation begin anew with its next notice; what was done stays on record."""
    conn.execute(
        "UPDATE escalations SET superseded = true, outcome = coalesce(outcome, 'acknowledged'),"
        " ended_at = coalesce(ended_at, clock_timestamp()) WHERE subject = %s AND NOT superseded",
        [subject],
    )


_ACTS = {"episodes": ("episode_acts", "episode"), "incidents": ("incident_acts", "incident")}


def _roman(severity: int) -> str:
    return LEVELS[Severity(severity)].roman
