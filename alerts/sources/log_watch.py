"""Say that Kafka's log is another one than was worked off, or has lost records: ``log_breaks``."""

from datetime import datetime, timedelta

from psycopg import Connection

from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.stalled import say
from catalog.platform import LOG_CHANGED, LOG_CHANGED_ID, LOG_GAP_ID


def watch_log(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    """Raise while a reader stands before another log; tell once of records that are gone."""
    return _changed(conn, notifier, settings, now) + _gaps(conn, notifier, settings, now)


def _changed(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    since = now - timedelta(seconds=LOG_CHANGED.after_s)
    standing, settled = _row(
        conn,
        "SELECT count(*), count(*) FILTER (WHERE noticed_at <= %s) FROM log_breaks"
        " WHERE ended_at IS NULL",
        since,
    )
    found = conn.execute(
        "SELECT id FROM episodes WHERE rule = %s AND cleared_at IS NULL", [LOG_CHANGED_ID]
    ).fetchone()
    if found is None and settled:
        fresh = f"{LOG_CHANGED_ID}-{now.timestamp():.0f}"
        return say(LOG_CHANGED_ID, "raised", fresh, conn, notifier, settings, now)
    if found is not None and not standing:
        return say(LOG_CHANGED_ID, "cleared", found[0], conn, notifier, settings, now)
    return 0


def _gaps(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    """One alert for all that is new; it is over at once and stays until somebody has seen it."""
    rows = conn.execute(
        "UPDATE log_breaks SET alerted_at = %s WHERE kind = 'gap' AND alerted_at IS NULL"
        " RETURNING id",
        [now],
    ).fetchall()
    if not rows:
        return 0
    episode = f"{LOG_GAP_ID}-{min(rows)[0]}"
    for kind in ("raised", "cleared"):
        say(LOG_GAP_ID, kind, episode, conn, notifier, settings, now)
    return 1


def _row(conn: Connection, query: str, *values: object) -> tuple[int, int]:
    row = conn.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0], row[1]
