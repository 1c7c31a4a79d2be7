"""Alerts of a log that is gone are ended and told; a danger in the new log is raised."""

from alerts.sources.ending import end_evaluated
from alerts.sources.foreign import STREAM
from tests.support.alerting import Desk, of_sensor

RULE = ("waterlogging", "ponding", "waterlogging-510104-01")


def test_what_was_open_is_ended_with_the_reason_and_may_be_raised_again(desk: Desk) -> None:
    conn = desk.conn
    desk.take(of_sensor(*RULE, severity=1))
    assert desk.said() == ["raised"]
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
        " raised_at, changed_at) VALUES ('theirs', 'other', %s, 'x', 'active', 2, 2, now(), now())",
        [STREAM],
    )
    with conn.transaction():
        assert end_evaluated(conn, desk.notifier, desk.settings, desk.now, "another log") == 1
    with conn.transaction():
        assert end_evaluated(conn, desk.notifier, desk.settings, desk.now, "another log") == 0
    assert desk.said() == ["raised", "cleared"]
    notes = "SELECT note FROM episode_acts WHERE act = 'ended'"
    assert conn.execute(notes).fetchall() == [("another log",)]
    assert conn.execute("SELECT id FROM episodes WHERE cleared_at IS NULL").fetchall() == [
        ("theirs",)  # another system's: it reports it again, or it expires
    ]
    desk.take(of_sensor(*RULE, n=9, severity=1, episode="a-new-one"))
    assert desk.said() == ["raised", "cleared", "raised"]
