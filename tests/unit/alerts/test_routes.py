"""The routing tree: who is told, when nothing is said, and mistakes found at start."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from alerts.__main__ import app
from alerts.event.labels import Matcher, alert_labels, parse_matcher
from alerts.routing.routes import Routes, check_receivers, read_routes
from alerts.routing.silences import SilenceDraft
from alerts.settings import DEFAULT_ROUTES
from catalog.errors import FatalError

TREE = """
fallback = ["chief"]
[route]
receivers = ["duty"]
group = { by = ["rule"], wait_s = 5, repeat_s = 3600 }
[[route.routes]]
match = { domain = ["water"] }
receivers = ["flood"]
  [[route.routes.routes]]
  match = { severity = ["red"], district = ["5101*"] }
  receivers = ["flood", "chief"]
  escalate = [{ after_min = 10, to = ["mayor"] }]
[[route.routes]]
match = { rule = ["feeder.*"] }
receivers = ["grid"]
continue = true
mute = ["night"]
[[route.routes]]
match = { severity = ["orange"] }
group = {}
[mutes.night]
days = ["mon"]
hours = ["22:00", "06:00"]
"""


def routes(text: str, tmp_path: Path) -> Routes:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    return read_routes(file)


def where(tree: Routes, rule: str, sensor: str, severity: int) -> list[tuple[str, ...]]:
    labels = alert_labels(rule, rule.partition(".")[0], sensor, severity)
    return [leg.receivers for leg in tree.legs(labels)]


def test_the_deepest_match_decides_and_inherits(tmp_path: Path) -> None:
    tree = routes(TREE, tmp_path)
    assert where(tree, "noise.day", "noise-510104-01", 1) == [("duty",)]
    assert where(tree, "waterlogging.ponding", "waterlogging-510104-01", 2) == [("flood",)]
    assert where(tree, "waterlogging.ponding", "waterlogging-510104-01", 1) == [("flood", "chief")]
    assert where(tree, "feeder.trip", "feeder-510104-01", 2) == [("grid",), ("duty",)]
    water = tree.legs(alert_labels("waterlogging.ponding", "waterlogging", "x", 1))[0]
    assert (water.group.by, water.group.repeat_s) == (("rule",), 3600)


def test_escalation_mutes_and_fallback_are_read(tmp_path: Path) -> None:
    tree = routes(TREE, tmp_path)
    red = alert_labels("waterlogging.ponding", "waterlogging", "waterlogging-510104-01", 1)
    assert [(s.after_min, s.to) for s in tree.legs(red)[0].escalate] == [(10, ("mayor",))]
    assert check_receivers(tree, {"duty", "flood", "grid"}) == ["chief", "mayor"]
    feeder = tree.legs(alert_labels("feeder.trip", "feeder", "feeder-510104-01", 1))[0]
    said = {
        datetime(2026, 11, 23, 15, tzinfo=UTC): True,  # Monday 23:00 in Chengdu
        datetime(2026, 11, 23, 21, tzinfo=UTC): True,  # Tuesday 05:00: Monday's night
        datetime(2026, 11, 24, 15, tzinfo=UTC): False,  # Tuesday 23:00
        datetime(2026, 11, 22, 21, tzinfo=UTC): False,  # Monday 05:00: Sunday's night
        datetime(2026, 11, 23, 4, tzinfo=UTC): False,
    }
    assert {at: feeder.muted(at) for at in said} == said


def test_a_command_tells_where_an_alert_would_go(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(
        "[route]\nreceivers = ['everybody']\n[[route.routes]]\nreceivers = ['pumps']\n"
        "match = { rule = ['waterlogging.*'], district = ['510104'] }\n"
        "escalate = [{ after_min = 5, to = ['chief'] }]\n"
    )

    def goes(*words: str) -> str:
        line = ["routes", "test", "--file", str(file), "--rule", *words]
        done = CliRunner().invoke(app, line, env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    there = goes("waterlogging.ponding", "--sensor", "waterlogging-510104-01")
    assert "pumps" in there and "5 min → chief" in there and "everybody" not in there
    assert "everybody" in goes("waterlogging.ponding", "--sensor", "waterlogging-510105-01")
    wrong = CliRunner().invoke(app, ["routes", "check", "--file", str(tmp_path / "none.toml")])
    assert wrong.exit_code != 0


def test_the_default_file_tells_everybody_at_once() -> None:
    leg = read_routes(DEFAULT_ROUTES).legs({"rule": "x"})[0]
    assert (leg.receivers, leg.group.wait_s, leg.group.by, leg.escalate) == (("*",), 0, (), ())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[route]\nreceiver = ['x']", "route.receiver: Extra inputs"),
        ("[route]\nmatch = { domain = ['watr'] }", "no domain 'watr'; known: emergency"),
        ("[route]\nmatch = { district = ['999999'] }", "no district '999999'"),
        ("[route]\nmatch = { severity = ['purple'] }", "red"),
        ("[route]\nmute = ['night']", "no \\[mutes.night\\]"),
        ("[route]\nescalate = [{ after_min = 0, to = ['x'] }]", "after_min"),
        ("[route]\nreceivers = ['Not A Name']", "receivers"),
        ("[route", "routes.toml"),
        ("storm = 5", "route: Field required"),
    ],
)
def test_mistakes_are_named(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=what):
        routes(text, tmp_path)


def test_matchers_read_like_alertmanagers() -> None:
    labels = {"district": "510104", "rule": "waterlogging.ponding"}
    fits = ["district=510104", 'rule=~"water.*"', "street!=x", "rule!~noise.*", 'absent=""']
    assert [parse_matcher(m).matches(labels) for m in fits] == [True] * 5
    assert not parse_matcher("rule=~water").matches(labels), "a pattern covers the whole value"
    for wrong in ("district", "=x", "a b=c", "rule=~["):
        with pytest.raises(ValueError):
            parse_matcher(wrong)


def test_a_silence_names_something_and_ends() -> None:
    start = datetime(2026, 11, 24, tzinfo=UTC)
    good = {"reason": "works", "starts_at": start, "ends_at": start.replace(hour=4)}
    SilenceDraft(matchers=[Matcher(name="district", value="510104")], **good)
    wrong = [
        good | {"matchers": []},
        good | {"matchers": [Matcher(name="district", op="!=", value="x")]},
        good | {"matchers": [Matcher(name="a", value="b")], "ends_at": start},
        good | {"matchers": [Matcher(name="a", value="b")], "reason": ""},
        good | {"matchers": [Matcher(name="a", value="b")], "ends_at": start.replace(year=2027)},
    ]
    for draft in wrong:
        with pytest.raises(ValidationError):
            SilenceDraft.model_validate(draft)
