"""What people do with an incident, step by step on a real database."""

from pathlib import Path

import pytest

from alerts.incident.acts import (
    confirm_incident,
    merge_incidents,
    reopen_incident,
    resolve_incident,
)
from alerts.incident.care import acknowledge_incident
from alerts.incident.queries import get_incident, list_incidents
from alerts.incident.tasks import finish_task
from alerts.routing.routes import read_routes
from catalog.errors import ConflictError
from tests.support.alerting import Desk
from tests.support.incidents import acts, after, notifying_each, only, page, ponding


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    return notifying_each(desk, tmp_path)


def test_people_confirm_merge_and_tick_off_tasks(desk: Desk) -> None:
    desk.take(ponding(0, severity=1))
    one = only(desk)
    confirm_incident(desk.conn, one.id, "li", desk.notifier, desk.settings, desk.now)
    assert (only(desk).confirmed_by, desk.said()[-1]) == ("li", "confirmed")
    desk.take(ponding(5, "waterlogging-510105-01"))
    other = only(desk, district="510105")
    merge_incidents(desk.conn, other.id, one.id, "li", desk.notifier, desk.settings, desk.now)
    assert (only(desk).id, only(desk).alerts) == (one.id, 2)
    assert only(desk, state="merged").merged_into == one.id
    with pytest.raises(ConflictError, match="merged"):
        confirm_incident(desk.conn, other.id, "li", desk.notifier, desk.settings, desk.now)
    tasks = [t.name for t in page(desk).tasks]
    assert "evacuate" not in tasks, "only from level II on"
    finish_task(desk.conn, one.id, "pump", "wang", "two trucks", desk.now)
    done = next(t for t in page(desk).tasks if t.name == "pump")
    assert (done.done_by, done.note) == ("wang", "two trucks")
    assert sorted(acts(desk, one.id)) == ["absorbed", "confirmed", "opened", "task"]


def test_people_reopen_what_is_not_over_and_end_what_is_with_a_reason(desk: Desk) -> None:
    room = (desk.notifier, desk.settings)
    desk.take(ponding(0), ponding(1, "waterlogging-510104-02"))
    incident = only(desk).id
    with pytest.raises(ConflictError, match="say why"):
        resolve_incident(desk.conn, incident, "li", " ", *room, desk.now)
    with pytest.raises(ConflictError, match="is confirmed"):
        reopen_incident(desk.conn, incident, "li", "", *room, desk.now)
    desk.take(ponding(300, kind="cleared"), ponding(301, "waterlogging-510104-02", kind="cleared"))
    assert (list_incidents(desk.conn), desk.said()[-1]) == ([], "resolved")
    reopen_incident(desk.conn, incident, "li", "the road is still wet", *room, desk.now)
    assert (only(desk).status, only(desk).reopened) == ("confirmed", 1)
    desk.later(minutes=5)
    assert only(desk).id == incident, "it waits for whoever reopened it"
    resolve_incident(desk.conn, incident, "li", "dry", *room, desk.now)
    assert desk.said()[-3:] == ["resolved", "reopened", "resolved"]
    assert get_incident(desk.conn, incident).timeline[-1].note == "dry"


def test_what_a_person_ends_or_reopens_stays_so_while_only_support_fires(desk: Desk) -> None:
    room = (desk.notifier, desk.settings)
    desk.take(ponding(0), after(10, "weather", "rain_12h", "weather-510104-01"))
    incident = only(desk).id
    resolve_incident(desk.conn, incident, "li", "test pumping", *room, desk.now)
    assert (list_incidents(desk.conn), desk.said()[-1]) == ([], "resolved")
    desk.take(ponding(20, severity=1, kind="changed"))
    assert list_incidents(desk.conn) == [], "its alerts are told, the incident is over"
    assert desk.said()[-1] == "changed"
    desk.take(ponding(300, kind="cleared"))
    reopen_incident(desk.conn, incident, "li", "water is back", *room, desk.now)
    desk.take(after(400, "weather", "rain_12h", "weather-510104-01", kind="changed", severity=1))
    desk.later(seconds=1)
    assert only(desk).id == incident, "it waits for whoever reopened it"
    desk.take(ponding(500, n=2))
    desk.take(ponding(600, n=2, kind="cleared"))
    assert list_incidents(desk.conn) == [], "a trigger came and went since"


def test_an_acknowledgement_of_a_response_level_is_none_of_a_worse_one(desk: Desk) -> None:
    desk.take(ponding(0, severity=3), ponding(1, "waterlogging-510104-02", severity=3))
    incident = only(desk)
    assert (incident.severity, incident.status) == (4, "confirmed")
    assert acknowledge_incident(desk.conn, incident.id, "li", "on it", desk.now)
    assert not acknowledge_incident(desk.conn, incident.id, "wang", "me too", desk.now)
    assert only(desk).acked_by == "li"
    desk.take(ponding(60, severity=1, kind="changed"))
    assert (only(desk).severity, only(desk).acked_by) == (3, None)
    assert acts(desk, incident.id)[-3:] == ["ack", "changed", "ack_lapsed"]
    assert page(desk).timeline[-1].note == "IV → III · li"


def test_an_incident_is_routed_and_escalated_until_somebody_acknowledges(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(
        "[route]\nreceivers = []\n[[route.routes]]\nmatch = { incident = ['waterlogging'] }\n"
        "receivers = ['duty']\nescalate = [{ after_min = 5, to = ['duty'] },"
        " { after_min = 20, to = ['duty'] }]\n"
    )
    desk.notifier.routes = read_routes(file)
    desk.take(ponding(0), ponding(1, "waterlogging-510104-02"))
    assert desk.said() == ["confirmed"]
    desk.later(minutes=6)
    assert desk.said() == ["confirmed", "escalated"]
    acknowledge_incident(desk.conn, only(desk).id, "li", "", desk.now)
    desk.later(minutes=30)
    assert desk.said() == ["confirmed", "escalated"]
