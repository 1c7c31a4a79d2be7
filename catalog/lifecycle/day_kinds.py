"""The kind of a day, by which the usual course of things differs: working or free."""

from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.lifecycle.working_time import working_time

WORKING, FREE = 0, 1
EPOCH = date(1970, 1, 1)
SATURDAY = 5


@cache
def kind_of(day: int) -> int:
    """Return the kind of a local day (days since 1970-01-01) by the site's calendar."""
    return WORKING if working_time().is_workday(EPOCH + timedelta(days=day)) else FREE


def kinds_of(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of each local day ``[k]``."""
    found, place = np.unique(days, return_inverse=True)
    return np.array([kind_of(day) for day in found.tolist()], np.int64)[place]


def weekends_alone(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of each day where nothing but Saturdays and Sundays is known."""
    return ((days + 3) % 7 >= SATURDAY).astype(np.int64)  # 1970-01-01 was a Thursday
