"""What rows and tiles say: whose number, where, which level, which period."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.episode.models import Act
from console.alert_rows import act_note
from console.history import chosen_span
from console.marks import response_mark
from console.rows import where_title
from console.texts import words_of
from console.widgets.vitals import vital_tile

ZH, EN = words_of("zh"), words_of("en")
NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
SIGN: dict[str, Any] = {
    **{"stream": "water_supply", "domain": "water", "metric": "pressure_mpa", "alerts": 4},
    **{"title_zh": "压力", "title_en": "Pressure", "severity": 2, "state": "orange"},
    **{"value": 0.335, "unit": "MPa", "decimals": 3, "worst_sensor": "water-supply-510107-04"},
    **{"worst_zh": "武侯区供水管网 4 号", "worst_en": "Wuhou water supply 4"},
}


def test_a_tile_names_stream_quantity_and_whose_value_it_is() -> None:
    tile = vital_tile(ZH, SIGN)
    assert (tile["title"], tile["text"], tile["of"]) == ("供水管网", "0.335", "武侯区 4 号 · 压力")
    assert vital_tile(EN, SIGN)["of"] == "Wuhou 4 · Pressure"
    river = SIGN | {"stream": "river_level", "worst_zh": "锦江 合江亭（水位为虚拟值）"}
    assert vital_tile(ZH, river)["where"] == "锦江 合江亭"


def test_a_stream_that_has_said_nothing_is_not_normal() -> None:
    row = SIGN | {"value": None, "state": "normal", "worst_sensor": None}
    tile = vital_tile(ZH, row | {"worst_zh": None, "worst_en": None})
    assert (tile["text"], tile["state"], tile["of"]) == ("–", "从未上报", "全市 · 压力")


def test_a_response_level_has_no_colours_name() -> None:
    assert response_mark(ZH, 3)["text"] == "Ⅲ级响应"
    assert response_mark(EN, 1)["text"] == "Response Ⅰ"


def test_an_alert_says_where_or_that_nobody_knows() -> None:
    names = {"title_zh": "东城根街下穿隧道", "title_en": "Dongchenggen", "district": "510105"}
    assert where_title(ZH, "waterlogging", "pond-1", names) == "青羊区 东城根街下穿隧道"
    named = names | {"title_zh": "青羊区道路积水 1 号"}
    assert where_title(ZH, "waterlogging", "pond-1", named) == "青羊区道路积水 1 号"
    assert where_title(ZH, "waterlogging", "pond_1", {}) == "pond_1（位置未登记）"
    assert where_title(ZH, "waterlogging", "*", {}) == "道路积水（全部传感器）"


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("2026-11-29T19:35:13+00:00 等待泵车到场", "11-30 03:35:13 等待泵车到场"),
        ("operator", "operator"),
        ("2026-11-29 的记录", "2026-11-29 的记录"),
        ("", ""),
    ],
)
def test_moments_in_the_timeline_are_the_citys(note: str, told: str) -> None:
    assert act_note(Act(id=1, at=NOW, who="operator", act="shelve", note=note)) == told


HOUR = timedelta(hours=1)
LOCAL_2AM = datetime(2026, 11, 29, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "from_", "to"),
    [
        ("", "", NOW - 6 * HOUR, NOW),
        ("2026-11-30T02:00", "2026-11-30T03:00", LOCAL_2AM, LOCAL_2AM + HOUR),
        ("2026-11-30T02:00", "", LOCAL_2AM, LOCAL_2AM + 6 * HOUR),
        ("", "2026-11-30T02:00", LOCAL_2AM - 6 * HOUR, LOCAL_2AM),
        ("2026-11-30T11:00", "2026-12-30T02:00", NOW - HOUR, NOW),
        ("yesterday", "", NOW - 6 * HOUR, NOW),
        ("2026-11-30T03:00", "2026-11-30T02:00", LOCAL_2AM - 6 * HOUR, LOCAL_2AM),
    ],
)
def test_a_period_is_chosen_in_the_citys_time(
    start: str, end: str, from_: datetime, to: datetime
) -> None:
    span = chosen_span(NOW, "6", start, end)
    assert (span.start, span.end) == (from_, to)
