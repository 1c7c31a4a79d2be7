"""Hand-made logs with answers worked out by hand: reference and engine both give them."""

from datetime import date

import pytest

from catalog.registry import stream
from catalog.ticks import Tick
from tests.cases.story import both, readings, story
from tests.property.logs import START, US


def test_a_worse_level_must_hold_as_long_itself() -> None:
    """Standstill: yellow at 10 km/h, orange at 6, for 180 s: one orange reading is no alert."""
    rows = [(0, 9.0), (160, 5.0), (180, 9.0), (200, 9.0)]
    for result in both("traffic_flow", readings("f", "speed_km_h", *rows)):
        assert story(result, "traffic_flow.standstill") == [("raised", 3, 180)]


def test_a_level_given_up_in_steps_needs_each_step_its_time() -> None:
    """Orange, yellow, nothing: each is left 120 s after the speed passed its own deadband."""
    rows = [(0, 5.0), (180, 5.0), (200, 9.0), (300, 30.0), (320, 30.0), (400, 30.0), (420, 30.0)]
    for result in both("traffic_flow", readings("f", "speed_km_h", *rows)):
        assert story(result, "traffic_flow.standstill") == [
            ("raised", 2, 180),
            ("changed", 3, 320),
            ("cleared", 3, 420),
        ]


def test_the_limit_told_is_the_one_of_the_severity_told() -> None:
    rows = [(0, 9.0), (160, 5.0), (180, 5.0)]
    for result in both("traffic_flow", readings("f", "speed_km_h", *rows)):
        told = [(t["severity"], t["threshold"]) for t in result["transitions"].values()]
        assert told == [(3, 10.0)]


def test_a_late_reading_sees_the_whole_of_its_own_window() -> None:
    """Rain in 3 h at a late reading reaches back further than the newest reading's does."""
    rows = [(0, 8.0), (10_800, 1.0), (10_500, 2.0)]
    for result in both("weather", readings("w", "rain_mm", *rows)):
        late = [row for key, row in result["windows"].items() if key[2] == (START + 10_500) * US]
        assert [row["rain_3h_last"] for row in late] == [10.0]


@pytest.mark.parametrize("value", [None, 5.5])
def test_a_bad_or_missing_value_neither_raises_nor_clears(value: float | None) -> None:
    """5.5 m of water is beyond the fail span: flagged, and the rule stays as it is."""
    rows = [(0, 0.16), (30, 0.16), (60, value), (500, value)]
    for result in both("waterlogging", readings("p", "depth_m", *rows)):
        assert story(result, "waterlogging.ponding") == [("raised", 4, 30)]


def test_the_largest_frequency_deviation_alerts() -> None:
    """49.0 Hz is where load shedding begins: red, never doubted by quality control."""
    rows = [(0, 50.0), (5, 49.0), (10, 49.0)]
    for result in both("grid_frequency", readings("frequency-jinjiang", "frequency_hz", *rows)):
        assert story(result, "grid_frequency.deviation") == [("raised", 1, 10)]


def test_silence_counts_ticks_not_time() -> None:
    """One of two stations goes on, so that it is the other one that is silent."""
    one, other = "noise-510104-01", "noise-510104-02"
    log = [*readings(one, "leq_db", (0, 50.0))]
    for n in range(1, 151):
        log += [Tick(START + n), *readings(other, "leq_db", (n, 50.0))]
    for result in both("noise", [*log, Tick(START + 150), Tick(START + 9_000)]):
        assert story(result, "noise.silent", one) == [("raised", 4, 150)]
        assert story(result, "noise.silent_stream") == []


def test_hours_and_dates_of_a_limit_are_beijing_time() -> None:
    """AQI by HJ 633-2012 until 28 February 2026, by HJ 633-2026 from 1 March, local midnight."""
    from systems.standards.aqi import IN_FORCE_2026_US
    from verify.oracle.rules import in_force

    rule = next(r for r in stream("air_quality").rules if r.kind == "threshold")
    midnight = IN_FORCE_2026_US
    old = next(x for x in rule.thresholds if x.source.effective_to == date(2026, 2, 28))
    new = rule.thresholds[-1]
    assert (in_force(old, midnight - 1), in_force(new, midnight - 1)) == (True, False)
    assert (in_force(old, midnight), in_force(new, midnight)) == (False, True)
