"""Scenarios from the command line: times, places, the control file and what is announced."""

import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from simulators.__main__ import app
from simulators.control import Control, LiveState
from simulators.core.scenarios import scenarios
from simulators.drill import (
    LiveCityLink,
    NotLiveError,
    expected,
    make_event,
    parse_at,
    parse_duration,
    timeline,
)

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


class Stopped:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def say_live(folder: Path, at: datetime, speed: float = 1.0) -> None:
    told = LiveState(os.getpid(), 1, speed, at.timestamp(), at, [])
    Control(folder).say_live(told)


@pytest.mark.parametrize(
    ("given", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)]
)
def test_durations(given: str, seconds: float) -> None:
    assert parse_duration(given) == seconds


def test_times() -> None:
    assert parse_at("now", 5.0) == 5.0
    assert parse_at("+1m", 5.0) == 65.0
    assert parse_at("2026-11-24T19:00", 0.0) == NOW.timestamp(), "Beijing unless it says else"
    assert parse_at("2026-11-24T11:00+00:00", 0.0) == NOW.timestamp()


@pytest.mark.parametrize("given", ["", "0", "5 minutes", "-3m", "m"])
def test_wrong_durations(given: str) -> None:
    with pytest.raises(ValueError, match="write 90s"):
        parse_duration(given)


def test_wrong_time() -> None:
    with pytest.raises(ValueError, match="write now"):
        parse_at("tomorrow", 0.0)


def test_a_place_that_cannot_be_struck() -> None:
    with pytest.raises(ValueError, match="feeder-510104-01"):
        make_event("feeder_trip", 0.0, None, 1.0, "feeder-1")
    assert make_event("feeder_trip", 0.0, None, 1.0, "feeder-510105-02").where


def test_the_control_file_adds_cancels_and_forgets(tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert control.events() == []
    start = NOW.timestamp()
    old = make_event("pollution", start - 30 * 86_400, None, 1.0, "")
    new = make_event("rainstorm", start, None, 1.0, "")
    control.add(old)
    control.add(new)
    assert [e.id for e in control.events()] == [new.id]
    control.cancel(new.id, start + 10)
    assert control.events()[0].end == start + 10
    control.events_path.write_text("[{]")
    with pytest.raises(ValueError, match="remove the file"):
        control.events()


def test_no_live_city_is_said(tmp_path: Path) -> None:
    link = LiveCityLink(tmp_path, Stopped())
    with pytest.raises(NotLiveError, match="make run"):
        link.state()
    say_live(tmp_path, NOW - timedelta(minutes=1))
    with pytest.raises(NotLiveError):
        link.city_now()


def test_the_city_may_be_behind_the_clock_but_not_ahead(tmp_path: Path) -> None:
    link = LiveCityLink(tmp_path, Stopped())
    told = LiveState(1, 1, 60.0, NOW.timestamp() - 3600, NOW - timedelta(seconds=5), [])
    Control(tmp_path).say_live(told)
    assert link.city_now() == NOW.timestamp() - 3600 + 300
    say_live(tmp_path, NOW - timedelta(seconds=5), speed=60.0)
    assert link.city_now() == NOW.timestamp()


@pytest.mark.parametrize("name", list(scenarios()))
def test_the_timeline_tells_phases_and_alerts_in_both_languages(name: str) -> None:
    event = make_event(name, NOW.timestamp(), None, 1.0, "")
    alarms = expected(1, [], event)
    out = Console(width=200, record=True, file=StringIO())
    out.print(timeline(event, alarms))
    shown = out.export_text()
    for phase in scenarios()[name].phases:
        assert phase.story.zh in shown
        assert phase.story.en in shown
    for rule in {a.rule for a in alarms}:
        assert rule in shown


@pytest.mark.parametrize("name", list(scenarios()))
def test_a_terminal_of_80_columns_breaks_no_name(name: str) -> None:
    event = make_event(name, NOW.timestamp(), None, 1.0, "")
    alarms = expected(1, [], event)
    out = Console(width=80, record=True, file=StringIO())
    out.print(timeline(event, alarms))
    shown = out.export_text()
    for alarm in alarms:
        assert alarm.rule in shown
        assert alarm.title.zh in shown


def test_commands_refuse_clearly(tmp_path: Path) -> None:
    run, env = CliRunner(), {"CITYOPS_STATE_DIR": str(tmp_path), "COLUMNS": "400"}
    for line, words in (
        (["scenario", "snow"], "no scenario 'snow'"),
        (["scenario", "rainstorm"], "no live city runs"),
        (["live", "--stream", "x"], "no stream 'x'"),
        (["live", "--faults", "all"], "'all' is no preset"),
    ):
        answer = run.invoke(app, line, env=env)
        assert answer.exit_code != 0, line
        assert words in answer.output, line


def test_dry_run_changes_nothing(tmp_path: Path) -> None:
    say_live(tmp_path, datetime.now(UTC))
    env = {"CITYOPS_STATE_DIR": str(tmp_path), "COLUMNS": "200"}
    answer = CliRunner().invoke(app, ["scenario", "feeder_trip", "--dry-run"], env=env)
    assert answer.exit_code == 0, answer.output
    assert "feeder.trip" in answer.output
    assert Control(tmp_path).events() == []
