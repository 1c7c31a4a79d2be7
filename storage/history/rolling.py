"""Sliding sums, means and maxima over a span of sorted readings at once.

The same values as the worker's reducer gives reading by reading, computed the other way round: all
buckets of all sensors as one table, carried on from span to span.
"""

import numpy as np
from numpy.typing import NDArray

from catalog.model import Floats, Rolling

Ints = NDArray[np.int64]
US = 1_000_000


class RollingTable:
    """The newest buckets of every sensor for one rolling metric; rows are sensors."""

    def __init__(self, declared: Rolling) -> None:
        self._declared = declared
        self._count = declared.window_s // declared.bucket_s
        self._base = 0
        self._n = np.zeros((0, self._count), np.int64)
        self._v = np.zeros((0, self._count))

    def add(self, sensors: Ints, times: Ints, x: Floats) -> Floats:
        """Return the rolling value at each reading.

        ``sensors`` are row numbers, ``times`` epoch µs, sorted by sensor and time; NaN in ``x`` is
        no good value. Spans come in the order of time.
        """
        if not len(x):
            return np.zeros(0)
        bucket = times // (self._declared.bucket_s * US)
        self._move(int(sensors.max()) + 1, int(bucket.min()), int(bucket.max()))
        place = bucket - self._base
        first = np.flatnonzero(_begins(sensors, place))
        run = np.cumsum(_begins(sensors, place)) - 1
        at = (sensors[first], place[first])
        n = self._n[at][run] + _running(~np.isnan(x), first, run)
        v = self._partial(np.where(np.isnan(x), self._nothing, x), first, run, self._v[at])
        last = np.append(first[1:], len(x)) - 1
        self._n[at], self._v[at] = n[last], v[last]
        return self._value(sensors, place, n, v)

    @property
    def _nothing(self) -> float:
        return -np.inf if self._declared.kind == "max" else 0.0

    def _partial(self, x: Floats, first: Ints, run: Ints, before: Floats) -> Floats:
        """Return each reading's bucket up to and with that reading."""
        if self._declared.kind != "max":
            return before[run] + _running(x, first, run)
        values, nth = x.copy(), np.arange(len(x)) - first[run]
        values[first] = np.maximum(values[first], before)
        for step in range(1, int(nth.max()) + 1):
            rows = np.flatnonzero(nth == step)
            values[rows] = np.maximum(values[rows], values[rows - 1])
        return values

    def _value(self, sensors: Ints, place: Ints, n: Ints, v: Floats) -> Floats:
        """Join the buckets before with the reading's own, where enough of them hold a value."""
        known = self._n > 0
        table = np.where(known, self._v, self._nothing)
        if self._declared.kind == "mean":
            table = np.where(known, table / np.maximum(self._n, 1), 0.0)
            v = v / np.maximum(n, 1)
        earlier = self._window(known, sensors, place)
        valid = earlier + (n > 0)
        if self._declared.kind == "max":
            spans = np.lib.stride_tricks.sliding_window_view(table, self._count, axis=1)
            # the own bucket holds the whole span by now: look at those before it
            before = spans[..., :-1].max(axis=2, initial=-np.inf)
            total = np.maximum(before[sensors, place - self._count + 1], v)
        else:
            total = self._window(table, sensors, place) + np.where(n > 0, v, 0.0)
        if self._declared.kind == "mean":
            total = total / np.maximum(valid, 1)
        return np.where(valid >= max(1, self._declared.min_buckets), total, np.nan)

    def _window(self, table: np.ndarray, sensors: Ints, place: Ints) -> np.ndarray:
        """Sum the ``count - 1`` buckets before each reading's own."""
        sums = np.cumsum(table, axis=1)
        sums = np.concatenate([np.zeros_like(sums[:, :1]), sums], axis=1)
        return sums[sensors, place] - sums[sensors, place - self._count + 1]

    def _move(self, rows: int, low: int, high: int) -> None:
        """Make room for ``rows`` sensors and the buckets low..high, keeping what still counts."""
        base = low - self._count + 1
        width, shift = high - base + 1, base - self._base
        n = np.zeros((max(rows, len(self._n)), width), np.int64)
        v = np.full(n.shape, self._nothing)
        kept = min(self._n.shape[1] - shift, width)
        if shift >= 0 and kept > 0:
            n[: len(self._n), :kept] = self._n[:, shift : shift + kept]
            v[: len(self._v), :kept] = self._v[:, shift : shift + kept]
        self._base, self._n, self._v = base, n, v


def _begins(*keys: Ints) -> NDArray[np.bool_]:
    """Tell where a run of equal keys begins."""
    differs = np.zeros(len(keys[0]) - 1, bool)
    for key in keys:
        differs |= key[1:] != key[:-1]
    return np.append(True, differs)


def _running(x: np.ndarray, first: Ints, run: Ints) -> np.ndarray:
    """Return the sum within each run up to and with each row."""
    sums = np.cumsum(x)
    return sums - (sums[first] - x[first])[run]
