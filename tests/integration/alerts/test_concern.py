"""What only maintenance has to know has receivers, messages and lists of its own."""

import json
from pathlib import Path

from alerts.episode.models import AlertFilter
from alerts.episode.queries import counts, find_alerts
from tests.support.alerting import Desk, Stub, add_receiver, of_sensor, transition

PUMP = "water-supply-510104-01"
OTHER = "water-supply-510105-01"


def heard(desk: Desk, receiver: str) -> list[list[str]]:
    """Return the rules that each message to a receiver is about, in order."""
    rows = desk.conn.execute(
        "SELECT o.body FROM outbox o JOIN receivers r ON r.id = o.receiver"
        " WHERE r.name = %s ORDER BY receiver_seq",
        [receiver],
    ).fetchall()
    found = [json.loads(body) for (body,) in rows]
    each = [one["data"].get("alerts", [one]) for one in found]
    return [[event["data"]["rule"] for event in events] for events in each]


def test_each_receiver_hears_of_what_concerns_it(desk: Desk, dsn: str, tmp_path: Path) -> None:
    add_receiver(dsn, tmp_path, Stub(9), "wall", concerns=["city"])
    add_receiver(dsn, tmp_path, Stub(9), "repairs", concerns=["maintenance"])
    desk.take(of_sensor("water_supply", "silent", PUMP, severity=4), transition(1))
    desk.later(minutes=2)
    assert heard(desk, "wall") == [["noise.night"]]
    assert heard(desk, "repairs") == [["water_supply.silent"]]


def test_maintenance_is_one_message_a_sensor_and_day(desk: Desk, dsn: str, tmp_path: Path) -> None:
    add_receiver(dsn, tmp_path, Stub(9), "repairs", concerns=["maintenance"])
    desk.take(of_sensor("water_supply", "silent", PUMP, severity=4))
    desk.take(of_sensor("water_supply", "health", PUMP, severity=4))
    desk.later(minutes=2)
    assert heard(desk, "repairs") == [["water_supply.silent", "water_supply.health"]]
    for n in range(2, 6):  # a loose contact: it comes and goes all day
        desk.take(of_sensor("water_supply", "silent", PUMP, n - 1, kind="cleared", severity=4))
        desk.take(of_sensor("water_supply", "silent", PUMP, n, severity=4))
        desk.later(hours=2)
    assert len(heard(desk, "repairs")) == 1
    desk.take(of_sensor("water_supply", "silent", OTHER, severity=4))
    desk.later(minutes=2)
    assert len(heard(desk, "repairs")) == 2, "another sensor does not wait for the first one"
    desk.later(hours=24)
    assert len(heard(desk, "repairs")) == 3


def test_the_citys_lists_and_figures_leave_maintenance_out(desk: Desk) -> None:
    desk.take(of_sensor("water_supply", "silent", PUMP, severity=4), transition(1, severity=2))
    assert counts(desk.conn) == {1: 0, 2: 1, 3: 0, 4: 0}
    shown = desk.conn.execute("SELECT rule FROM dash.active_alerts()").fetchall()
    assert shown == [("noise.night",)]
    figures = desk.conn.execute(
        "SELECT active, blue FROM dash.alert_figures(now() - interval '1 day', now())"
    ).fetchone()
    assert figures == (1, 0)
    of = {c: find_alerts(desk.conn, AlertFilter(concern=[c])) for c in ("city", "maintenance")}
    assert {c: [a.rule for a in found] for c, found in of.items()} == {
        "city": ["noise.night"],
        "maintenance": ["water_supply.silent"],
    }
    assert len(find_alerts(desk.conn, AlertFilter())) == 2, "nothing is hidden from who asks"
