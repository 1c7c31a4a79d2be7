"""End what no message ends: alerts from elsewhere, of a rule that is gone, of retired sensors."""

from datetime import datetime

from psycopg import Connection

from alerts.delivery.outbox import lock_writers
from alerts.episode.decision import decided
from alerts.episode.episodes import Change, apply
from alerts.episode.lapse import ENGINE
from alerts.episode.models import Alert
from alerts.episode.queries import COLUMNS, get_alert
from alerts.routing.notify import Notifier
from alerts.rows import read_rows
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from alerts.sources.foreign import STREAM
from catalog.errors import ConflictError
from catalog.registry import find_rule
from storage.audit import record

PIECE = 50
RETIRED = "传感器已停用 sensor retired"


def can_be_ended(alert: Alert) -> bool:
    """Tell whether a person may end it: no rule of ours will."""
    return alert.cleared_at is None and (alert.stream == STREAM or find_rule(alert.rule) is None)


def end_alert(
    conn: Connection,
    episode: str,
    who: str,
    note: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """End an open alert by hand, with a note; whoever knows of it is told.

    ``ConflictError`` for one that is over, or that its own rule will end. It begins again when the
    other system still reports it.
    """
    if not note.strip():
        raise ConflictError("say why the alert is ended")
    with conn.transaction():
        lock_writers(conn)
        alert = get_alert(conn, episode).alert
        if not can_be_ended(alert):
            over = alert.cleared_at is not None
            raise ConflictError(
                f"alert {episode} is over" if over else f"rule {alert.rule} ends it, no person"
            )
        change = _end(conn, alert, who, note, now)
        settle(conn, [change] if change else [], notifier, settings, now)


def end_retired(
    conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime
) -> int:
    """End some open alerts of sensors that were retired; return how many."""
    changes = []
    for episode in _of_retired(conn):
        change = _end(conn, episode, ENGINE, RETIRED, now)
        record(conn, ENGINE, "alert.end", episode.id, note=RETIRED)
        changes += [change] if change else []
    settle(conn, changes, notifier, settings, now)
    return len(changes)


def end_evaluated(
    conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime, note: str
) -> int:
    """End some open alerts of our own rules, whose worker begins with another log; return how many.

    It knows nothing of them, would never clear them, and what it raises for the same sensor would
    contradict them. What still holds is raised again from the new log.
    """
    changes = []
    lock_writers(conn)
    for alert in _of_our_rules(conn):
        change = _end(conn, alert, ENGINE, note, now)
        record(conn, ENGINE, "alert.end", alert.id, note=note)
        changes += [change] if change else []
    settle(conn, changes, notifier, settings, now)
    return len(changes)


def _of_our_rules(conn: Connection) -> list[Alert]:
    return read_rows(
        conn,
        Alert,
        f"SELECT {COLUMNS} FROM episodes e WHERE e.cleared_at IS NULL AND e.stream <> %(stream)s"
        " ORDER BY e.id LIMIT %(piece)s",
        {"stream": STREAM, "piece": PIECE},
    )


def _of_retired(conn: Connection) -> list[Alert]:
    return read_rows(
        conn,
        Alert,
        f"SELECT {COLUMNS} FROM episodes e JOIN sensors s ON s.stream = e.stream"
        " AND s.sensor = e.sensor AND s.status = 'retired' WHERE e.cleared_at IS NULL"
        " ORDER BY e.id LIMIT %(piece)s",
        {"piece": PIECE},
    )


def _end(conn: Connection, alert: Alert, who: str, note: str, now: datetime) -> Change | None:
    """Clear an episode; what was ended by a decision waits for no acknowledgement."""
    change = apply(conn, decided(alert, "cleared", "ended", now, previous=alert.severity))
    conn.execute("UPDATE episodes SET status = 'cleared' WHERE id = %s", [alert.id])
    conn.execute(
        "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, %s, 'ended', %s)",
        [alert.id, who, note],
    )
    return change
