"""The simulator every stream has: readings around each metric's typical range, seeded.

A sensor's value follows the hour of the day between the ends of ``typical``, with its own offset
and autoregressive noise, and is rounded to the metric's decimals. Times are Beijing hours.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from catalog.city.sensors import sensors_of
from catalog.frames import readings_schema
from catalog.model import Metric, Stream

PHI = 0.98
NOISE_SHARE = 0.03
OFFSET_SHARE = 0.1
PEAK_HOUR = 15.0
BEIJING_S = 8 * 3600
DAY_S = 86_400


class StreamSimulator:
    """All sensors of one stream. Equal seeds and equal calls give equal readings."""

    def __init__(self, stream: Stream, seed: int) -> None:
        self.stream = stream
        self.sensors = np.array([s.id for s in sensors_of(stream.name)])
        shape = (len(self.sensors), len(stream.metrics))
        self._random = np.random.default_rng([seed, *stream.name.encode()])
        self._offset = self._random.uniform(-OFFSET_SHARE, OFFSET_SHARE, shape)
        self._noise = self._random.normal(0.0, NOISE_SHARE, shape)
        self.phase_s = self._random.uniform(0.0, stream.cadence_s, len(self.sensors))

    def due(self, after: datetime, until: datetime) -> tuple[np.ndarray, np.ndarray]:
        """Return (sensor indices, epoch µs) of the readings due in (after, until]."""
        cadence = self.stream.cadence_s
        start = np.floor((after.timestamp() - self.phase_s) / cadence)
        end = np.floor((until.timestamp() - self.phase_s) / cadence)
        counts = (end - start).astype(np.int64).clip(min=0)
        index = np.repeat(np.arange(len(self.sensors)), counts)
        nth = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
        seconds = (start[index] + nth) * cadence + self.phase_s[index]
        return index, (seconds * 1_000_000).astype(np.int64)

    def readings(self, after: datetime, until: datetime) -> pa.RecordBatch:
        """Return the readings due in (after, until], one row per sensor and due time."""
        index, micros = self.due(after, until)
        step = self._random.normal(0.0, NOISE_SHARE * np.sqrt(1 - PHI**2), self._noise.shape)
        self._noise = PHI * self._noise + step
        columns = [pa.array(self.sensors[index].tolist()), pa.array(micros)]
        for position, metric in enumerate(self.stream.metrics):
            share = _of_day(micros) + self._offset[index, position] + self._noise[index, position]
            columns.append(pa.array(_value(metric, share)))
        schema = readings_schema(self.stream)
        arrays = [c.cast(f.type) for c, f in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def moment(epoch_s: float) -> datetime:
    """Return aware UTC of epoch seconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch_s)


def _of_day(micros: np.ndarray) -> np.ndarray:
    """Return 0..1 over the day, highest at ``PEAK_HOUR``."""
    hour = (micros / 1e6 + BEIJING_S) % DAY_S / 3600
    return 0.5 + 0.4 * np.cos((hour - PEAK_HOUR) / 24 * 2 * np.pi)


def _value(metric: Metric, share: np.ndarray) -> np.ndarray:
    low, high = metric.typical
    bounded = np.clip(low + share * (high - low), *metric.fail_span)
    return np.round(bounded, metric.decimals)
