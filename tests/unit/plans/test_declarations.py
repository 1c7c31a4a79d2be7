"""The declaration of a plan: ours are sound, and a wrong one says what is wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.base import text
from catalog.declared import DeclarationError
from catalog.plan import device as device_module
from catalog.plan.checks import problems
from catalog.plan.device import devices
from catalog.plan.layout import lay_out, pages_of, width_of
from catalog.plan.model import Ahead, Effect, OnAlert, OnReading, OnRecord, Plan, Template
from catalog.plan.registry import plans

FLOOD = plans()["ponding_detour"]
SCREEN = next(iter(devices()["sign"].values())).screen


def wrong(**change: Any) -> list[str]:
    return problems(FLOOD.model_copy(update=change))


def shows(what: str, en: str = "x") -> Template:
    return FLOOD.shows.model_copy(update={"what": text(what, en)})


def test_every_declared_plan_is_sound_and_the_first_priority_stands_first() -> None:
    assert [p for plan in plans().values() for p in problems(plan)] == []
    priorities = [plan.priority for plan in plans().values()]
    assert priorities == sorted(priorities, reverse=True) and len(plans()) == 4
    assert {plan.system for plan in plans().values()} == {"traffic"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"record": "case"}, "record 'case' is none that advice() has made"),
        ({"record": "nothing"}, "record 'nothing' is none"),
        ({"when": (OnAlert(rules=("waterlogging.pond",)),)}, "no rule 'waterlogging.pond'"),
        (
            {"when": (OnReading(stream="noise", metric="depth_m", start=1, end=0),)},
            "no metric noise.depth_m",
        ),
        ({"when": (OnRecord(record="task", states=("to_do",)),)}, "no record 'task' that has a"),
        ({"when": (OnRecord(record="case", states=("gone",)),)}, "case: no open state 'gone'"),
        ({"shows": shows("{depth} 米")}, "wants {depth}, which nothing fills"),
        ({"shows": shows("{kind}")}, "wants {kind}, but not every cause has a kind"),
        ({"shows": shows("前方道路积水请各位驾驶员注意")}, "does not fit sign-"),
        ({"shows": shows("积水", " ")}, "lacks Chinese or English"),
        ({"shows": shows(" ")}, "a part of what is shown is empty"),
        ({"whom": Ahead(device="lamp", network="roads", within_s=9)}, "no devices of kind 'lamp'"),
        ({"whom": Ahead(device="sign", network="canals", within_s=9)}, "no network 'canals'"),
        (
            {
                "effect": Effect(
                    stream="noise", metric="leq", within_m=1, after_s=7200, better="less"
                )
            },
            "the effect is read after the text is gone",
        ),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(change: dict[str, Any], said: str) -> None:
    assert any(said in found for found in wrong(**change)), wrong(**change)


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", 0), ("priority", 16), ("show_s", 5), ("show_s", 7 * 3600), ("mode", "force")],
)
def test_numbers_have_bounds(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate(FLOOD.model_dump() | {field: value})


def test_a_reading_that_starts_and_ends_at_one_value_is_refused() -> None:
    with pytest.raises(ValidationError):
        OnReading(stream="weather", metric="rain_mm", start=1, end=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"node": "r99-0"}, "stands on no node"), ({"towards": "r2-16"}, "no link to r2-16")],
)
def test_a_device_that_stands_nowhere_is_refused(
    change: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = next(iter(devices()["sign"].values())).model_copy(update=change)
    monkeypatch.setattr(device_module, "load", lambda *_: (one,))
    with pytest.raises(DeclarationError, match=said):
        device_module._load("sign")


def test_words_are_laid_out_in_lines_and_pages() -> None:
    said = lay_out(["前方积水 0.31 米", "金新路下穿隧道", "请绕行"], SCREEN)
    assert pages_of(said) == [["前方积水 0.31 米", "金新路下穿隧道"], ["请绕行"]]
    assert pages_of("") == []
    assert (width_of("积水0.3"), width_of("ＡB")) == (3.5, 1.5)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (["十一个字的地名放不下了呀"], "wider than 10"),
        (["一", "二", "三", "四", "五"], "5 lines on 2 pages of 2"),
        (["一", "  "], "is empty"),
        (["\x07一"], "no sign shows"),
        (["a\u202eb"], "no sign shows"),
    ],
)
def test_what_does_not_fit_is_not_cut(parts: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        lay_out(parts, SCREEN)
