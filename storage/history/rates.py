"""Rates of counters over a span of sorted readings at once, carried on from span to span."""

import numpy as np

from catalog.metrics import Metric, Rate
from catalog.model import Floats
from engine.rates import increase
from storage.history.rolling import US, Ints

NEVER = np.iinfo(np.int64).min // 4


class RateTable:
    """The last value of every sensor's counter; rows are sensors."""

    def __init__(self, rate: Rate, counter: Metric) -> None:
        self._rate, self._counter = rate, counter
        self._value, self._at = np.zeros(0), np.zeros(0, np.int64)

    def add(self, sensors: Ints, times: Ints, x: Floats) -> Floats:
        """Return the rate at each reading, NaN for none; sorted by sensor and time, NaN in ``x`` is
        no value."""
        found = np.full(len(x), np.nan)
        rows = np.flatnonzero(~np.isnan(x))
        if not len(rows):
            return found
        self._grow(int(sensors.max()) + 1)
        who, at, value = sensors[rows], times[rows], x[rows]
        first = np.append(True, who[1:] != who[:-1])
        before = np.where(first, self._value[who], np.append(np.nan, value[:-1]))
        since = at - np.where(first, self._at[who], np.append(0, at[:-1]))
        given = (self._counter.fail_span[1], self._counter.rate_per_min or 0.0)
        rise = increase(value - before, value, *given, since)
        found[rows] = rise / (since / US) * self._rate.per_s
        last = np.append(first[1:], True)
        self._value[who[last]], self._at[who[last]] = value[last], at[last]
        return found

    def _grow(self, rows: int) -> None:
        more = rows - len(self._value)
        if more > 0:
            self._value = np.append(self._value, np.full(more, np.nan))
            self._at = np.append(self._at, np.full(more, NEVER))
