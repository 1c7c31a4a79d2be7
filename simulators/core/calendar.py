"""Beijing time and the kind of day: the calendar that all daily curves follow."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from catalog.site import offset_s
from simulators.core.chance import Floats

DAY_S = 86_400
SATURDAY = 5
_SPRING_FESTIVALS = (
    date(2024, 2, 10),
    date(2025, 1, 29),
    date(2026, 2, 17),
    date(2027, 2, 6),
    date(2028, 1, 26),
    date(2029, 2, 13),
    date(2030, 2, 3),
)
"""First days of the lunar year. Later years have no Spring Festival here."""
_FIXED_HOLIDAYS = ((1, 1, 1), (4, 4, 3), (5, 1, 5), (10, 1, 7))
"""Month, day and length of the holidays with a fixed date (New Year, Qingming, May, October)."""


def local_day(at_s: Floats) -> NDArray[np.int64]:
    """Return days since 1970-01-01 in Beijing."""
    return np.floor((at_s + offset_s()) / DAY_S).astype(np.int64)


def day_start_s(day: int) -> float:
    """Return epoch seconds of a Beijing day's midnight."""
    return float(day * DAY_S - offset_s())


def hour(at_s: Floats) -> Floats:
    """Return the Beijing hour of the day, 0 up to 24."""
    return (at_s + offset_s()) % DAY_S / 3600.0


def day_of_year(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0 for 1 January."""
    dates = day.astype("datetime64[D]")
    return (dates - dates.astype("datetime64[Y]")).astype(np.int64)


def is_free(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which days are weekend or public holiday."""
    weekend = (day + 3) % 7 >= SATURDAY
    return weekend | np.isin(day, _holidays(day))


def by_hour(table: tuple[float, ...], at_hour: Floats) -> Floats:
    """Return values of a 24-hour table, each given for the middle of its hour."""
    hours = np.arange(-1, 25) + 0.5
    values = np.array([table[-1], *table, table[0]])
    return np.interp(at_hour, hours, values)


def by_month(table: tuple[float, ...], day: NDArray[np.int64]) -> Floats:
    """Return values of a table of 12 months, smoothly from one mid-month to the next."""
    middles = (np.arange(-1, 13) + 0.5) * 365.25 / 12
    values = np.array([table[-1], *table, table[0]])
    return np.interp(day_of_year(day) + 0.5, middles, values)


def _holidays(day: NDArray[np.int64]) -> list[int]:
    if not day.size:
        return []
    epoch = date(1970, 1, 1)
    years = range(
        (epoch + timedelta(int(day.min()))).year, (epoch + timedelta(int(day.max()))).year + 1
    )
    starts = [(date(y, m, d), n) for y in years for m, d, n in _FIXED_HOLIDAYS]
    starts += [(d - timedelta(1), 8) for d in _SPRING_FESTIVALS if d.year in years]
    return [(first - epoch).days + n for first, count in starts for n in range(count)]
