"""Alerts of one cause become one incident, step by step on a real database."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.errors import ConflictError
from alerts.incident_acts import (
    confirm_incident,
    merge_incidents,
    reopen_incident,
    resolve_incident,
)
from alerts.incident_care import acknowledge_incident, finish_task
from alerts.incident_store import IncidentPage, Summary, get_incident, list_incidents
from alerts.routes import read_routes
from alerts.store import get_alert
from catalog.contracts import Transition
from tests.alerting import START, Desk, of_sensor

ROOT = "feeder-510104-01"
POND = "waterlogging-510104-01"


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    """A desk that tells each notice by itself; how those of an incident gather: test_causes.py."""
    file = tmp_path / "each.toml"
    file.write_text("incident_interval_s = 0\n[route]\nreceivers = ['*']\n")
    desk.notifier.routes = read_routes(file)
    return desk


def after(s: float, stream: str, rule: str, sensor: str, **other: Any) -> Transition:
    """Return an alert's transition ``s`` seconds after the start."""
    other.setdefault("n", 1)
    return of_sensor(stream, rule, sensor, observed_at=START + timedelta(seconds=s), **other)


def ponding(s: float, sensor: str = POND, **other: Any) -> Transition:
    return after(s, "waterlogging", "ponding", sensor, **other)


def silent(s: float, sensor: str, **other: Any) -> Transition:
    return after(s, sensor.rsplit("-", 2)[0].replace("-", "_"), "silent", sensor, **other)


def only(desk: Desk, **wanted: Any) -> Summary:
    (found,) = list_incidents(desk.conn, **wanted)
    return found


def page(desk: Desk, **wanted: Any) -> IncidentPage:
    return get_incident(desk.conn, only(desk, **wanted).id)


def acts(desk: Desk, incident: str) -> list[str]:
    return [a.act for a in get_incident(desk.conn, incident).timeline]


def test_an_outage_folds_what_it_feeds_and_lets_it_go(desk: Desk) -> None:
    pump, light, cell = "water-supply-510104-01", "traffic-flow-510104-02", POND
    desk.take(silent(0, pump, severity=4))
    desk.take(after(10, "feeder", "trip", ROOT, severity=1))
    outage = only(desk)
    assert (outage.kind, outage.status, outage.alerts) == ("power_outage", "confirmed", 2)
    assert desk.said() == ["raised", "raised", "confirmed"], "the pump was told before the cause"
    desk.take(silent(70, light, severity=4), silent(80, cell, severity=4))
    desk.take(silent(85, "noise-510106-01", severity=4))
    news = "a higher level, and only what does not hang on the feeder"
    assert desk.said()[3:] == ["changed", "raised"], news
    shown = page(desk)
    assert {m.sensor: m.folded for m in shown.evidence} == {
        ROOT: False,
        pump: True,
        light: True,
        cell: True,
    }
    assert shown.incident.severity == 3, "level III with three alerts and more"
    hidden = get_alert(desk.conn, shown.evidence[-1].episode)
    assert [h.reason for h in hidden.held] == [f"part of {outage.id}"]
    assert hidden.incidents == [outage.id]
    desk.take(silent(90, cell, kind="cleared", severity=4))
    desk.later(seconds=1)
    assert desk.said()[5:] == [], "an end that nobody knew the beginning of"
    desk.take(after(100, "feeder", "trip", ROOT, severity=1, kind="cleared"))
    desk.later(seconds=1)
    assert desk.said()[5:] == ["cleared", "resolved", "raised"], "the light is not back"
    assert list_incidents(desk.conn) == [], "the cause is gone: what is left stands for itself"
    desk.take(silent(110, pump, kind="cleared", severity=4), silent(111, light, kind="cleared"))
    assert desk.said()[-2:] == ["cleared", "cleared"]


def test_only_firing_alerts_of_one_place_and_time_make_an_incident_real(desk: Desk) -> None:
    rain = ("weather", "rain_3h", "weather-510104-01")
    desk.take(after(0, *rain))
    assert list_incidents(desk.conn) == [], "a support alone is no incident"
    desk.take(after(60, *rain, kind="cleared"))
    desk.take(ponding(600, severity=2))
    first = only(desk)
    assert (first.status, first.alerts) == ("candidate", 1), "rain that is over does not count"
    assert desk.said() == ["raised", "cleared", "raised"], "a candidate is shown, not told"
    desk.take(ponding(700, "waterlogging-510105-01"))
    assert len(list_incidents(desk.conn)) == 2, "another district, another incident"
    desk.take(after(800, *rain, n=2))
    confirmed = only(desk, district="510104")
    assert (confirmed.status, confirmed.severity) == ("confirmed", 3)
    assert desk.said()[-2:] == ["raised", "confirmed"]
    desk.take(
        ponding(900, severity=1, kind="changed"), ponding(901, "waterlogging-510104-02", severity=1)
    )
    assert only(desk, district="510104").severity == 2
    assert desk.said()[-1] == "changed"
    desk.take(ponding(9000, "waterlogging-510104-03"))
    assert len(list_incidents(desk.conn, district="510104")) == 2, "too late to be the same"


