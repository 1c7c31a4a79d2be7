"""Where the sun stands: elevation by the low-precision formulas of the Astronomical Almanac.

Mean longitude and anomaly, two terms of the equation of centre, Greenwich mean sidereal time; good
to 0.02° from 1950 to 2050 (Astronomical Almanac, section C, "Low precision formulas for the Sun").
Refraction is not in it: it is part of the elevations that rules name.
"""

import numpy as np
from numpy.typing import ArrayLike

from catalog.base import Floats

J2000_US = 946_728_000 * 1_000_000
"""2000-01-01 12:00, epoch µs."""
DAY_US = 86_400 * 1_000_000


def elevation(at_us: ArrayLike, lon: float, lat: float) -> Floats:
    """Return the elevation of the sun's centre in degrees at times (epoch µs) ``[k]``."""
    days = (np.asarray(at_us, np.int64) - J2000_US) / DAY_US
    longitude = 280.460 + 0.9856474 * days
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    sidereal = np.radians(280.46062 + 360.98564737 * days + lon)
    turned = np.cos(sidereal - ascension)
    high = np.sin(np.radians(lat)) * np.sin(declination)
    return np.degrees(np.arcsin(high + np.cos(np.radians(lat)) * np.cos(declination) * turned))
