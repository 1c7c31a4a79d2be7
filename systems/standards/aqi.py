"""Air quality index by HJ 633-2012 and HJ 633-2026, hourly report, vectorised.

Concentrations in µg/m³ (CO in mg/m³); NaN = missing. The version follows the observation date:
HJ 633-2026 is in force from 2026-03-01, Beijing time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from catalog.model import Floats
from catalog.rounding import rounded

BEIJING = timezone(timedelta(hours=8))
IN_FORCE_2026_US = int(datetime(2026, 3, 1, tzinfo=BEIJING).timestamp()) * 1_000_000
IAQI = (0, 50, 100, 150, 200, 300, 400, 500)
"""Individual index at each breakpoint (HJ 633-2026, table 3; the same in 2012)."""

SO2_1H = (0, 150, 500, 650, 800)
NO2_1H = (0, 100, 200, 700, 1200, 2340, 3090, 3840)
CO_1H = (0, 5, 10, 35, 60, 90, 120, 150)
O3_1H = (0, 160, 200, 300, 400, 800, 1000, 1200)
O3_8H = (0, 100, 160, 215, 265, 800)
PM10_24H_2012 = (0, 50, 150, 250, 350, 420, 500, 600)
PM10_24H_2026 = (0, 50, 120, 250, 350, 420, 500, 600)
PM25_24H_2012 = (0, 35, 75, 115, 150, 250, 350, 500)
PM25_24H_2026 = (0, 35, 60, 115, 150, 250, 350, 500)
CLASS_LIMITS = (50, 100, 150, 200, 300)
_ROUND_UP_SLACK = 1e-9  # an exact breakpoint must not round up because of binary fractions


def iaqi(concentration: Floats, breakpoints: tuple[int, ...]) -> Floats:
    """Return the individual index by linear interpolation, held at the last breakpoint."""
    return np.interp(concentration, breakpoints, IAQI[: len(breakpoints)])


def aqi_2012(c: Mapping[str, Floats]) -> Floats:
    """Return the hourly AQI of HJ 633-2012 §4: 1 h means of gases, O3 8 h, sliding 24 h particles.

    SO2 above 800 has no 1 h index and O3 8 h above 800 gives way to O3 1 h; NaN if nothing is left.
    """
    parts = (
        np.where(c["so2_1h"] > 800, np.nan, iaqi(c["so2_1h"], SO2_1H)),
        iaqi(c["no2_1h"], NO2_1H),
        iaqi(c["co_1h"], CO_1H),
        iaqi(c["o3_1h"], O3_1H),
        np.where(c["o3_8h"] > 800, np.nan, iaqi(c["o3_8h"], O3_8H)),
        iaqi(c["pm10_24h"], PM10_24H_2012),
        iaqi(c["pm25_24h"], PM25_24H_2012),
    )
    return _worst(np.stack(parts))


def aqi_2026(c: Mapping[str, Floats]) -> Floats:
    """Return the hourly AQI of HJ 633-2026 §4.2 and §5.3.1: six 1 h means, rounded first.

    An incomplete set gives an index only above 100, else NaN.
    """
    parts = (
        iaqi(rounded(c["so2_1h"]), SO2_1H),
        iaqi(rounded(c["no2_1h"]), NO2_1H),
        iaqi(rounded(c["co_1h"], 1), CO_1H),
        iaqi(rounded(c["o3_1h"]), O3_1H),
        iaqi(rounded(c["pm10_1h"]), PM10_24H_2026),
        iaqi(rounded(c["pm25_1h"]), PM25_24H_2026),
    )
    stacked = np.stack(parts)
    index = np.maximum(_worst(stacked), 1.0)
    incomplete = np.isnan(stacked).any(axis=0)
    return np.where(incomplete & ~(index > 100), np.nan, index)


def aqi(columns: Mapping[str, Floats], observed_at: NDArray[np.int64]) -> Floats:
    """Return the AQI by the version in force at ``observed_at`` (epoch µs)."""
    new = observed_at >= IN_FORCE_2026_US
    if new.all():
        return aqi_2026(columns)
    return np.where(new, aqi_2026(columns), aqi_2012(columns))


def aqi_class(columns: Mapping[str, Floats], observed_at: NDArray[np.int64]) -> Floats:
    """Return the class 1 (优) to 6 (严重污染) of column ``aqi``; NaN stays NaN."""
    index = columns["aqi"]
    return np.where(np.isnan(index), np.nan, 1.0 + np.searchsorted(CLASS_LIMITS, index))


def _worst(parts: Floats) -> Floats:
    worst = np.fmax.reduce(parts, axis=0)
    return np.ceil(worst - _ROUND_UP_SLACK)
