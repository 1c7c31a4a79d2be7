"""The life of an early warning: raised by chance, ended with hysteresis, verified by what came."""

import numpy as np
import pytest

from catalog.early import milder
from catalog.registry import early_rules, find_rule
from forecasts.core.backtest import Backtest
from forecasts.core.spec import Spec
from forecasts.core.warnings import Limit, Standing, chances, decide, replay
from forecasts.early import Record

LIMIT = Limit("transformer.oil_temp", 2, True, np.array([95.0]))
LEADS = (1, 3, 6, 24)


def _step(
    recent: list[float], chance: list[float], is_open: bool = False, overdue: bool = False
) -> str | None:
    standing = Standing(overdue) if is_open else None
    step = decide(np.array(recent), np.array(chance), LEADS, LIMIT, 95.0, standing)
    return step.outcome if step else None


CALM, LIKELY, UNLIKELY = [80.0, 81, 82, 83], [0.1, 0.3, 0.6, 0.9], [0.1, 0.1, 0.2, 0.9]


@pytest.mark.parametrize(
    ("recent", "chance", "is_open", "outcome"),
    [
        (CALM, LIKELY, False, "open"),
        (CALM, UNLIKELY, False, None),  # 24 h ahead is outside of the window
        (CALM, LIKELY, True, None),
        (CALM, [0.3, 0.3, 0.3, 0.3], True, None),  # below what raises, above what ends
        (CALM, UNLIKELY, True, "withdrawn"),
        ([80, 81, 82, 96], UNLIKELY, True, "hit"),
        ([80, 81, 82, 96], LIKELY, False, "miss"),
        ([80, 96, 82, 96], LIKELY, False, None),  # no event of its own
        ([96, 96, 96, 96], LIKELY, False, None),
        ([80, 81, 82, np.nan], LIKELY, False, None),
        ([80, 81, 82, np.nan], UNLIKELY, True, None),
        ([np.nan] * 4, UNLIKELY, True, "void"),
        (CALM, [np.nan] * 4, False, None),  # still learning
    ],
)
def test_each_hour_decides(
    recent: list[float], chance: list[float], is_open: bool, outcome: str | None
) -> None:
    assert _step(recent, chance, is_open) == outcome


def test_the_chance_lies_between_the_quantiles() -> None:
    said = np.array([[80.0, 85, 90, 95, 100], [np.nan, np.nan, 90, np.nan, np.nan]])
    assert chances(said, 95.0, upwards=True)[0] == pytest.approx(0.1)
    assert chances(said, 95.0, upwards=False)[0] == pytest.approx(0.9)
    assert chances(said, 200.0, upwards=True)[0] == pytest.approx(0.0125)
    assert np.isnan(chances(said, 95.0, upwards=True)[1])


def test_taken_back_after_its_hour_it_was_false() -> None:
    assert _step(CALM, UNLIKELY, is_open=True, overdue=True) == "false"
    assert _step(CALM, LIKELY, is_open=True, overdue=True) is None, "it may come later"


def test_one_limit_a_series_is_compared_with_all_its_leads() -> None:
    said = np.tile(np.array([80.0, 85, 90, 95, 100]), (2, 3, 1))
    found = chances(said, np.array([[90.0], [np.nan]]), upwards=True)
    assert found[0] == pytest.approx([0.5] * 3)
    assert np.isnan(found[1]).all()
    flat = np.full((1, 5), 0.0)  # a dry road: all quantiles at the floor
    assert chances(flat, 0.3, upwards=True) == pytest.approx([0.0125])


def _backtest(values: np.ndarray, likely: np.ndarray) -> Backtest:
    """Return forecasts that see a breach at 90 % from ``likely`` origins, else at 1 %."""
    origins = np.arange(4, values.shape[1])
    middle = np.where(likely[origins], 100.0, 70.0)
    spread = np.array([-10.0, -5, 0, 5, 10])
    quantiles = np.broadcast_to(
        (middle[:, None] + spread)[None, :, None, :], (1, len(origins), 3, 5)
    )
    blank = np.empty(0)
    spec = Spec(3600, (1, 3, 6))
    return Backtest(spec, origins, blank, quantiles, blank, blank, 0, ())


def test_a_backtest_tells_what_its_warnings_would_have_been() -> None:
    values, likely = np.full((1, 60), 80.0), np.zeros(60, dtype=bool)
    likely[10:14] = True
    values[0, 13:16] = 96.0  # comes in the hour 13, warned from 11 on
    likely[20:30] = True  # never comes, taken back late
    likely[35:36] = True  # taken back at once
    values[0, 50] = 96.0  # comes unannounced
    (found_hit, found_false, again, found_miss) = replay(_backtest(values, likely), values, [LIMIT])
    assert (found_hit.outcome, found_hit.raised, found_hit.crossed) == ("hit", 11, 13)
    assert (found_false.outcome, found_false.raised, found_false.ended) == ("false", 21, 31)
    assert (again.outcome, again.raised) == ("false", 36)
    assert (found_miss.outcome, found_miss.crossed, found_miss.chance) == ("miss", 50, None)


@pytest.mark.parametrize(
    ("record", "on_trial"),
    [
        (Record(15, 4, 0.1), True),  # too few
        (Record(16, 4, 0.1), False),
        (Record(10, 10, 0.3), False),
        (Record(10, 11, 0.3), True),  # more than half did not come
        (Record(10, 10, 0.5), True),  # no better than to say nothing
        (Record(0, 0, 0.0), True),
    ],
)
def test_a_rule_is_on_trial_until_it_has_shown_skill(record: Record, on_trial: bool) -> None:
    assert record.on_trial == on_trial


def test_each_rule_on_a_forecast_quantity_has_an_early_one_a_level_milder() -> None:
    rule = early_rules()["transformer.oil_temp_early"]
    assert (rule.of, rule.title.zh[:2]) == ("transformer.oil_temp", "预计")
    assert find_rule("transformer.oil_temp_early") is rule
    assert "air_quality.aqi_early" not in early_rules(), "nobody forecasts the index"
    assert [milder(severity) for severity in (1, 2, 3, 4)] == [2, 3, 4, 4]
