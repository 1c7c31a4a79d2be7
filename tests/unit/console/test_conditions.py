"""Conditions of silences, in the words of the desk and of the platform."""

from typing import Literal

import pytest

from alerts.event.labels import Matcher
from console.conditions import condition, condition_text
from console.texts import words_of


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("区县=武侯区", "district", "510107"),
        ("district=510107", "district", "510107"),
        ("District=Wuhou", "district", "510107"),
        ("监测类别=道路积水", "stream", "waterlogging"),
        ("规则=道路积水", "rule", "waterlogging.ponding"),
        ("级别=红色", "severity", "red"),
        ("传感器=gas-1", "sensor", "gas-1"),
        ("区县=不存在", "district", "不存在"),
    ],
)
def test_a_condition_is_read_as_people_write_it(line: str, name: str, value: str) -> None:
    found = condition(line)
    assert (found.name, found.op, found.value) == (name, "=", value)


def test_a_pattern_stays_what_was_written_and_nonsense_is_refused() -> None:
    assert condition("rule=~water.*").value == "water.*"
    with pytest.raises(ValueError, match="is no matcher"):
        condition("没有条件")


@pytest.mark.parametrize(
    ("language", "told"), [("zh", "区县 = 武侯区"), ("en", "District = Wuhou")]
)
def test_a_condition_is_told_by_name(language: Literal["zh", "en"], told: str) -> None:
    matcher = Matcher(name="district", op="=", value="510107")
    assert condition_text(words_of(language), matcher) == told
    raw = Matcher(name="rule", op="=~", value="water.*")
    assert condition_text(words_of("en"), raw) == "Rule =~ water.*"
