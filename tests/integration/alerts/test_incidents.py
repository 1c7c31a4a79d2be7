"""Alerts of one cause become one incident, step by step on a real database."""

from pathlib import Path

import pytest

from alerts.episode.queries import get_alert
from alerts.incident.queries import list_incidents
from alerts.routing.routes import read_routes
from tests.support.alerting import START, Desk
from tests.support.incidents import POND, acts, after, notifying_each, only, page, ponding, silent

ROOT = "feeder-510104-01"


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    return notifying_each(desk, tmp_path)


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
