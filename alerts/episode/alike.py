"""Days that were off in the same way: hourly means beside what is usual at their hours. Pure."""

import numpy as np

from catalog.base import Floats

DAY = 24
SHAPE_H = 6
"""Hours up to now whose course is compared."""
LEAST_DAYS = 3
"""Days of the same kind that an hour needs before anything is usual."""
LEAST_SHARE, LEAST_SIZE = 0.5, 0.5


def residuals(values: Floats, hours: np.ndarray, kinds: np.ndarray) -> tuple[Floats, Floats]:
    """Return how far hours are off the usual ``[T]``, and the usual; NaN where nothing is.

    ``hours`` are local hours of the day, ``kinds`` the kinds of their days. Usual is the median of
    the same hour on days of the same kind.
    """
    usual = np.full(len(values), np.nan)
    for kind in np.unique(kinds):
        for hour in range(DAY):
            same = (kinds == kind) & (hours == hour)
            known = values[same & np.isfinite(values)]
            if len(known) >= LEAST_DAYS:
                usual[same] = np.median(known)
    return values - usual, usual


def alike(off: Floats, most: int = 3) -> list[tuple[int, float]]:
    """Return (days before, likeness) of earlier days whose last hours went the same way.

    Compared are the ``SHAPE_H`` hours up to the end of ``off`` ``[T]`` with the same hours of each
    day before; likeness is the cosine of both, of days that were off at least half as far.
    """
    now = off[-SHAPE_H:]
    found = []
    for days in range(1, len(off) // DAY):
        end = len(off) - days * DAY
        other = off[max(0, end - SHAPE_H) : end]
        if len(other) < SHAPE_H:
            continue
        both = np.isfinite(now) & np.isfinite(other)
        if both.sum() < LEAST_SHARE * SHAPE_H:
            continue
        a, b = now[both], other[both]
        size_a, size_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
        if size_a > 0 and size_b >= LEAST_SIZE * size_a:
            likeness = float(a @ b) / (size_a * size_b)
            if likeness >= LEAST_SHARE:
                found.append((days, round(likeness, 2)))
    return sorted(found, key=lambda one: -one[1])[:most]
