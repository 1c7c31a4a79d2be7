"""The numpy half of the forecasts: causal, the same in any company, calibrated, hard to fool."""

import numpy as np
import pytest

from catalog.base import Floats
from forecasts.core import members as members_module
from forecasts.core.backtest import Backtest, backtest
from forecasts.core.blend import guards, quantiles, weights
from forecasts.core.features import Known
from forecasts.core.levels import believed, shifts
from forecasts.core.panel import Panel, filled
from forecasts.core.spec import BLEND, DAMPED, HIGH80, LOW80, MEDIAN, PERSISTENCE, Spec
from forecasts.core.train import Model

DAY = 24
SPEC = Spec(step_s=3600, leads=(1, 6, 24))


def _series(days: int, count: int = 2, seed: int = 1) -> Floats:
    """Return days with a daily wave, weekends that are lower, and noise that remembers."""
    rng = np.random.default_rng(seed)
    steps = np.arange(days * DAY)
    wave = 50 + 20 * np.sin(2 * np.pi * steps / DAY) - 8 * (steps // DAY % 7 >= 5)
    noise = rng.normal(0, 2, (count, len(steps)))
    for step in range(1, len(steps)):
        noise[:, step] += 0.8 * noise[:, step - 1]
    return wave + noise


def _said(values: Floats, spec: Spec = SPEC, first: int = 16 * DAY) -> Backtest:
    return backtest(Panel.of(values, 3600), spec, first, refit_days=2)


def _changed(values: Floats, step: int) -> Floats:
    other = values.copy()
    other[:, step:] = other[:, step:] * -3 + 500
    return other


def _issues_differ(values: Floats, step: int) -> bool:
    """Tell whether anything issued before ``step`` depends on values from then on."""
    one, two = _said(values), _said(_changed(values, step))
    before = one.origins < step
    return one.quantiles[:, before].tobytes() != two.quantiles[:, before].tobytes()


@pytest.mark.parametrize("step", [16 * DAY + 1, 17 * DAY + 7])
def test_nothing_issued_depends_on_what_comes_after(step: int) -> None:
    assert not _issues_differ(_series(19), step)


def test_nothing_issued_depends_on_what_others_said_later() -> None:
    values, step = _series(19), 17 * DAY + 7
    rng = np.random.default_rng(2)
    ahead = rng.normal(0, 1, (2, values.shape[1], len(SPEC.leads), 2))
    later = ahead.copy()
    later[:, step:] = later[:, step:] * -3 + 500
    one, two, none = (
        backtest(Panel.of(values, 3600, ahead=said), SPEC, 16 * DAY, refit_days=2)
        for said in (ahead, later, None)
    )
    before = one.origins < step
    assert one.quantiles[:, before].tobytes() == two.quantiles[:, before].tobytes()
    assert one.quantiles[:, ~before].tobytes() != two.quantiles[:, ~before].tobytes()
    assert one.quantiles[:, before].tobytes() != none.quantiles[:, before].tobytes(), "it is used"


def test_a_lag_that_looks_ahead_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = members_module._rest

    def leaky(known: Known, origins: np.ndarray, index: int, model: Model) -> Floats:
        ahead = np.minimum(origins + 1, known.values.shape[1] - 1)
        return honest(known, origins, index, model) + 0.01 * known.values[:, ahead]

    monkeypatch.setattr(members_module, "_rest", leaky)
    assert _issues_differ(_series(19), 18 * DAY)


def test_a_series_comes_out_the_same_whatever_is_beside_it() -> None:
    values = _series(22, count=3)
    values[1, 440:] += 90  # one of them shifts, and is fitted anew for itself
    whole = _said(values)
    for row in range(3):
        alone = _said(values[row : row + 1])
        assert alone.quantiles[0].tobytes() == whole.quantiles[row].tobytes()


def test_gaps_are_bridged_backwards_only() -> None:
    values = np.arange(60.0)[None, :].copy()
    values[0, :2] = values[0, 30:40] = np.nan
    bridged = filled(values, DAY)[0]
    assert np.isnan(bridged[:2]).all()
    assert bridged[30:33].tolist() == [29, 29, 29], "the last value"
    assert bridged[33:40].tolist() == list(range(9, 16)), "then the day before"


def test_a_gap_of_six_hours_leaves_forecasts_and_bands() -> None:
    values = _series(24)
    values[:, 21 * DAY : 21 * DAY + 6] = np.nan
    said = _said(values)
    assert np.isfinite(said.quantiles[:, said.origins >= 20 * DAY]).all()


def test_bands_hold_as_often_as_they_promise_and_beat_the_naive_day() -> None:
    rows = _said(_series(46, count=4)).table(score_from=26 * DAY)
    for row in rows:
        assert 0.76 < row.cover80 < 0.84
        assert 0.92 < row.cover95 < 0.98
        assert row.mae < row.mae_seasonal
    assert rows[0].gain > 0.3


def test_a_shift_of_level_is_followed_within_hours() -> None:
    values = _series(38, count=1)
    values[0, 30 * DAY :] += 60
    found = shifts(values, SPEC)
    assert [(s.at, s.seen) for s in found] == [
        (30 * DAY, 30 * DAY + 2),
        (30 * DAY, 31 * DAY - 1),
    ]
    early, late_by = (abs(s.by - 60) for s in found)
    assert late_by < early < 10, "after a day it is known better"
    said = _said(values)
    late = (said.origins >= 30 * DAY + 3) & (said.origins < 37 * DAY)
    off = np.nanmean(np.abs(said.residuals(2)[0, late]))
    naive = np.abs(said.truth[..., 2] - said.members[..., 2, PERSISTENCE])[0, late]
    assert off < 1.1 * np.nanmean(naive), "24 h ahead, while the week before is of no use"


def test_what_comes_back_was_an_event_and_no_level() -> None:
    values = _series(38, count=1)
    values[0, 30 * DAY : 30 * DAY + 12] += 60
    found = shifts(values, SPEC)
    assert len(believed(found, 30 * DAY + 6)) == 1
    assert believed(found, 31 * DAY) == []


def test_weights_follow_the_live_errors() -> None:
    errors = np.full((1, 60, 1, 7), 2.0)
    errors[..., PERSISTENCE] = 1.0
    ages = np.arange(60)[::-1] / 24
    weigh = weights(errors, ages, Spec(step_s=3600, leads=(1,)))[0, 0]
    assert weigh.sum() == pytest.approx(1)
    assert weigh[PERSISTENCE] == pytest.approx(2**6 / (2**6 + 5))
    assert weigh[BLEND] == 0


def test_without_a_record_the_damped_anomaly_stands_and_no_guard_acts() -> None:
    errors = np.full((1, 0, 1, 7), np.nan)
    spec = Spec(step_s=3600, leads=(1,))
    assert weights(errors, np.empty(0), spec)[0, 0, DAMPED] == 1
    assert guards(errors, np.empty(0), spec)[0, 0, BLEND] == 1


def test_a_blend_that_loses_gives_way_to_the_naive_one() -> None:
    errors = np.full((1, 60, 1, 7), 2.0)
    errors[..., PERSISTENCE] = 1.0
    guard = guards(errors, np.zeros(60), Spec(step_s=3600, leads=(1,)))[0, 0]
    assert guard[PERSISTENCE] > 0.99


def test_quantiles_of_few_errors_are_unbiased_ranks() -> None:
    errors = np.arange(1.0, 100.0)[None, :, None]
    spec = Spec(step_s=3600, leads=(1,), fade_days=1e9)
    close = np.ones((99, 1), dtype=bool)
    found = quantiles(errors, np.zeros(99), close, np.zeros((1, 1)), spec)[0, 0]
    assert found == pytest.approx([2.5, 10, 50, 90, 97.5])


def test_a_logarithm_never_forecasts_below_zero() -> None:
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(2, 1, (1, 26 * DAY)))
    said = _said(values, Spec(step_s=3600, leads=(1, 24), log=True, offset=1.0, low=0.0))
    known = said.quantiles[np.isfinite(said.quantiles)]
    assert known.min() >= 0
    late = said.quantiles[:, said.origins > 20 * DAY]
    assert (late[..., LOW80] <= late[..., MEDIAN]).all()
    assert (late[..., MEDIAN] <= late[..., HIGH80]).all()
