"""Notices of one incident to one receiver come as one; a worse level waits for nothing."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from alerts.delivery.formats.cityops import schema
from alerts.event.events import Format
from alerts.incident.queries import list_incidents
from alerts.routing.routes import read_routes
from catalog.contracts import Transition
from tests.support.alerting import START, Desk, Stub, add_receiver, of_sensor

FORMATS = get_args(Format)
DISTRICTS = ("510104", "510105", "510106", "510107", "510108", "510112", "510113", "510114")


def station(district: str, severity: int = 3, **other: Any) -> Transition:
    sensor = f"air-quality-{district}-01"
    at = START + timedelta(seconds=DISTRICTS.index(district))
    return of_sensor("air_quality", "aqi", sensor, severity=severity, observed_at=at, **other)


@pytest.fixture
def episode(desk: Desk) -> Desk:
    """A pollution episode that three stations have confirmed."""
    for district in DISTRICTS[:3]:
        desk.take(station(district))
    assert desk.said() == ["raised", "raised", "grouped 2"], "the third one with the incident"
    return desk


def messages(desk: Desk) -> list[list[str]]:
    rows = desk.conn.execute(
        "SELECT array_agg(s.kind || ' ' || s.subject ORDER BY s.position) FROM outbox o"
        " JOIN outbox_subjects s ON s.outbox = o.id GROUP BY o.id ORDER BY o.receiver_seq"
    )
    return [[line.replace("air_quality.aqi/air-quality-", "") for line in r[0]] for r in rows]


def test_what_follows_in_an_incident_comes_as_one_every_five_minutes(episode: Desk) -> None:
    for n, district in enumerate(DISTRICTS[3:7]):
        episode.later(seconds=10)
        episode.take(station(district))
        episode.take(station(district, 4, kind="changed", n=1))
        assert len(episode.said()) == 3, n
    episode.later(seconds=250)
    assert len(episode.said()) == 3
    episode.later(seconds=10)
    assert episode.said()[3:] == ["grouped 8"]
    assert messages(episode)[3][0] == "raised 510107-01/1", "in the order they came"
    told = episode.conn.execute("SELECT count(*) FROM told").fetchone()
    assert told == (8,), "every alert and the incident, each once"


def test_a_worse_level_and_a_red_alert_take_along_what_waits(episode: Desk) -> None:
    episode.take(station("510107"))
    assert len(episode.said()) == 3
    episode.take(station("510104", 2, kind="changed"))
    assert messages(episode)[3] == ["raised 510107-01/1", "changed 510104-01/1"]
    episode.take(station("510105", 2, kind="changed"))
    assert len(episode.said()) == 4, "orange is known"
    episode.take(station("510105", 1, kind="changed"))
    assert episode.said()[4:] == ["grouped 2"]
    episode.take(station("510104", 1, kind="changed"))
    assert len(episode.said()) == 6, "each alert that becomes red"
    episode.take(station("510108", 1))
    episode.take(station("510112", 1))
    raised = [m for m in messages(episode)[6:] if any(line.startswith("raised") for line in m)]
    assert len(raised) == 2, "or begins so"
    told = len(episode.said())
    episode.take(station("510108", 2, kind="changed"), station("510112", kind="cleared"))
    assert len(episode.said()) == told, "what gets better waits"


def test_its_end_comes_with_the_last_of_its_alerts(episode: Desk) -> None:
    for district in DISTRICTS[:3]:
        episode.take(station(district, kind="cleared"))
    assert list_incidents(episode.conn) == []
    (over,) = list_incidents(episode.conn, state="all")
    assert messages(episode)[3] == [
        "cleared 510104-01/1",
        f"changed {over.id}",
        "cleared 510105-01/1",
        "cleared 510106-01/1",
        f"resolved {over.id}",
    ]
    episode.later(minutes=10)
    assert len(episode.said()) == 4


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_alerts_and_their_incident_in_one_message(
    desk: Desk, dsn: str, tmp_path: Path, format: str
) -> None:
    add_receiver(dsn, tmp_path, Stub(9), "other", format=format)
    for kind in ("raised", "cleared"):
        for district in DISTRICTS[:3]:
            desk.take(station(district, kind=kind))
    assert desk.said("other") == ["raised", "raised", "grouped 2", "grouped 5"]
    (body,) = desk.conn.execute(
        "SELECT o.body FROM outbox o JOIN receivers r ON r.id = o.receiver"
        " WHERE r.name = 'other' AND o.events = 2"
    ).fetchall()
    assert "air-quality-510106-01" in body[0] or "武侯" in body[0]
    if format == "cityops":
        jsonschema.validate(json.loads(body[0]), schema(), cls=jsonschema.Draft202012Validator)


def test_no_word_overtakes_one_that_still_waits(desk: Desk, dsn: str, tmp_path: Path) -> None:
    """A receiver of weather only is not told of a waterlogging: its rain alert waits in a group."""
    add_receiver(dsn, tmp_path, Stub(9), "meteo", domains=["environment"])
    pond, rain = "waterlogging-510104-01", "weather-510104-01"
    desk.take(of_sensor("weather", "rain_3h", rain, severity=2))
    desk.take(of_sensor("waterlogging", "ponding", pond, severity=2))
    desk.take(of_sensor("weather", "rain_6h", rain, severity=2))
    desk.take(of_sensor("weather", "rain_12h", rain, severity=2))
    desk.take(of_sensor("waterlogging", "ponding", pond, severity=2, kind="cleared"))
    assert list_incidents(desk.conn) == []
    desk.take(of_sensor("weather", "rain_6h", rain, severity=2, kind="cleared"))
    desk.take(of_sensor("weather", "rain_12h", rain, severity=2, kind="cleared"))
    kinds = desk.conn.execute(
        "SELECT s.subject, s.kind FROM outbox o JOIN outbox_subjects s ON s.outbox = o.id"
        " JOIN receivers r ON r.id = o.receiver WHERE r.name = 'meteo'"
        " ORDER BY o.receiver_seq, s.position"
    ).fetchall()
    for rule in ("rain_6h", "rain_12h"):
        mine = [kind for subject, kind in kinds if f".{rule}/" in subject]
        assert mine == ["raised", "cleared"]


def test_the_interval_is_the_operators_choice_and_so_is_none(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("incident_interval_s = 0\n[route]\nreceivers = ['*']\n")
    desk.notifier.routes = read_routes(file)
    for district in DISTRICTS[:4]:
        desk.take(station(district))
    assert desk.said() == ["raised"] * 3 + ["confirmed", "raised"]
