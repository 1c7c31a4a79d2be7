"""The life of an early warning: raised by chance, ended with hysteresis, verified by what came."""

import numpy as np
import pytest

from forecasts.early import Limit, chances, decide

LIMIT = Limit("transformer.oil_temp", 2, True, np.array([95.0]))
LEADS = (1, 3, 6, 24)


def _step(recent: list[float], chance: list[float], is_open: bool = False) -> str | None:
    step = decide(np.array(recent), np.array(chance), LEADS, LIMIT, 95.0, is_open)
    return step.outcome if step else None


CALM, LIKELY, UNLIKELY = [80.0, 81, 82, 83], [0.1, 0.3, 0.6, 0.9], [0.1, 0.1, 0.2, 0.9]


@pytest.mark.parametrize(
    ("recent", "chance", "is_open", "outcome"),
    [
        (CALM, LIKELY, False, "open"),
        (CALM, UNLIKELY, False, None),  # 24 h ahead is outside of the window
        (CALM, LIKELY, True, None),
        (CALM, [0.3, 0.3, 0.3, 0.3], True, None),  # below what raises, above what ends
        (CALM, UNLIKELY, True, "false"),
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
