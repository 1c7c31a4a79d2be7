"""One-minute windows of sorted readings, all sensors of a span at once.

The statistics are those of the worker for readings that came in order of time. Quality is judged by
the declared spans alone: history has no rate, spike or flat-line flags.
"""

import numpy as np
import pyarrow as pa

from catalog.contracts import FLAG_FAIL, WINDOW_S, aggregates_schema
from catalog.model import Floats, Span, Stream
from storage.history.rates import RateTable
from storage.history.rolling import US, Ints, RollingTable

WINDOW_US = WINDOW_S * US


class MinuteMaker:
    """Makes the minutes of one stream; keeps what sliding metrics need from span to span."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._schema = aggregates_schema(stream)
        self._rolling = [
            (declared, RollingTable(declared, stream.cadence_s)) for declared in stream.rolling
        ]
        counters = {m.name: m for m in stream.metrics}
        self._rates = [(rate, RateTable(rate, counters[rate.of])) for rate in stream.rates]
        self._rows: dict[str, int] = {}

    def make(self, readings: pa.RecordBatch) -> pa.RecordBatch:
        """Return the minutes of whole minutes of readings, sorted by sensor and time, no repeats.

        ``readings`` has the stream's ``readings_schema``; the result its ``aggregates_schema``,
        each row with revision 1.
        """
        if not readings.num_rows:
            return pa.RecordBatch.from_pydict(
                {n: [] for n in self._schema.names}, schema=self._schema
            )
        sensors = self._sensor_rows(readings)
        times = readings.column("observed_at").cast(pa.int64()).to_numpy()
        values, good, used = self._values(readings, sensors, times)
        minute = times // WINDOW_US
        begins = (sensors[1:] != sensors[:-1]) | (minute[1:] != minute[:-1])
        first = np.flatnonzero(np.append(True, begins))
        count = np.diff(np.append(first, len(times)))
        columns: dict[str, pa.Array] = {
            "sensor": readings.column("sensor").take(pa.array(first)),
            "window_start": pa.array(minute[first] * WINDOW_US),
            "revision": pa.array(np.ones(len(first), np.int32)),
            "n": pa.array(count),
        }
        for name in self._stream.aggregate_names:
            statistics = _statistics(values[name], good[name], used[name], first)
            columns |= {f"{name}_{k}": pa.array(v, from_pandas=True) for k, v in statistics.items()}
        arrays = [columns[field.name].cast(field.type) for field in self._schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _sensor_rows(self, readings: pa.RecordBatch) -> Ints:
        names = readings.column("sensor").dictionary_encode()
        known = [self._rows.setdefault(n, len(self._rows)) for n in names.dictionary.to_pylist()]
        return np.array(known, np.int64)[names.indices.to_numpy()]

    def _values(
        self, readings: pa.RecordBatch, sensors: Ints, times: Ints
    ) -> tuple[dict[str, Floats], dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return every metric's values, which of them are good, and which are used."""
        values: dict[str, Floats] = {}
        good: dict[str, np.ndarray] = {}
        used: dict[str, np.ndarray] = {}
        for metric in self._stream.metrics:
            x = readings.column(metric.name).to_numpy(zero_copy_only=False).astype(np.float64)
            values[metric.name] = x
            used[metric.name] = within(metric.fail_span, x)
            if metric.is_named:
                used[metric.name] &= x == np.rint(x)
            good[metric.name] = used[metric.name] & within(metric.suspect_span, x)
        _doubt_broken_relations(self._stream, values, good, used)
        usable = {name: np.where(used[name], x, np.nan) for name, x in values.items()}
        for rate, table in self._rates:
            usable[rate.name] = table.add(sensors, times, usable[rate.of])
        for declared, table in self._rolling:
            usable[declared.name] = table.add(sensors, times, usable[declared.of])
        for derived in self._stream.derived:
            usable[derived.name] = derived.by(usable, times)
        for name in self._stream.aggregate_names[len(self._stream.metrics) :]:
            values[name] = usable[name]
            good[name] = used[name] = ~np.isnan(usable[name])
        return values, good, used


def within(span: Span | None, x: Floats) -> np.ndarray:
    """Return which values lie within a span; NaN in none, without a span every other."""
    return ~np.isnan(x) if span is None else (x >= span[0]) & (x <= span[1])


def _doubt_broken_relations(
    stream: Stream,
    values: dict[str, Floats],
    good: dict[str, np.ndarray],
    used: dict[str, np.ndarray],
) -> None:
    """Take the metrics of a broken relation for doubtful or wrong, as the worker does."""
    for relation in stream.relations:
        if all(name in values for name in relation.of):
            passed = {name: np.where(good[name], values[name], np.nan) for name in relation.of}
            broken = relation.broken(passed)
            for name in relation.marks:
                if relation.flag == FLAG_FAIL:
                    used[name] &= ~(broken & good[name])
                good[name] &= ~broken


def _statistics(
    x: Floats, good: np.ndarray, used: np.ndarray, first: Ints
) -> dict[str, np.ndarray]:
    """Return the ``STATISTICS`` of each run of rows that begins at ``first``."""
    usable = np.where(used, x, np.nan)
    counted = np.add.reduceat(used.astype(np.int32), first)
    last = np.maximum.reduceat(np.where(used, np.arange(len(x)), -1), first)
    some = counted > 0
    return {
        "n": np.add.reduceat((~np.isnan(x)).astype(np.int32), first),
        "good": np.add.reduceat(good.astype(np.int32), first),
        "used": counted,
        "sum": np.where(some, np.add.reduceat(np.where(used, x, 0.0), first), np.nan),
        "min": np.fmin.reduceat(usable, first),
        "max": np.fmax.reduceat(usable, first),
        "last": np.where(some, usable[last], np.nan),
    }
