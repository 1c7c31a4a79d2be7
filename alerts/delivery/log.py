"""The delivery log: every message and attempt, replay, and a test message by the same way."""

import secrets
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from alerts.delivery.links import Links, mask
from alerts.delivery.outbox import Letter, load_addresses, put
from alerts.event.events import Event
from alerts.wake import CHANNEL
from catalog.errors import ConflictError, NotFoundError

State = Literal["waiting", "delivered", "failed", "all"]


class Delivery(BaseModel):
    """One message to one receiver."""

    id: str
    receiver: str
    sequence: int
    kind: str
    headline: str
    events: int
    episode: str | None
    incident: str | None
    content_type: str
    created_at: datetime
    attempts: int
    state: Literal["waiting", "delivered", "failed"]
    delivered_at: datetime | None
    failed_at: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    replays: int


class Attempt(BaseModel):
    """One attempt at a message."""

    attempt: int
    at: datetime
    status_code: int | None
    error: str | None
    duration_ms: int


class DeliveryPage(BaseModel):
    """A message with its body (its signed link masked) and every attempt."""

    delivery: Delivery
    body: str
    attempts: list[Attempt]


_STATE = (
    "CASE WHEN o.delivered_at IS NOT NULL THEN 'delivered'"
    " WHEN o.failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END"
)
_SELECT = (
    "SELECT o.id, r.name AS receiver, o.receiver_seq AS sequence, o.kind, o.headline, o.events,"
    f" o.episode, o.incident, o.content_type, o.created_at, o.attempts, {_STATE} AS state,"
    " o.delivered_at, o.failed_at, CASE WHEN o.delivered_at IS NULL AND o.failed_at IS NULL"
    " THEN o.next_attempt_at END AS next_attempt_at, o.last_error, o.replays"
    " FROM outbox o JOIN receivers r ON r.id = o.receiver"
)


def list_deliveries(
    conn: Connection,
    *,
    receiver: str = "",
    state: State = "all",
    subject: str = "",
    limit: int = 200,
    before: datetime | None = None,
) -> list[Delivery]:
    """Return messages, newest first; ``subject`` = those that tell of an alert or incident."""
    values = {
        "receiver": receiver,
        "state": state,
        "subject": subject,
        "before": before,
        "limit": limit,
    }
    where = (
        " WHERE (%(receiver)s = '' OR r.name = %(receiver)s)"
        f" AND (%(state)s = 'all' OR {_STATE} = %(state)s)"
        " AND (%(subject)s = '' OR o.id IN"
        " (SELECT outbox FROM outbox_subjects WHERE subject = %(subject)s))"
        " AND (%(before)s::timestamptz IS NULL OR o.created_at < %(before)s)"
    )
    return _deliveries(conn, _SELECT + where + " ORDER BY o.seq DESC LIMIT %(limit)s", values)


def get_delivery(conn: Connection, message: str) -> DeliveryPage:
    """Return one message; NotFoundError when there is none."""
    found = _deliveries(conn, _SELECT + " WHERE o.id = %(id)s", {"id": message})
    body = conn.execute("SELECT body FROM outbox WHERE id = %s", [message]).fetchone()
    if not found or body is None:
        raise NotFoundError(f"no message {message}")
    with conn.cursor(row_factory=class_row(Attempt)) as cursor:
        attempts = cursor.execute(
            "SELECT attempt, at, status_code, error, duration_ms FROM deliveries"
            " WHERE outbox = %s ORDER BY id",
            [message],
        ).fetchall()
    return DeliveryPage(delivery=found[0], body=mask(body[0]), attempts=attempts)


def replay(conn: Connection, message: str) -> int:
    """Send a message again, with its id and body; what waits is tried at once. 1, or 0 if none."""
    return _replay(conn, "o.id = %(id)s", {"id": message})


def replay_range(
    conn: Connection,
    receiver: str,
    since: datetime,
    until: datetime,
    *,
    only_failed: bool = False,
) -> int:
    """Send again what was made for a receiver in [since, until); return how many messages."""
    condition = (
        "o.receiver = (SELECT id FROM receivers WHERE name = %(receiver)s)"
        " AND o.created_at >= %(since)s AND o.created_at < %(until)s"
        " AND (NOT %(failed)s OR o.failed_at IS NOT NULL)"
    )
    values = {"receiver": receiver, "since": since, "until": until, "failed": only_failed}
    return _replay(conn, condition, values)


def send_test(conn: Connection, receiver: str, by: str, links: Links, now: datetime) -> str:
    """Owe a receiver a test message, which goes the way of every other; return its id."""
    address = load_addresses(conn).get(receiver)
    if address is None:
        raise ConflictError(f"no receiver {receiver!r} is switched on")
    with conn.transaction():
        letter = Letter(address, f"test|{secrets.token_hex(8)}", (test_event(by, now),))
        return put(conn, [letter], links, now)[0]


def test_event(by: str, now: datetime) -> Event:
    """Return what a test message tells."""
    return Event(
        type="test.message",
        subject="test",
        at=now,
        firing=False,
        severity=4,
        labels={"alertname": "test.message", "severity": "blue", "origin": "cityops"},
        title_zh="测试消息",
        title_en="Test message",
        text_zh=f"由 {by} 发出,无需处置",
        text_en=f"Sent by {by}; nothing to do",
        started_at=now,
        ended_at=now,
        exercise=True,
        data={"by": by, "note": "nothing to do", "exercise": True},
    )


def _replay(conn: Connection, condition: str, values: dict[str, Any]) -> int:
    done = conn.execute(
        "UPDATE outbox o SET delivered_at = NULL, failed_at = NULL, next_attempt_at ="
        " clock_timestamp(), replays = replays + CASE WHEN delivered_at IS NULL AND failed_at"
        " IS NULL THEN 0 ELSE 1 END, attempts = CASE WHEN delivered_at IS NULL AND failed_at"
        f" IS NULL THEN attempts ELSE 0 END WHERE {condition}".encode(),
        values,
    )
    conn.execute(f"NOTIFY {CHANNEL}".encode())
    return done.rowcount


def _deliveries(conn: Connection, query: str, values: dict[str, Any]) -> list[Delivery]:
    with conn.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
