"""Forecasts of others: how answers are read, and that nothing is used before it was known."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from catalog.base import Floats, text
from catalog.errors import ContractError
from catalog.guidance import Guidance, Quantity, unknown_guidance
from catalog.site import site
from forecasts.backtest_command import score_file
from forecasts.fetch import Column, Map, read_answer, sources
from forecasts.guidance import known_ahead
from forecasts.outside import read_csv, read_guidance

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = BEGIN + 12 * HOUR
LEADS = (1, 3, 24)
GUIDANCE = Guidance(
    name="weather",
    title=text("天气预报", "Weather forecast"),
    quantities=(
        Quantity(name="temp_c", title=text("气温", "Temperature"), unit="°C", span=(-20, 50)),
        Quantity(name="wind_m_s", title=text("风速", "Wind"), unit="m/s", span=(0, 75)),
    ),
)
OWN = Map(address="x.csv")
Issue = tuple[datetime, datetime, list[int], list[float]]


def _issue(hour: int, value: float, known_h: float = 0.5) -> Issue:
    """Return an issue that says one value for 60 h."""
    leads = [n * 3600 for n in range(61)]
    issued = BEGIN + hour * HOUR
    return issued, issued + known_h * HOUR, leads, [value] * 61


def _ahead(issues: list[Issue]) -> Floats:
    return known_ahead(issues, BEGIN, 24, LEADS, GUIDANCE)


def test_a_table_by_our_own_names_is_read_and_bad_rows_take_no_good_ones() -> None:
    rows = [
        "issued_at,valid_at,place,temp_c,wind_m_s",
        "2026-05-01T06:00Z,2026-05-01T07:00Z,510104,20.5,2",
        "2026-05-01T06:00Z,2026-05-01T08:00Z,510104,999,2.5",
        "2026-05-01T06:00Z,soon,510104,20,2",
        "2026-05-01T06:00Z,2026-05-01T07:00Z,nowhere,20,2",
        "2026-05-01T18:00Z,2026-05-01T19:00Z,510104,20,2",
        "2026-05-01T06:00Z,2026-05-01T05:00Z,510104,20,2",
    ]
    read = read_answer(GUIDANCE, OWN, "\n".join(rows), NOW)
    found = {(i.place, i.quantity): list(i.values.values()) for i in read.issues}
    assert found == {("510104", "temp_c"): [20.5], ("510104", "wind_m_s"): [2.0, 2.5]}
    assert sum(read.refused.values()) == 5
    words = " / ".join(read.refused)
    assert "temp_c outside" in words
    assert "future" in words
    assert "'nowhere'" in words


def test_json_with_columns_side_by_side_is_read_by_a_map() -> None:
    how = Map(
        address="https://weather.example/x.json",
        format="json",
        at="hourly",
        zone="Asia/Shanghai",
        columns={"valid_at": "time"},
        quantities={"wind_m_s": Column(column="wind_kmh", scale=1 / 3.6)},
    )
    body = {"hourly": {"time": ["2026-05-01T20:00", "2026-05-01T21:00"], "wind_kmh": [36, None]}}
    (issue,) = read_answer(GUIDANCE, how, json.dumps(body), NOW).issues
    assert (issue.place, issue.issued_at) == (site().code, NOW)
    assert issue.values == {NOW: pytest.approx(10)}


@pytest.mark.parametrize("body", ["{", '{"hourly": {"time": [1], "temp_c": [1, 2]}}', "[]x"])
def test_an_answer_that_cannot_be_read_says_so(body: str) -> None:
    with pytest.raises(ContractError, match=r"x\.json"):
        read_answer(GUIDANCE, Map(address="x.json", format="json", at="hourly"), body, NOW)


def test_a_setting_that_names_no_guidance_says_which_there_are() -> None:
    assert sources("") == {}
    assert sources("weather=http://x/y?from={from}")["weather"].address.endswith("{from}")
    with pytest.raises(ContractError, match="weather"):
        sources("tides=http://x")
    assert unknown_guidance(("weather.temp_c", "weather.tide_m")) == ["weather.tide_m"]


def test_of_what_was_known_the_newest_counts() -> None:
    found = _ahead([_issue(0, 1.0), _issue(6, 2.0)])
    assert found[:6].tolist() == [[1.0] * 3] * 6
    assert found[6:].tolist() == [[2.0] * 3] * 18, "hour 6 ends after it was known at 6:30"
    assert np.isnan(_ahead([_issue(6, 2.0)])[:6]).all(), "before that nobody had said anything"


@pytest.mark.parametrize("known_h", [1.0, 2.5, 6.0])
def test_nothing_is_used_before_it_was_known(known_h: float) -> None:
    """Whatever an issue says changes no origin whose hour ends by the time it became known."""
    old = _issue(0, 1.0)
    one, two = (_ahead([old, _issue(6, value, known_h)]) for value in (2.0, -40.0))
    known = 6 + known_h
    before = np.arange(24) + 1 <= known
    assert (one[before] == two[before]).all()
    assert (one[~before] != two[~before]).all(), "and the test can see a difference"


def test_a_late_issue_does_not_take_the_place_of_a_newer_one() -> None:
    found = _ahead([_issue(0, 1.0, known_h=10), _issue(6, 2.0)])
    assert found[12].tolist() == [2.0] * 3


def test_three_hours_are_bridged_and_no_more() -> None:
    issued = BEGIN
    leads = [0, 3 * 3600, 9 * 3600]
    found = known_ahead([(issued, issued, leads, [0.0, 6.0, 12.0])], BEGIN, 1, (1, 2, 5), GUIDANCE)
    assert found[0, :2].tolist() == [pytest.approx(3.0), pytest.approx(5.0)]
    assert np.isnan(found[0, 2])


def test_a_backtest_of_a_file_uses_a_weather_forecast_beside_it(tmp_path: Path) -> None:
    """A series that follows the weather is forecast better with one, and worse without."""
    hours, rng = np.arange(30 * 24), np.random.default_rng(1)
    wind = np.abs(np.repeat(rng.normal(3, 2, 30 * 8), 3))
    series, weather = tmp_path / "series.csv", tmp_path / "weather.csv"
    at = [(BEGIN + int(h) * HOUR).strftime("%Y-%m-%d %H:%M:%S") for h in hours]
    noise = rng.normal(0, 0.5, len(hours))
    lines = [f"{a},{v:.3f}" for a, v in zip(at, 50 - 5 * wind + noise, strict=True)]
    series.write_text("\n".join(["when,a", *lines]))
    rows = [
        f"{at[issued]},{at[issued + lead]},{wind[issued + lead]:.3f}"
        for issued in range(0, len(hours) - 31, 6)
        for lead in range(31)
    ]
    weather.write_text("\n".join(["issued_at,valid_at,wind_m_s", *rows]))
    outside = read_csv(series, None)
    (plain,), (guided,) = score_file(outside), score_file(outside, guidance=read_guidance(weather))
    day = LEADS.index(24) + 1  # leads of a file: 1, 3, 6, 24
    assert guided.rows[day].mae < 0.7 * plain.rows[day].mae
