"""Rounding by GB/T 8170: a value is rounded as its limit is written, then compared."""

import numpy as np

from catalog.base import Floats


def rounded(values: Floats, decimals: int = 0) -> Floats:
    """Round as GB/T 8170 asks: halves go to the even digit, however the number was added up."""
    scale = 10.0**decimals
    return np.rint((values * scale).round(6)) / scale
