"""Small functions of declarations: derived metrics and relations that no standard names."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.base import Floats
from catalog.model import DerivedFunction, RelationFunction

BURST_RISE = 0.15
"""Share by which the flow rises when a main bursts."""
ABOVE_HIGHEST_M = 3.0
EMPTY_LANE_PCT = 10.0
"""Occupancy below which there is no queue, however slow a vehicle passes."""
FREE_KM_H = 60.0
Columns = Mapping[str, Floats]
Times = NDArray[np.int64]


def absolute_deviation(metric: str, nominal: float) -> DerivedFunction:
    """Return |metric - nominal|, in the metric's unit."""

    def deviation(columns: Columns, observed_at: Times) -> Floats:
        return np.abs(columns[metric] - nominal)

    return deviation


def magnitude(metric: str, per: float) -> DerivedFunction:
    """Return |metric| / per: a change over ``per`` seconds as a rate."""

    def rate(columns: Columns, observed_at: Times) -> Floats:
        return np.abs(columns[metric]) / per

    return rate


def lowest_of(*metrics: str) -> DerivedFunction:
    """Return the lowest of several metrics, those that are missing aside."""

    def lowest(columns: Columns, observed_at: Times) -> Floats:
        return np.fmin.reduce([columns[name] for name in metrics])

    return lowest


def highest_of(*metrics: str) -> DerivedFunction:
    """Return the highest of several metrics, those that are missing aside."""

    def highest(columns: Columns, observed_at: Times) -> Floats:
        return np.fmax.reduce([columns[name] for name in metrics])

    return highest


def burst_drop(columns: Columns, observed_at: Times) -> Floats:
    """Return the pressure drop of 5 min, MPa, where the flow rose by 15 %; else 0."""
    before = columns["flow_m3_h"] - columns["flow_change_5min"]
    rising = columns["flow_change_5min"] > BURST_RISE * before
    known = ~np.isnan(before) & ~np.isnan(columns["pressure_change_5min"])
    drop = np.where(rising, np.maximum(-columns["pressure_change_5min"], 0.0), 0.0)
    return np.where(known, drop, np.nan)


def traffic_speed(columns: Columns, observed_at: Times) -> Floats:
    """Return the speed of the traffic, km/h; a lane (almost) without vehicles counts as free.

    A detector on an empty lane reports speed 0, as one under a queue does: occupancy tells them
    apart. Where it is missing a vehicle was there only if it had a speed.
    """
    speed, occupancy = columns["speed_km_h"], columns["occupancy_pct"]
    empty = occupancy < EMPTY_LANE_PCT
    unknown = np.isnan(occupancy) & (speed <= 0)
    return np.where(empty, np.fmax(speed, FREE_KM_H), np.where(unknown, np.nan, speed))


def exceeds(metric: str, bound: str, by: float = 0.0, share: float = 0.0) -> RelationFunction:
    """Tell where ``metric`` is above ``bound`` by more than ``by`` + ``share`` of the bound."""

    def above(columns: Columns) -> NDArray[np.bool_]:
        return columns[metric] > columns[bound] * (1.0 + share) + by

    return above


def flow_without_speed(columns: Columns) -> NDArray[np.bool_]:
    """Tell where vehicles pass at no speed."""
    return (columns["flow_veh_h"] > 0) & (columns["speed_km_h"] <= 0)


def below_the_bed(columns: Columns) -> NDArray[np.bool_]:
    """Tell where a river is below its bed, which it cannot be."""
    return columns["level_m"] < columns["bed_level_m"]


def above_all_known(columns: Columns) -> NDArray[np.bool_]:
    """Tell where a river is 3 m above the highest level ever seen: odd, but a flood may do it."""
    return columns["level_m"] > columns["highest_level_m"] + ABOVE_HIGHEST_M


def part_pct(part: str, *whole: str) -> DerivedFunction:
    """Return what share of the sum of ``whole`` a part is, in %; missing of nothing."""

    def share(columns: Columns, observed_at: Times) -> Floats:
        total = np.sum([columns[name] for name in whole], axis=0)
        return 100 * columns[part] / np.where(total > 0, total, np.nan)

    return share


def scaled(metric: str, by: float) -> DerivedFunction:
    """Return a metric in another unit."""

    def other(columns: Columns, observed_at: Times) -> Floats:
        return columns[metric] * by

    return other
