"""Road traffic congestion by GB/T 33171-2016, appendix C."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.model import Floats

DTP = (0.0, 0.3, 0.5, 0.6, 0.7, 1.0)
TPI = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)


def delay_proportion(columns: Mapping[str, Floats], observed_at: NDArray[np.int64]) -> Floats:
    """Return the delay-time proportion 1 - v/v_free, within 0..1, of the mean of five minutes."""
    return np.clip(1.0 - columns["speed_ratio_5min"], 0.0, 1.0)


def performance_index(columns: Mapping[str, Floats], observed_at: NDArray[np.int64]) -> Floats:
    """Return the traffic performance index 0..10 of column ``dtp``.

    The band limits are the standard's; linear inside a band is this project's convention.
    """
    return np.interp(columns["dtp"], DTP, TPI)
