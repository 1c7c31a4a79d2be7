"""Rounding by GB/T 8170: a value is rounded as its limit is written, then compared."""

from catalog.base import Floats


def rounded(values: Floats, decimals: int = 0) -> Floats:
    """Round as GB/T 8170 asks: halves go to the even digit, however the number was added up."""
    return values.round(decimals + 6).round(decimals)
