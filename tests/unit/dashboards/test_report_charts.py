"""The report's charts draw what is known, and nothing else."""

import re

import pytest

from catalog.model import Severity
from catalog.severity import LEVELS
from dashboards.report.charts import hours, sparkline
from dashboards.report.page import duration, number

ORANGE = LEVELS[Severity.ORANGE].colour


def path_of(svg: str) -> str:
    found = re.search(r'<path d="([^"]*)"', svg)
    assert found
    return found[1]


def test_a_line_breaks_where_nothing_is_known() -> None:
    whole = path_of(sparkline([(0, 1), (0.25, 2), (0.5, 3)], [], (46, 5)))
    gap = path_of(sparkline([(0, 1), (0.25, 2), (6, 3), (6.25, 4)], [], (46, 5)))
    assert whole.count("M") == 1
    assert gap.count("M") == 2


def test_a_line_spans_the_day_and_stays_inside_its_box() -> None:
    numbers = [
        float(n)
        for n in re.findall(
            r"[\d.]+", path_of(sparkline([(0, -5), (12, 80), (23.75, 3)], [], (46, 5)))
        )
    ]
    assert min(numbers) >= 0
    assert max(numbers[0::2]) == pytest.approx(46 * 23.75 / 24, abs=0.01)
    assert max(numbers[1::2]) <= 5


def test_only_limits_within_the_days_range_are_drawn() -> None:
    points = [(0.0, 10.0), (0.25, 20.0)]
    assert ORANGE in sparkline(points, [(None, "#000000"), (15, ORANGE)], (46, 5))
    assert ORANGE not in sparkline(points, [(None, "#000000"), (90, ORANGE)], (46, 5))


def test_a_day_without_points_has_no_line() -> None:
    assert sparkline([], [], (46, 5)) == ""


def test_bars_are_as_tall_as_their_share_of_the_worst_hour() -> None:
    counts = {severity: [0] * 24 for severity in Severity}
    counts[Severity.RED][8], counts[Severity.BLUE][8], counts[Severity.RED][9] = 3, 1, 2
    bars = re.findall(r'height="([\d.]+)" fill="(#\w+)"', hours(counts, (88, 26), "x"))
    tall = [float(height) for height, _ in bars]
    assert [colour for _, colour in bars] == [
        LEVELS[Severity.RED].colour,
        LEVELS[Severity.BLUE].colour,
        LEVELS[Severity.RED].colour,
    ]
    assert tall == pytest.approx([15, 5, 10])


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [(None, 1, "–"), (-2.345, 2, "−2.35"), (1234567, 0, "1\u202f234\u202f567"), (0.0, 2, "0.00")],
)
def test_numbers_are_written_for_people(value: float | None, places: int, written: str) -> None:
    assert number(value, places) == written


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (None, "–", "–"),
        (42, "42 秒", "42 s"),
        (1200, "20 分", "20 min"),
        (9000, "2.5 小时", "2.5 h"),
    ],
)
def test_durations_are_written_for_people(seconds: float | None, zh: str, en: str) -> None:
    assert (duration(seconds, "zh"), duration(seconds, "en")) == (zh, en)
