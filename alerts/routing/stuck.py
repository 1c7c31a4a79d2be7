"""Messages that stay undelivered: shown, and told to the fallback receivers."""

from datetime import UTC, datetime, timedelta

from psycopg import Connection

from alerts.event.events import Event
from alerts.routing.notify import Notifier

LIMIT = timedelta(minutes=2)


def tell_stuck(conn: Connection, notifier: Notifier, now: datetime) -> int:
    """Tell the fallback once per receiver and outage; return how many receivers are stuck."""
    fallback = notifier.routes.file.fallback
    rows = conn.execute(
        "SELECT r.id, r.name, count(*), min(o.created_at), coalesce(max(o.last_error), '')"
        " FROM outbox o JOIN receivers r ON r.id = o.receiver"
        " WHERE o.delivered_at IS NULL AND o.failed_at IS NULL AND o.created_at < %s"
        " AND o.kind <> 'stuck'"
        " GROUP BY r.id, r.name HAVING bool_and(o.stuck_told_at IS NULL) ORDER BY r.id",
        [now - LIMIT],
    ).fetchall()
    for receiver, name, waiting, oldest, error in rows:
        event = stuck_event(name, waiting, oldest, error, now)
        others = [n for n in fallback if n != name]
        notifier.tell_named(conn, event, others, f"stuck|{name}|{oldest.isoformat()}", now)
        conn.execute(
            "UPDATE outbox SET stuck_told_at = %s WHERE receiver = %s AND delivered_at IS NULL"
            " AND failed_at IS NULL AND created_at < %s",
            [now, receiver, now - LIMIT],
        )
    return len(rows)


def stuck_event(name: str, waiting: int, oldest: datetime, error: str, now: datetime) -> Event:
    """Return the event that a receiver does not get its messages."""
    since = oldest.astimezone(UTC).isoformat(timespec="seconds")
    return Event(
        type="delivery.stuck",
        subject=f"receiver {name}",
        at=now,
        firing=True,
        severity=2,
        labels={"alertname": "delivery.stuck", "receiver": name, "severity": "orange"},
        title_zh="通知未送达",
        title_en="Webhook not delivered",
        text_zh=f"通知对象 {name} 有 {waiting} 条通知未送达,最早 {since},原因 {error}",
        text_en=f"{waiting} messages to {name} wait since {since}: {error}",
        started_at=oldest,
        exercise=False,
        data={"receiver": name, "waiting": waiting, "oldest": since, "error": error},
    )
