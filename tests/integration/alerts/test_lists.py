"""What receivers and people ask for: filters, lists, and messages that name earlier ones."""

from pathlib import Path
from typing import Any

from alerts.episode.models import AlertFilter
from alerts.episode.queries import find_alerts
from tests.support.alerting import Desk, Stub, add_receiver, of_sensor, transition


def test_a_cap_message_names_the_ones_it_follows(desk: Desk, dsn: str, tmp_path: Path) -> None:
    add_receiver(dsn, tmp_path, Stub(9), "cap", format="cap")
    desk.take(transition(1), transition(2))
    desk.later(minutes=1)
    desk.take(transition(1, "changed", 1))
    desk.take(transition(1, "cleared", 1))
    rows = desk.conn.execute(
        "SELECT o.id, substring(body FROM '<sent>(.*)</sent>'),"
        " substring(body FROM '<references>(.*)</references>') FROM outbox o JOIN receivers r"
        " ON r.id = o.receiver WHERE r.name = 'cap' ORDER BY receiver_seq"
    ).fetchall()
    raised, other, changed, cleared = rows
    first, second = (f"cityops,{m},{sent}" for m, sent, _ in (raised, changed))
    assert (raised[2], other[2]) == (None, None)
    assert (changed[2], cleared[2]) == (first, f"{first} {second}")


def test_filters_keep_what_a_receiver_does_not_want(desk: Desk, dsn: str, tmp_path: Path) -> None:
    add_receiver(dsn, tmp_path, Stub(9), "water", domains=["water"])
    add_receiver(dsn, tmp_path, Stub(9), "red-only", min_severity=1)
    desk.take(transition(1, severity=2), transition(2, severity=1))
    assert (desk.said("duty"), desk.said("water")) == (["raised", "raised"], [])
    assert desk.said("red-only") == ["raised"]
    desk.take(transition(1, "changed", 1), transition(1, "changed", 3, previous=1))
    assert desk.said("red-only") == ["raised", "changed", "changed"], "it knows of both now"


def test_lists_filter_by_what_a_person_asks_for(desk: Desk) -> None:
    desk.take(
        of_sensor("waterlogging", "ponding", "waterlogging-510104-01", severity=1),
        of_sensor("feeder", "trip", "feeder-510105-01", severity=2),
        transition(3, severity=4),
    )

    def found(**wanted: Any) -> int:
        return len(find_alerts(desk.conn, AlertFilter(**wanted)))

    assert (found(), found(domain=["water"]), found(district=["510105"])) == (3, 1, 1)
    assert (found(severity=[1, 2]), found(rule=["feeder.trip"])) == (2, 1)
    assert (found(acknowledged=True), found(acknowledged=False)) == (0, 3)
    assert (found(state="cleared"), found(limit=1)) == (0, 1)


def test_what_was_red_is_found_in_history_though_it_ended_as_blue(desk: Desk) -> None:
    desk.take(transition(1, severity=1), transition(1, "changed", 4), transition(1, "cleared", 4))
    desk.take(transition(2, severity=1), transition(2, "changed", 4))
    desk.take(transition(3, severity=4))

    def found(**wanted: Any) -> set[str]:
        return {alert.id for alert in find_alerts(desk.conn, AlertFilter(**wanted))}

    assert found(severity=[1], state="all") == {"e-1", "e-2"}, "all that was red tonight"
    assert found(severity=[1], state="cleared") == {"e-1"}
    assert found(severity=[4], state="all") == {"e-3"}
    assert (found(severity=[1]), found(severity=[4])) == (set(), {"e-2", "e-3"}), "as it is now"
