"""Golden values of the published formulas, and the rules around missing data."""

from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.rounding import rounded
from systems.standards.aqi import aqi, aqi_class
from systems.standards.surface_water import water_class
from systems.standards.traffic_index import delay_proportion, performance_index

BEFORE = int(datetime(2015, 12, 8, tzinfo=UTC).timestamp()) * 1_000_000
AFTER = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
SWITCH = int(datetime(2026, 2, 28, 16, tzinfo=UTC).timestamp()) * 1_000_000
CLEAN = {"so2_1h": 0, "no2_1h": 0, "co_1h": 0, "o3_1h": 0, "pm10_1h": 0, "pm25_1h": 0}
NAMES = (*CLEAN, "pm10_24h", "pm25_24h", "o3_8h")


def index(at: int, **given: float) -> float:
    values = dict.fromkeys(NAMES, np.nan) | CLEAN | given
    if at < SWITCH:
        values.setdefault("pm25_24h", np.nan)
    columns = {name: np.array([float(value)]) for name, value in values.items()}
    return float(aqi(columns, np.array([at]))[0])


@pytest.mark.parametrize(
    ("pm25", "old", "new"),
    [
        (20, 29, 29),
        (50, 69, 80),
        (60, 82, 100),
        (75, 100, 114),
        (100, 132, 137),
        (115, 150, 150),
        (160, 210, 210),
    ],
)
def test_pm25_by_both_versions(pm25: float, old: float, new: float) -> None:
    assert index(BEFORE, pm25_24h=pm25) == old
    assert index(AFTER, pm25_1h=pm25) == new


def test_the_version_changes_at_midnight_in_beijing() -> None:
    assert index(SWITCH - 1, pm25_1h=60, pm25_24h=60) == 82
    assert index(SWITCH, pm25_1h=60, pm25_24h=60) == 100


def test_an_incomplete_set_of_2026_is_told_only_above_100() -> None:
    assert np.isnan(index(AFTER, so2_1h=np.nan, pm25_1h=50))
    assert index(AFTER, so2_1h=np.nan, pm25_1h=100) == 137


def test_so2_above_800_is_left_out_in_2012_and_200_in_2026() -> None:
    assert index(BEFORE, so2_1h=900) == 0
    assert index(AFTER, so2_1h=900) == 200


def test_nothing_measured_has_no_index() -> None:
    assert np.isnan(index(BEFORE, **dict.fromkeys(CLEAN, np.nan)))


def test_classes_end_at_their_upper_limits() -> None:
    values = np.array([0.0, 50, 51, 100, 101, 150, 200, 300, 301, np.nan])
    found = aqi_class({"aqi": values}, np.zeros(10, np.int64))
    assert found[:-1].tolist() == [1, 1, 2, 2, 3, 3, 4, 5, 6]
    assert np.isnan(found[-1])


def test_traffic_index_bands() -> None:
    ratio = np.array([1.2, 0.7, 0.5, 0.4, 0.3, 0.0])
    at = np.zeros(6, np.int64)
    dtp = delay_proportion({"speed_ratio_5min": ratio}, at)
    tpi = performance_index({"dtp": dtp}, at)
    assert np.round(tpi, 6).tolist() == [0, 2, 4, 6, 8, 10]


def test_the_worst_item_makes_the_water_class() -> None:
    columns = {
        "ph": np.array([7.0, 7.0, 9.5, np.nan, np.nan]),
        "do": np.array([8.0, 8.0, 8.0, 1.0, np.nan]),
        "codmn": np.array([2.0, 2.0, 2.0, np.nan, np.nan]),
        "nh3n": np.array([0.15, 1.2, 0.1, np.nan, np.nan]),
        "tp": np.array([0.02, 0.02, 0.02, np.nan, np.nan]),
    }
    found = water_class(columns, np.zeros(5, np.int64))
    assert found[:4].tolist() == [1, 4, 6, 6]
    assert np.isnan(found[4])


def test_halves_go_to_the_even_digit_however_the_number_was_added_up() -> None:
    assert rounded(np.array([0.05, 0.15, 0.25, 0.1 + 0.2 + 0.05]), 1).tolist() == [0, 0.2, 0.2, 0.4]
    assert rounded(np.array([8.335, 8.345, 1.005]), 2).tolist() == [8.34, 8.34, 1.0]
