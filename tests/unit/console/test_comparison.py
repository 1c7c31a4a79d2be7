"""Two days and the districts of one: over common hours, in words and units, worst end first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from catalog.registry import streams
from console.comparison import (
    Course,
    by_label,
    course,
    day_span,
    figures,
    low_is_bad,
    ranking,
    same_hours,
    share,
    shifted,
    trend,
)
from console.comparison_rows import Measure, day_rows, district_rows, sentence
from console.texts import words_of

TODAY, BEFORE = date(2026, 11, 30), date(2026, 11, 29)
NOON = datetime(2026, 11, 30, 4, tzinfo=UTC)
MEASURE = Measure(words_of("zh"), streams()["waterlogging"], "depth_m")


def rows(start: datetime, *values: float | None, label: str = "all") -> list[dict[str, Any]]:
    """Return rows as ``dash.series`` gives them, a quarter of an hour apart."""
    return [
        {
            "time": start + timedelta(minutes=15 * n),
            "label": label,
            "value": v,
            "low": None,
            "high": v + 0.05 if v is not None else None,
        }
        for n, v in enumerate(values)
    ]


def of(day: date, *values: float | None) -> Course:
    start = day_span(day, NOON).start
    return course(rows(start, *values), start)


def test_a_day_is_the_citys_and_ends_now_while_it_goes_on() -> None:
    today, before = day_span(TODAY, NOON), day_span(BEFORE, NOON)
    assert today.start == datetime(2026, 11, 29, 16, tzinfo=UTC)
    assert (today.seconds, before.seconds) == (12 * 3600, 24 * 3600)
    assert day_span(date(2026, 12, 24), NOON).seconds == 0, "nothing is known of a day to come"


def test_a_day_that_goes_on_is_compared_over_the_hours_that_both_have() -> None:
    today, before = of(TODAY, 0.2, None, 0.4), of(BEFORE, 0.1, 0.1, 0.1, 9.0)
    ours, theirs = same_hours(today, before)
    assert [s[0] for s in ours.steps] == [0, 1800] == [s[0] for s in theirs.steps]
    told = sentence(MEASURE, TODAY, BEFORE, today, before)
    assert told == (
        "2026-11-30 平均 0.30 m，比 2026-11-29 高 0.20 m（+200 %）。"
        "只比较两日都有数据的时段，共 2 个 15 分钟。"
    )
    lower = sentence(MEASURE, BEFORE, TODAY, before, today)
    assert "低 0.20 m（−67 %）" in lower
    table = {row["id"]: row for row in day_rows(MEASURE, today, before)}
    assert table["high"]["day"] == "0.45 m（00:30）", "the highest reading, and when, in the city"
    assert table["high"]["difference"]["text"] == "+0.30"
    assert table["mean"]["difference"] == {"text": "+0.20", "unit": "m", "sort": pytest.approx(0.2)}


def test_what_cannot_be_compared_is_said() -> None:
    nothing = of(BEFORE)
    assert sentence(MEASURE, TODAY, BEFORE, of(TODAY, 0.2), nothing).endswith("没有可比的时段")
    assert day_rows(MEASURE, of(TODAY, 0.2), nothing) == []
    wind = Measure(words_of("en"), streams()["weather"], "wind_dir_deg")
    assert "neither high nor low" in sentence(wind, TODAY, BEFORE, of(TODAY, 350), of(BEFORE, 10))
    assert share("°C", 20, 10) is None, "20 °C is not twice as warm"
    assert share("m", 0.2, 0.0) is None
    same = figures(of(TODAY, 1.0, 3.0))
    assert same and trend(same, same) == "same"


def test_districts_rank_from_the_worst_end_and_equals_share_a_place() -> None:
    start, old = (day_span(d, NOON).start for d in (TODAY, BEFORE))
    now = by_label(
        [
            *rows(start, 0.1, label="甲"),
            *rows(start, 0.3, label="乙"),
            *rows(start, 0.3, label="丙"),
        ],
        start,
    )
    before = by_label(rows(old, 0.2, 5.0, label="甲"), old)
    ranked = ranking(now, before, low_first=False)
    assert [(r.place, r.name) for r in ranked] == [(1, "丙"), (1, "乙"), (3, "甲")]
    shown = district_rows(MEASURE, ranked)
    assert shown[2]["difference"]["text"] == "−0.10", "over the quarter that both have"
    assert shown[0]["other"] is None
    assert ranking(now, {}, low_first=True)[0].name == "甲"
    assert low_is_bad(streams()["water_supply"], "pressure_mpa")
    assert not low_is_bad(streams()["waterlogging"], "depth_m")


def test_another_day_is_drawn_over_this_one() -> None:
    start = day_span(TODAY, NOON).start
    assert shifted(of(BEFORE, 0.1, 0.2), start)[1] == (start + timedelta(minutes=15), 0.2)
