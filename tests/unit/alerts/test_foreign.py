"""Alerts of other systems as they really come: odd, cut, Chinese, with controls in them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.sources.foreign import Foreign, read_foreign, rule_of

GOOD: dict[str, Any] = {"status": "firing", "labels": {"alertname": "Good"}}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def read(**change: Any) -> tuple[Foreign, list[str]]:
    alert, said = read_foreign(GOOD | change)
    assert alert
    return alert, said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"annotations": None}, []),
        ({"generatorURL": None}, []),
        ({"endsAt": ""}, []),
        ({"startsAt": None, "endsAt": "0001-01-01T00:00:00Z"}, []),
        ({"endsAt": "0001-01-01T00:00:00+08:00"}, []),
        ({"labels": {}}, []),
        ({"labels": None}, []),
        ({"labels": {"alertname": "A", "empty": "", "none": None}}, []),
        ({"labels": {"alertname": "A", "host.name": "a"}}, ["labels.host.name renamed host_name"]),
        ({"labels": {"alertname": "A", "9to5": "a"}}, ["labels.9to5 renamed _9to5"]),
        ({"annotations": {"t": "x" * 5000}}, ["annotations.t cut to 4096 characters"]),
        ({"annotations": {"a": "x\0y"}}, ["annotations.a: control characters taken out"]),
        ({"annotations": {"v": 95}}, ["annotations.v is no text: kept as JSON"]),
        ({"annotations": ["a"]}, ["annotations left out: no JSON object"]),
        ({"startsAt": "yesterday"}, ["startsAt 'yesterday' is no time: left out"]),
        ({"startsAt": 5}, ["startsAt '5' is no time: left out"]),
        ({"startsAt": "2026-11-24T08:00:00"}, ["startsAt has no zone: read as UTC"]),
        ({"status": "on fire"}, ["status 'on fire' unknown: taken by endsAt"]),
        (
            {"labels": {"alertname": "A"} | {f"l{n}": "x" for n in range(70)}},
            ["labels: 7 of 71 left out"],
        ),
    ],
)
def test_what_is_odd_about_an_alert_is_mended_and_said(
    change: dict[str, Any], said: list[str]
) -> None:
    alert, notes = read(**change)
    assert (notes, alert.firing(NOW)) == (said, True)
    assert all(len(v) <= 4096 for v in (alert.labels | alert.annotations).values())
    assert "\0" not in json.dumps([alert.labels, alert.annotations])


@pytest.mark.parametrize("item", [None, 5, "alert", [], True])
def test_only_what_is_no_object_is_left_out(item: object) -> None:
    assert read_foreign(item) == (None, ["left out: an alert is a JSON object"])


def test_what_is_taken_over_says_the_same_as_before() -> None:
    alert, said = read(
        labels={"alertname": "A", "severity": "critical", "host.name": "a", "host_name": "b"},
        annotations={"summary": "a\0b\u0085\ud800c\nd\te"},
        startsAt="2026-11-24T08:00:00.123456789+08:00",
        generatorURL="http://p/graph",
        status="RESOLVED",
    )
    assert alert.labels == {
        "alertname": "A",
        "exported_severity": "critical",
        "host_name": "a",
        "host_name_2": "b",
    }
    assert alert.annotations == {"summary": "ab\ufffdc\nd\te", "source": "http://p/graph"}
    assert alert.starts_at == datetime(2026, 11, 24, 0, 0, 0, 123456, tzinfo=UTC)
    assert (alert.level, alert.firing(NOW)) == (1, False)
    assert len(said) == 3


def test_every_label_is_part_of_the_identity_as_it_was_sent() -> None:
    base = {"alertname": "DiskFull", "instance": "db-1"}
    others = [
        {},
        {"severity": "warning"},
        {"severity": "critical"},
        {"rule": "a"},
        {"stream": "a"},
        {"host.name": "a"},
        {"host_name": "a"},
        {"long": "x" * 5000 + "a"},
        {"long": "x" * 5000 + "b"},
    ]
    found = {read(labels=base | other)[0].subject for other in others}
    assert len(found) == len(others)
    same = read(labels={"severity": "critical", "empty": "", "none": None} | base)[0]
    assert same.subject == read(labels=base | {"severity": "critical"})[0].subject
    assert same.subject.startswith("db-1 ")


def test_without_a_status_an_end_that_has_passed_is_the_end() -> None:
    past, ahead = ((NOW + timedelta(hours=h)).isoformat() for h in (-1, 1))
    assert not read(status=None, endsAt=past)[0].firing(NOW)
    assert read(status=None, endsAt=ahead)[0].firing(NOW)
    assert read(status="firing", endsAt=past)[0].firing(NOW)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("水泵过热", "external.水泵过热"),
        ("阀门泄漏", "external.阀门泄漏"),
        ("Pump hot", "external.pump_hot"),
        ("DiskFull", "external.diskfull"),
        ("node-exporter.down", "external.node_exporter_down"),
        ("ＧＰＵ温度", "external.gpu温度"),
        ("", "external.unnamed"),
    ],
)
def test_a_name_is_a_rule_id_that_can_be_read(name: str, rule: str) -> None:
    assert rule_of(name) == rule


def test_names_that_differ_in_what_cannot_stay_are_rules_of_their_own() -> None:
    names = ["CPU > 90", "CPU < 90", "CPU 90", "!!!", "???", "", "x" * 80, "x" * 81, "水泵(1)"]
    rules = [rule_of(name) for name in names]
    assert len(set(rules)) == len(names), rules
    assert rules == [rule_of(name) for name in names], "stable"
    assert rules[0] == "external.cpu_90_022c96"
