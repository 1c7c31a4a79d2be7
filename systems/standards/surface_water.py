"""Surface water class by GB 3838-2002, table 1 (rivers)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.model import Floats

UPPER_LIMITS = {
    "codmn": (2.0, 4.0, 6.0, 10.0, 15.0),
    "nh3n": (0.15, 0.5, 1.0, 1.5, 2.0),
    "tp": (0.02, 0.1, 0.2, 0.3, 0.4),
}
"""Largest value of classes I to V, mg/L."""
OXYGEN_LIMITS = (7.5, 6.0, 5.0, 3.0, 2.0)
"""Smallest dissolved oxygen of classes I to V, mg/L."""
PH_SPAN = (6.0, 9.0)
WORSE_THAN_V = 6.0


def water_class(columns: Mapping[str, Floats], observed_at: NDArray[np.int64]) -> Floats:
    """Return the class 1..5, or 6 for 劣V: the worst of the items present; NaN if none is."""
    items = [_class(columns[name], limits) for name, limits in UPPER_LIMITS.items()]
    items.append(_class(-columns["do"], tuple(-limit for limit in OXYGEN_LIMITS)))
    ph = columns["ph"]
    inside = (ph >= PH_SPAN[0]) & (ph <= PH_SPAN[1])
    items.append(np.where(np.isnan(ph), np.nan, np.where(inside, 1.0, WORSE_THAN_V)))
    return np.fmax.reduce(np.stack(items), axis=0)


def _class(values: Floats, limits: tuple[float, ...]) -> Floats:
    return np.where(np.isnan(values), np.nan, 1.0 + np.searchsorted(limits, values))
