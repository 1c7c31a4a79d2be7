"""One-minute windows of sorted readings, all sensors of a span at once.

The statistics are those of the worker for readings that came in order of time. Quality is judged by
the declared spans alone: history has no rate, spike or flat-line flags.
"""

import numpy as np
import pyarrow as pa

from catalog.contracts import WINDOW_S, aggregates_schema
from catalog.model import Floats, Metric, Stream
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
        values, good = self._values(readings, sensors, times)
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
            statistics = _statistics(values[name], good[name], first)
            columns |= {f"{name}_{k}": pa.array(v, from_pandas=True) for k, v in statistics.items()}
        arrays = [columns[field.name].cast(field.type) for field in self._schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _sensor_rows(self, readings: pa.RecordBatch) -> Ints:
        names = readings.column("sensor").dictionary_encode()
        known = [self._rows.setdefault(n, len(self._rows)) for n in names.dictionary.to_pylist()]
        return np.array(known, np.int64)[names.indices.to_numpy()]

    def _values(
        self, readings: pa.RecordBatch, sensors: Ints, times: Ints
    ) -> tuple[dict[str, Floats], dict[str, np.ndarray]]:
        """Return every metric's values, and which of them are good."""
        values: dict[str, Floats] = {}
        good: dict[str, np.ndarray] = {}
        usable: dict[str, Floats] = {}
        for metric in self._stream.metrics:
            x = readings.column(metric.name).to_numpy(zero_copy_only=False).astype(np.float64)
            values[metric.name], good[metric.name] = x, _passes(metric, x)
            usable[metric.name] = np.where(good[metric.name], x, np.nan)
        _doubt_broken_relations(self._stream, values, good, usable)
        for declared, table in self._rolling:
            usable[declared.name] = table.add(sensors, times, usable[declared.of])
        for derived in self._stream.derived:
            usable[derived.name] = derived.by(usable, times)
        for name in self._stream.aggregate_names[len(self._stream.metrics) :]:
            values[name], good[name] = usable[name], ~np.isnan(usable[name])
        return values, good


def _passes(metric: Metric, x: Floats) -> np.ndarray:
    """Tell which values the gross-range test of the worker passes."""
    good = (x >= metric.fail_span[0]) & (x <= metric.fail_span[1])
    if metric.suspect_span is not None:
        good &= (x >= metric.suspect_span[0]) & (x <= metric.suspect_span[1])
    return good


def _doubt_broken_relations(
    stream: Stream,
    values: dict[str, Floats],
    good: dict[str, np.ndarray],
    usable: dict[str, Floats],
) -> None:
    """Take the metrics of a broken relation for doubtful, as the worker does."""
    for relation in stream.relations:
        if all(name in usable for name in relation.of):
            broken = relation.broken({name: usable[name] for name in relation.of})
            for name in relation.marks:
                good[name] &= ~broken
                usable[name] = np.where(good[name], values[name], np.nan)


def _statistics(x: Floats, good: np.ndarray, first: Ints) -> dict[str, np.ndarray]:
    """Return n, good, sum, min, max and last of each run of rows that begins at ``first``."""
    usable = np.where(good, x, np.nan)
    goods = np.add.reduceat(good.astype(np.int32), first)
    last = np.maximum.reduceat(np.where(good, np.arange(len(x)), -1), first)
    some = goods > 0
    return {
        "n": np.add.reduceat((~np.isnan(x)).astype(np.int32), first),
        "good": goods,
        "sum": np.where(some, np.add.reduceat(np.where(good, x, 0.0), first), np.nan),
        "min": np.fmin.reduceat(usable, first),
        "max": np.fmax.reduceat(usable, first),
        "last": np.where(some, usable[last], np.nan),
    }
