"""What the strip of the next hours says, and what the page of a rule says of its warnings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.registry import streams
from console.live import Snapshot
from console.outlook import STALE, is_warned, outlook_words, rule_address
from console.pages.rule import record_row, warning_row
from console.texts import words_of

ZH, EN = words_of("zh"), words_of("en")
NOW = datetime(2026, 11, 30, 4, 20, tzinfo=UTC)
ISSUED = NOW.replace(minute=0)
READY: dict[str, Any] = {"series": 400, "ready": 380, "issued_at": ISSUED}
CALM = Snapshot(1, NOW, outlook_state=[READY])
BREACH: dict[str, Any] = {
    **{"stream": "transformer", "sensor": "transformer-510104-01", "district": "510104"},
    **{"title_zh": "锦江区配变 1 号", "title_en": "Jinjiang transformer 1"},
    **{"rule": "transformer.oil_temp", "severity": 2, "chance": 0.634, "unit": "°C"},
    **{"time": ISSUED + timedelta(hours=3), "decimals": 1, "limit_value": 95.0},
}


def test_the_worst_expected_breach_says_where_what_when_and_how_likely() -> None:
    now = replace(CALM, outlook=[BREACH, BREACH | {"severity": 3}])
    said = outlook_words(ZH, now)
    assert "锦江区配变 1 号" in said
    assert "约 15:00 达到 95.0 °C，概率 63 %" in said
    assert "about 15:00 at 95.0 °C, chance 63 %" in outlook_words(EN, now)


@pytest.mark.parametrize(
    ("now", "zh"),
    [
        (CALM, "无预计超限"),
        (replace(CALM, outlook_state=[READY | {"ready": 0}]), "学习中"),
        (replace(CALM, outlook_state=[READY | {"ready": 0, "issued_at": None}]), "学习中"),
        (replace(CALM, outlook_state=[READY | {"issued_at": NOW - STALE}]), "预报已停更"),
        (Snapshot(), "–"),
    ],
)
def test_silence_is_not_shown_as_calm(now: Snapshot, zh: str) -> None:
    assert outlook_words(ZH, now).startswith(zh)
    stale = replace(CALM, outlook=[BREACH], outlook_state=[READY | {"issued_at": NOW - STALE}])
    assert outlook_words(ZH, stale).startswith("预报已停更"), "what is old is not shown"


def test_an_early_warning_is_on_the_page_of_its_rule() -> None:
    assert rule_address("transformer.oil_temp_early") == "/rules/transformer.oil_temp"
    assert rule_address("transformer.oil_temp") == "/rules/transformer.oil_temp"
    assert is_warned("transformer.oil_temp")
    assert not is_warned("air_quality.aqi")


def test_a_record_says_its_figures_and_whether_anybody_is_told() -> None:
    row: dict[str, Any] = {
        **{"severity": 2, "standing": 1, "hits": 15, "false_ones": 4, "withdrawn": 2, "misses": 5},
        **{"pod": 0.75, "far": 6 / 21, "lead_h": 3.0, "brier": 0.12, "skill": 0.83},
    }
    told = record_row(ZH, row | {"on_trial": False})
    assert (told["pod"]["text"], told["far"]["text"], told["lead"]["text"]) == ("75", "29", "3.0")
    assert told["state"] == "正式：通知接收方"
    young = dict.fromkeys(("pod", "far", "lead_h", "brier", "skill"))
    trial = record_row(EN, row | young | {"on_trial": True})
    assert trial["pod"] is None
    assert trial["state"].startswith("on trial")


def test_a_missed_breach_has_no_chance() -> None:
    row: dict[str, Any] = {
        **{"id": 1, "sensor": "x", "title": "X", "severity": 2, "limit_value": 95.0},
        **{"raised_at": NOW, "chance": None, "expected_at": None, "ended_at": NOW},
        **{"outcome": "miss", "crossed_at": NOW, "on_trial": True, "origin": "backtest"},
    }
    shown = warning_row(ZH, streams()["transformer"], "oil_temp_c", row)
    assert (shown["raised"], shown["expected"], shown["chance"]) == ("–", "–", None)
    assert shown["outcome"] == "漏报 · 回测"
