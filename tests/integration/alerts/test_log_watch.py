"""``platform.log_changed`` and ``platform.log_gap``: what readers found wrong with Kafka's log."""

from datetime import timedelta

from alerts.delivery.outbox import lock_writers
from alerts.sources.log_watch import watch_log
from catalog.platform import LOG_CHANGED, LOG_CHANGED_ID, LOG_GAP_ID
from tests.support.alerting import Desk

INSERT = (
    "INSERT INTO log_breaks (consumer, topic, partition, kind, reached, found, was, became,"
    " noticed_at, ended_at) VALUES (%s, 'city.readings.noise.v1', 0, %s, 20, 5, 'a/1', 'b/2',"
    " %s, %s)"
)


def look(desk: Desk, seconds: float) -> None:
    with desk.conn.transaction():
        lock_writers(desk.conn)
        now = desk.now + timedelta(seconds=seconds)
        watch_log(desk.conn, desk.notifier, desk.settings, now)


def test_another_log_is_told_once_and_ended_when_no_reader_waits_any_more(desk: Desk) -> None:
    for reader in ("sink", "worker"):
        desk.conn.execute(INSERT, [reader, "another", desk.now, None])
    look(desk, LOG_CHANGED.after_s - 1)
    assert desk.said() == [], "a broker that just begins is given time"
    look(desk, LOG_CHANGED.after_s)
    look(desk, 60)
    assert desk.said() == ["raised"]
    row = desk.conn.execute("SELECT rule, stream, sensor, severity FROM episodes").fetchone()
    assert row == (LOG_CHANGED_ID, "platform", "*", 1)
    desk.conn.execute("UPDATE log_breaks SET ended_at = now() WHERE consumer = 'sink'")
    look(desk, 61)
    assert desk.said() == ["raised"], "the worker still waits"
    desk.conn.execute("UPDATE log_breaks SET ended_at = now()")
    look(desk, 62)
    assert desk.said() == ["raised", "cleared"]


def test_records_that_are_gone_are_told_once_and_stay_until_somebody_has_seen_it(
    desk: Desk,
) -> None:
    desk.conn.execute(INSERT, ["sink", "gap", desk.now, desk.now])
    look(desk, 1)
    look(desk, 2)
    assert desk.said() == ["raised", "cleared"]
    row = desk.conn.execute("SELECT rule, status, severity FROM episodes").fetchone()
    assert row == (LOG_GAP_ID, "latched", 2)
