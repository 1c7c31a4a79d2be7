"""The readings that every contender gets: the same, in the same order, made from numbers alone."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from catalog.frames import readings_schema
from catalog.model import Stream
from catalog.registry import stream

STREAM = "air_quality"
SENSORS = 10_000
SPACING_US = 1_000_000
BATCH = 5_000
START = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD_S = 3600.0
ODD_EVERY = 997
"""One reading in so many is out of its span, so that quality control has something to say."""
PROBE = "probe-0001"


def declared() -> Stream:
    """Return the stream of the benchmark: six metrics, three sliding ones, two derived."""
    return stream(STREAM)


def batches(
    total: int, sensors: int = SENSORS, start: datetime = START, spacing_us: int = SPACING_US
) -> Iterator[pa.RecordBatch]:
    """Yield ``total`` readings in batches: every sensor once in ``spacing_us`` of event time."""
    names = np.array([f"bench-{n:06d}" for n in range(sensors)])
    ids = pa.array(names.tolist())
    first_us = int(start.timestamp()) * 1_000_000
    for begin in range(0, total, BATCH):
        number = np.arange(begin, min(total, begin + BATCH))
        sensor, at = number % sensors, first_us + number // sensors * spacing_us
        yield _batch(ids.take(pa.array(sensor)), sensor, at, number)


def probe(at_us: int) -> pa.RecordBatch:
    """Return one reading of the probe: its way through is timed."""
    at = np.array([at_us])
    return _batch(pa.array([PROBE]), np.array([0]), at, np.array([1]))


def _batch(
    names: pa.Array, sensor: np.ndarray, at: np.ndarray, number: np.ndarray
) -> pa.RecordBatch:
    schema, stream = readings_schema(declared()), declared()
    columns: list[pa.Array] = [names, pa.array(at).cast(schema.field(1).type)]
    for place, metric in enumerate(stream.metrics):
        low, high = metric.typical
        phase = at / 1e6 / PERIOD_S + sensor * 0.618 + place / 7
        values = low + (high - low) * (0.5 + 0.4 * np.sin(2 * np.pi * phase))
        if place == 1:
            values = np.where(number % ODD_EVERY == 0, metric.fail_span[1] * 0.9, values)
        columns.append(pa.array(np.round(values, 2)))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def json_messages(total: int, sensors: int = SENSORS) -> Iterator[tuple[str, bytes]]:
    """Yield (sensor, one reading as JSON): what a peer's Kafka message carries."""
    import msgspec

    for batch in batches(total, sensors):
        for row in batch.to_pylist():
            row["observed_at"] = row["observed_at"].isoformat()
            yield row["sensor"], msgspec.json.encode(row)