def test_it_ends_with_its_last_alert_comes_back_soon_and_is_remembered_later(desk: Desk) -> None:
    other = "waterlogging-510104-02"
    desk.take(ponding(0), ponding(1, other))
    first = only(desk)
    assert first.status == "confirmed"
    desk.take(ponding(300, kind="cleared"))
    assert only(desk).firing == 1
    desk.take(ponding(310, other, kind="cleared"))
    assert list_incidents(desk.conn) == []
    assert desk.said()[-1] == "resolved"
    desk.take(ponding(600, n=2))
    again = only(desk)
    assert (again.id, again.reopened, again.status) == (first.id, 1, "confirmed")
    assert desk.said()[-2:] == ["raised", "reopened"]
    desk.take(ponding(700, n=2, kind="cleared"))
    desk.take(ponding(9000, n=3))
    later = only(desk)
    assert later.id != first.id, "what is over does not take in new alerts"
    assert later.similar_id == first.id
    assert acts(desk, first.id) == ["opened", "confirmed", "resolved", "reopened", "resolved"]


@pytest.mark.parametrize(
    ("kind", "alerts", "level"),
    [
        (
            "pollution_episode",
            [
                ("air_quality", "aqi", f"air-quality-{d}-01", 2)
                for d in ("510104", "510105", "510107")
            ],
            2,
        ),
        (
            "heat_load",
            [
                ("transformer", "load", "transformer-510104-01", 3),
                ("transformer", "oil_temp", "transformer-510106-01", 3),
                ("weather", "heat", "weather-510105-01", 2),
            ],
            3,
        ),
        (
            "main_burst",
            [
                ("water_supply", "burst", "water-supply-510104-01", 2),
                ("water_supply", "pressure_low", "water-supply-510104-02", 2),
                ("water_supply", "turbidity", "water-supply-510104-01", 2),
            ],
            2,
        ),
    ],
)
def test_each_kind_gathers_its_evidence(
    desk: Desk, kind: str, alerts: list[tuple[str, str, str, int]], level: int
) -> None:
    for n, (stream, rule, sensor, severity) in enumerate(alerts):
        desk.take(after(10 * n, stream, rule, sensor, severity=severity))
    found = page(desk)
    assert (found.incident.kind, found.incident.status) == (kind, "confirmed")
    assert (found.incident.alerts, found.incident.severity) == (len(alerts), level)
    assert found.tasks[0].due_at > START
    body = desk.conn.execute("SELECT body FROM outbox WHERE kind = 'confirmed'").fetchone()
    assert body is not None
    assert found.plan.zh in body[0]


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
    assert acts(desk, one.id) == ["opened", "confirmed", "absorbed", "task"]


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


def test_support_alone_keeps_no_incident_open(desk: Desk) -> None:
    """Rain of the last twelve hours goes on for hours after the water is gone."""
    rain = ("weather", "rain_12h", "weather-510104-01")
    desk.take(ponding(0), after(10, *rain), ponding(20, "waterlogging-510104-02"))
    incident = only(desk).id
    desk.take(ponding(600, kind="cleared"))
    assert only(desk).firing == 2
    desk.take(ponding(610, "waterlogging-510104-02", kind="cleared"))
    assert list_incidents(desk.conn) == []
    assert desk.said()[-2:] == ["cleared", "resolved"]
    assert page(desk, state="resolved").incident.firing == 1, "the rain alert is still shown"
    desk.take(ponding(900, n=2), ponding(901, "waterlogging-510104-02", n=2))
    assert (only(desk).id, only(desk).reopened) == (incident, 1)


def test_what_an_older_release_left_open_with_support_only_ends(desk: Desk) -> None:
    desk.take(ponding(0), after(10, "weather", "rain_12h", "weather-510104-01"))
    desk.conn.execute(
        "UPDATE episodes SET status = 'cleared', cleared_at = now(), cleared_recorded_at = now()"
        " WHERE stream = 'waterlogging'"
    )
    desk.later(seconds=1)
    assert (list_incidents(desk.conn), desk.said()[-1]) == ([], "resolved")


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


def test_what_is_folded_is_not_repeated_either(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("[route]\nreceivers = ['duty']\ngroup = { repeat_s = 600 }\n")
    desk.notifier.routes = read_routes(file)
    desk.take(silent(0, "water-supply-510104-01", severity=4))
    desk.later(seconds=1)
    desk.take(after(10, "feeder", "trip", ROOT, severity=1))
    desk.later(minutes=11)
    again = desk.conn.execute(
        "SELECT s.subject FROM outbox_subjects s WHERE s.kind = 'repeated' ORDER BY 1"
    ).fetchall()
    assert again == [(only(desk).id,)], "the incident stands for the trip and the pump below"
