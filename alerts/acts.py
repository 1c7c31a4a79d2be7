"""The human-owned half of an episode: acknowledge, assign, comment, shelve, reset a latch.

Each act is a row of the append-only ``episode_acts``; none touches what the rule owns.
"""

from datetime import datetime, timedelta

from psycopg import Connection

from alerts.errors import NotFoundError
from alerts.outbox import announce

LONGEST_SHELF = timedelta(days=7)


def acknowledge(conn: Connection, episode: str, by: str, note: str, at: datetime) -> None:
    """Note who takes care; stops escalation and ends a latched alert that has cleared.

    A second acknowledgement keeps the first; clearing is another matter.
    """
    _act(
        conn,
        "UPDATE episodes SET acked_at = coalesce(acked_at, %s), acked_by = coalesce(acked_by, %s),"
        " ack_note = coalesce(ack_note, %s), status = CASE status WHEN 'latched' THEN 'cleared'"
        " ELSE status END WHERE id = %s",
        [at, by, note, episode],
        (episode, by, "ack", note),
    )


def unacknowledge(conn: Connection, episode: str, by: str, note: str = "") -> None:
    """Take an acknowledgement back."""
    _act(
        conn,
        "UPDATE episodes SET acked_at = NULL, acked_by = NULL, ack_note = NULL WHERE id = %s",
        [episode],
        (episode, by, "unack", note),
    )


def assign(conn: Connection, episode: str, by: str, assignee: str, at: datetime) -> None:
    """Give the alert to somebody; an empty name takes it back."""
    _act(
        conn,
        "UPDATE episodes SET assignee = nullif(%s, ''), assigned_at = CASE WHEN %s = '' THEN NULL"
        " ELSE %s::timestamptz END WHERE id = %s",
        [assignee, assignee, at, episode],
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
    )


def unshelve(conn: Connection, episode: str, by: str) -> None:
    """End shelving now."""
    _act(
        conn,
        "UPDATE episodes SET shelved_until = NULL, shelved_by = NULL, shelve_reason = NULL"
        " WHERE id = %s",
        [episode],
        (episode, by, "unshelve", ""),
    )


def _act(
    conn: Connection, statement: str, values: list[object], act: tuple[str, str, str, str]
) -> None:
    if not act[1].strip():
        raise ValueError("say who does it")
    with conn.transaction():
        if conn.execute(statement.encode(), values).rowcount == 0:
            raise NotFoundError(f"no alert {act[0]}" + (" is open" if act[2] == "shelve" else ""))
        conn.execute(
            "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, %s, %s, %s)", act
        )
        announce(conn)
