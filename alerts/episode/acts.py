"""The human-owned half of an episode: acknowledge, assign, comment, shelve, reset a latch.

Each act is a row of the append-only ``episode_acts``; none touches what the rule owns.
"""

from datetime import datetime, timedelta

from psycopg import Connection

from alerts.people import require_user
from alerts.wake import wake_screens
from catalog.errors import ConflictError, NotFoundError

LONGEST_SHELF = timedelta(days=7)


def acknowledge(conn: Connection, episode: str, by: str, note: str, at: datetime) -> bool:
    """Note who takes care of the level as it is now; stops escalation, ends a latched alert.

    A second acknowledgement changes nothing and returns False; clearing is another matter.
    """
    return _act(
        conn,
        "UPDATE episodes SET acked_at = %s, acked_by = %s, ack_note = %s,"
        " acked_severity = severity,"
        " status = CASE status WHEN 'latched' THEN 'cleared' ELSE status END"
        " WHERE id = %s AND acked_at IS NULL",
        [at, by, note, episode],
        (episode, by, "ack", note),
    )


def unacknowledge(conn: Connection, episode: str, by: str, note: str = "") -> None:
    """Take an acknowledgement back; ``ConflictError`` when there is none."""
    _act(
        conn,
        "UPDATE episodes SET acked_at = NULL, acked_by = NULL, ack_note = NULL,"
        " acked_severity = NULL WHERE id = %s AND acked_at IS NOT NULL",
        [episode],
        (episode, by, "unack", note),
        unless="is not acknowledged",
    )


def assign(conn: Connection, episode: str, by: str, assignee: str, at: datetime) -> bool:
    """Give the alert to a user; an empty name takes it back. False when it was so before."""
    require_user(conn, assignee)
    return _act(
        conn,
        "UPDATE episodes SET assignee = nullif(%s, ''), assigned_at = CASE WHEN %s = '' THEN NULL"
        " ELSE %s::timestamptz END WHERE id = %s AND coalesce(assignee, '') <> %s",
        [assignee, assignee, at, episode, assignee],
        (episode, by, "assign", assignee),
    )


def comment(conn: Connection, episode: str, by: str, text: str) -> None:
    """Add a remark to the timeline."""
    if not text.strip():
        raise ValueError("a comment needs a text")
    _act(
        conn,
        "UPDATE episodes SET id = id WHERE id = %s",
        [episode],
        (episode, by, "comment", text),
    )


def shelve(
    conn: Connection, episode: str, by: str, until: datetime, reason: str, now: datetime
) -> None:
    """Say nothing about the alert until ``until`` (at most seven days); it stays on the list."""
    if not now < until <= now + LONGEST_SHELF:
        raise ValueError("an alert is shelved for at most seven days from now")
    if not reason.strip():
        raise ValueError("shelving needs a reason")
    _act(
        conn,
        "UPDATE episodes SET shelved_until = %s, shelved_by = %s, shelve_reason = %s"
        " WHERE id = %s AND cleared_at IS NULL",
        [until, by, reason, episode],
        (episode, by, "shelve", f"{until.isoformat(timespec='seconds')} {reason}"),
        unless="is over",
    )


def unshelve(conn: Connection, episode: str, by: str) -> None:
    """End shelving now; ``ConflictError`` for an alert that is not shelved."""
    _act(
        conn,
        "UPDATE episodes SET shelved_until = NULL, shelved_by = NULL, shelve_reason = NULL"
        " WHERE id = %s AND shelved_until IS NOT NULL",
        [episode],
        (episode, by, "unshelve", ""),
        unless="is not shelved",
    )


def _act(
    conn: Connection,
    statement: str,
    values: list[object],
    act: tuple[str, str, str, str],
    unless: str = "",
) -> bool:
    """Write an act and its line of the timeline; False when the statement found nothing to do.

    With ``unless`` that is a ``ConflictError`` which says so.
    """
    if not act[1].strip():
        raise ValueError("say who does it")
    with conn.transaction():
        if conn.execute(statement.encode(), values).rowcount == 0:
            if not conn.execute("SELECT 1 FROM episodes WHERE id = %s", [act[0]]).fetchone():
                raise NotFoundError(f"no alert {act[0]}")
            if unless:
                raise ConflictError(f"alert {act[0]} {unless}")
            return False
        conn.execute(
            "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, %s, %s, %s)", act
        )
        wake_screens(conn)
    return True
