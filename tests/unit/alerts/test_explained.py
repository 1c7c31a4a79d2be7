"""What is unusual, in words, and the days that were alike."""

import numpy as np

from alerts.episode.alike import DAY, alike, residuals
from alerts.event.explained import explanation_text
from catalog.group_names import group_district, group_title
from catalog.joint import joint_rules
from catalog.registry import concern_of, find_rule

BODY = {
    "spreads": 3.1,
    "lasted_s": 2400,
    "signals": [
        {
            **{"stream": "water_supply", "sensor": "water-supply-510104-01"},
            **{"metric": "pressure_mpa", "value": 0.3214, "expected": 0.352},
        }
    ],
    "similar": [{"day": "2026-05-03", "likeness": 0.9}],
}


def test_an_explanation_says_how_far_for_how_long_which_signal_and_days_alike() -> None:
    said = explanation_text(BODY)
    assert said.zh.startswith("偏离常态 3.1 倍，已持续 40 分钟")
    assert "压力 0.321 MPa（常态 0.352 MPa）" in said.zh
    assert said.zh.endswith("相似日期：2026-05-03")
    assert said.en.startswith("3.1 times its usual spread for 40 min")
    assert "pressure 0.321 MPa (usually 0.352 MPa)" in said.en
    assert (
        explanation_text({"spreads": 5, "lasted_s": 3 * 86400}).zh
        == "偏离常态 5 倍，已持续 72 小时"
    )


def test_groups_have_names_and_districts() -> None:
    assert set(joint_rules()) == {"water.zone", "grid.feeder_group", "traffic.road_section"}
    assert group_title("water.zone-510104").zh == "锦江区"
    assert group_title("traffic.road_section-510104-春熙路").zh == "锦江区春熙路"
    assert group_district("traffic.road_section-510104-春熙路") == "510104"
    assert "馈线" in group_title("grid.feeder_group-feeder-510104-01").zh
    assert group_district("grid.feeder_group-feeder-510104-01") == "510104"
    assert group_title("nobody-knows").zh == "nobody-knows"
    assert find_rule("water.zone") is joint_rules()["water.zone"]
    assert concern_of("water.zone") == "city"


def test_days_alike_are_those_whose_hours_went_the_same_way() -> None:
    days, rng = 20, np.random.default_rng(1)
    at = np.arange(days * DAY)
    values = 10 + 3 * np.sin(at / DAY * 2 * np.pi) + 0.1 * rng.normal(size=len(at))
    values[-4:] += 5.0
    values[-4 - 7 * DAY : -7 * DAY] += 4.0  # a week ago it was the same
    values[-4 - 3 * DAY : -3 * DAY] -= 4.0  # three days ago the other way round
    off, usual = residuals(values, at % DAY, np.zeros(len(at), int))
    assert abs(usual[-1] - (values[-1] - 5.0)) < 0.5
    found = alike(off)
    assert [days for days, _ in found] == [7]
    assert found[0][1] > 0.9
    assert alike(np.zeros(len(at))) == []
