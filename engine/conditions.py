"""Whether a limit's condition holds at times: hours, kinds of days, months, the sun."""

from collections.abc import Callable

import numpy as np

from catalog.conditions import Condition, Hours, Schedule
from catalog.lifecycle.day_kinds import FREE, WORKING
from catalog.site import offset_us, site
from catalog.sun import elevation

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
DayKind = Callable[[np.ndarray], np.ndarray]


def holds(condition: Condition, times: np.ndarray, day_kind: DayKind) -> np.ndarray:
    """Tell for each time (epoch µs) whether the condition holds; days by ``day_kind``."""
    if isinstance(condition, Schedule):
        return _scheduled(condition, times + offset_us(), day_kind)
    stands = elevation(times, *site().centre)
    low = -np.inf if condition.above is None else condition.above
    high = np.inf if condition.below is None else condition.below
    return (stands > low) & (stands < high)


def within(hours: Hours, local: np.ndarray) -> np.ndarray:
    """Tell which local times (µs) lie within local hours, which may wrap at midnight."""
    start, end = hours
    hour = local % DAY_US // HOUR_US
    day_part = (hour >= start) & (hour < end)
    return day_part if start < end else (hour >= start) | (hour < end)


def _scheduled(schedule: Schedule, local: np.ndarray, day_kind: DayKind) -> np.ndarray:
    inside, day = np.ones(len(local), bool), local // DAY_US
    if schedule.hours is not None:
        inside &= within(schedule.hours, local)
    if schedule.days is not None:
        inside &= day_kind(day) == (FREE if schedule.days == "free" else WORKING)
    if schedule.months is not None:
        first, last = schedule.months
        month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
        some = (month >= first) & (month <= last)
        inside &= some if first <= last else (month >= first) | (month <= last)
    return inside
