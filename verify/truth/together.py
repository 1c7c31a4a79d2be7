"""Joint rules on a labelled file: all its signals as one group, hour by hour."""

import numpy as np

from catalog.base import Floats
from forecasts.joint.judge import Limits, walk
from verify.truth.play import Episode
from verify.truth.series import Series

HOUR_US = 3_600_000_000
JOINT = "joint"


def hours_of(series: Series) -> tuple[int, Floats]:
    """Return the first hour (since 1970) and the means of all hours ``[T, signals]``; NaN = none.

    A signal is one metric of one sensor; one that never has a value is left out.
    """
    hours = series.at // HOUR_US
    first = int(hours.min())
    shape = (int(hours.max()) - first + 1, len(series.sensors), series.values.shape[1])
    total, count = np.zeros(shape), np.zeros(shape)
    there = np.isfinite(series.values)
    np.add.at(total, (hours - first, series.who), np.where(there, series.values, 0.0))
    np.add.at(count, (hours - first, series.who), there)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape[0], -1)
    return first, means[:, np.isfinite(means).any(axis=0)]


def joint_episodes(series: Series, spreads: float) -> list[Episode]:
    """Return what a joint rule says of a series, from its first hour on, knowing none before.

    An hour is judged when it is over. What was withdrawn counts for nothing, as in the city.
    """
    first, values = hours_of(series)
    _, found = walk(values, Limits(((4, spreads),), spreads / 2))
    return [
        Episode(
            *(JOINT, JOINT, "*", (first + one.raised + 1) * HOUR_US),
            None if one.end is None else (first + one.end + 1) * HOUR_US,
            one.peak,
        )
        for one in found
        if one.kind != "withdrawn"
    ]
