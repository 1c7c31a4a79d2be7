"""Rolling quantities over a span of sorted readings at once.

The same values as the worker's reducer gives reading by reading, computed the other way round: all
buckets of all sensors as one table, carried on from span to span.
"""

import numpy as np
from numpy.typing import NDArray

from catalog.model import Floats, Rolling
from catalog.site import offset_us

Ints = NDArray[np.int64]
US = 1_000_000
LONG = np.iinfo(np.int64).max


class RollingTable:
    """The newest buckets of every sensor for one rolling quantity; rows are sensors."""

    def __init__(self, declared: Rolling, cadence_s: int) -> None:
        self._declared = declared
        self._inner = declared.each or declared.kind
        self._count = declared.buckets
        self._gaps = Gaps(cadence_s)
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
        if self._declared.kind == "level":
            x = 10.0 ** (x / 10.0)
        bucket = (times + offset_us()) // (self._declared.bucket_s * US)
        self._move(int(sensors.max()) + 1, int(bucket.min()), int(bucket.max()))
        place = bucket - self._base
        first = np.flatnonzero(_begins(sensors, place))
        run = np.cumsum(_begins(sensors, place)) - 1
        at = (sensors[first], place[first])
        n = self._n[at][run] + _running(~np.isnan(x), first, run)
        v = self._partial(np.where(np.isnan(x), self._nothing, x), first, run, self._v[at])
        last = np.append(first[1:], len(x)) - 1
        self._n[at], self._v[at] = n[last], v[last]
        need, required = self._validity(sensors, times)
        found, valid = self._values(sensors, place, n, v, need)
        return np.where(valid >= np.maximum(required, 1), found, np.nan)

    @property
    def _nothing(self) -> float:
        return {"max": -np.inf, "min": np.inf}.get(self._inner, 0.0)

    def _validity(self, sensors: Ints, times: Ints) -> tuple[Ints, Floats]:
        """Return at each reading how many good values a bucket must hold to count, and how many of
        the buckets must count."""
        full, fewest = self._declared.full, self._declared.min_buckets
        if not full:
            return np.ones(len(times), np.int64), np.full(len(times), float(fewest))
        bucket_us = self._declared.bucket_s * US
        period = self._gaps.period(sensors, times)
        need = np.ceil(full * bucket_us / period).astype(np.int64)
        # a sensor that reports less often than once a bucket leaves some of them empty
        return need, np.ceil(fewest * bucket_us / np.maximum(period, bucket_us))

    def _partial(self, x: Floats, first: Ints, run: Ints, before: Floats) -> Floats:
        """Return each reading's bucket up to and with that reading."""
        if self._inner not in ("max", "min"):
            return before[run] + _running(x, first, run)
        better = np.maximum if self._inner == "max" else np.minimum
        values, nth = x.copy(), np.arange(len(x)) - first[run]
        values[first] = better(values[first], before)
        for step in range(1, int(nth.max()) + 1):
            rows = np.flatnonzero(nth == step)
            values[rows] = better(values[rows], values[rows - 1])
        return values

    def _values(
        self, sensors: Ints, place: Ints, n: Ints, v: Floats, needs: Ints
    ) -> tuple[Floats, Ints]:
        """Return the quantity at each reading and how many buckets count, those of one need
        together."""
        found, valid = np.empty(len(v)), np.empty(len(v), np.int64)
        for need in np.unique(needs):
            rows = needs == need
            place_of = (sensors[rows], place[rows])
            found[rows], valid[rows] = self._value(*place_of, n[rows], v[rows], need)
        return found, valid

    def _value(
        self, sensors: Ints, place: Ints, n: Ints, v: Floats, need: int
    ) -> tuple[Floats, Ints]:
        """Join the buckets before with the reading's own; return that and how many count."""
        kind, known, here = self._declared.kind, self._n >= need, n >= need
        table = np.where(known, self._v, self._nothing)
        if kind not in ("sum", "max", "min"):
            table = np.where(known, table / np.maximum(self._n, 1), 0.0)
            v = v / np.maximum(n, 1)
        valid = self._window(known, sensors, place) + here
        if kind == "change":
            total = v - self._oldest(known, table, sensors, place)
            valid = np.where(here, valid, 0)
        elif kind in ("max", "min"):
            total = self._extreme(np.where(known, table, np.nan), sensors, place)
            better = np.fmax if kind == "max" else np.fmin
            total = better(total, np.where(here, v, np.nan))
        else:
            total = self._window(table, sensors, place) + np.where(here, v, 0.0)
        if kind in ("mean", "level"):
            total = total / np.maximum(valid, 1)
        if kind == "level":
            total = 10.0 * np.log10(np.maximum(total, np.finfo(float).tiny))
        return total, valid

    def _extreme(self, table: Floats, sensors: Ints, place: Ints) -> Floats:
        """Return the highest or lowest bucket before each reading's own."""
        spans = np.lib.stride_tricks.sliding_window_view(table, self._count, axis=1)
        # the own bucket holds the whole span by now: look at those before it
        reduce = np.fmax.reduce if self._declared.kind == "max" else np.fmin.reduce
        before = reduce(spans[..., :-1], axis=2, initial=np.nan)
        return before[sensors, place - self._count + 1]

    def _oldest(self, known: np.ndarray, table: Floats, sensors: Ints, place: Ints) -> Floats:
        """Return the oldest bucket that counts within each reading's window."""
        width = known.shape[1]
        at = np.where(known, np.arange(width), width - 1)
        following = np.minimum.accumulate(at[:, ::-1], axis=1)[:, ::-1]
        return table[sensors, following[sensors, place - self._count + 1]]

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


class Gaps:
    """How often each sensor reports: the shorter of its last two gaps, not below the cadence."""

    def __init__(self, cadence_s: int) -> None:
        self._cadence = cadence_s * US
        self._last = np.zeros(0, np.int64)
        self._gap = np.zeros(0, np.int64)

    def period(self, sensors: Ints, times: Ints) -> Ints:
        """Return the period in µs at each reading, sorted by sensor and time."""
        new = int(sensors.max()) + 1 - len(self._last)
        if new > 0:
            self._last = np.append(self._last, np.full(new, -LONG))
            self._gap = np.append(self._gap, np.full(new, LONG))
        first = _begins(sensors)
        before = np.append(0, times[:-1])
        before[first] = self._last[sensors[first]]
        gap = np.where(before == -LONG, LONG, times - np.where(before == -LONG, 0, before))
        earlier = np.append(0, gap[:-1])
        earlier[first] = self._gap[sensors[first]]
        last = np.append(first[1:], True)
        self._last[sensors[last]], self._gap[sensors[last]] = times[last], gap[last]
        shorter = np.minimum(gap, earlier)
        return np.where(shorter == LONG, self._cadence, np.maximum(shorter, self._cadence))


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
