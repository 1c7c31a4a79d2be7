"""Conditions of limits in the reference: one moment at a time, by the calendar's own words."""

from collections.abc import Callable
from datetime import UTC, datetime

from catalog.conditions import Condition, Sun
from catalog.site import offset_us, site
from catalog.sun import elevation

US = 1_000_000
DAY_US = 86_400 * US
Kind = Callable[[int], int]


def holds(condition: Condition, at: int, kind: Kind) -> bool:
    """Tell whether a condition holds at a time (epoch µs)."""
    if isinstance(condition, Sun):
        stands = float(elevation([at], *site().centre)[0])
        return (condition.below is None or stands < condition.below) and (
            condition.above is None or stands > condition.above
        )
    local = datetime.fromtimestamp((at + offset_us()) // US, UTC)
    if condition.hours is not None and local.hour not in _run(*condition.hours, 24):
        return False
    if condition.months is not None:
        first, last = condition.months
        if local.month not in {m % 12 + 1 for m in _run(first - 1, last % 12, 12)}:
            return False
    if condition.days is None:
        return True
    is_free = kind((at + offset_us()) // DAY_US) == 1
    return is_free == (condition.days == "free")


def _run(start: int, end: int, size: int) -> set[int]:
    """Return the numbers from ``start`` to before ``end`` round a dial; all if they are equal."""
    length = (end - start) % size or size
    return {(start + n) % size for n in range(length)}
