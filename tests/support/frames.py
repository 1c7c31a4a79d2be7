"""Readings for tests: batches, and their way onto a topic without the gateway."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from kafka import KafkaProducer

from catalog.frames import encode, frame_headers, readings_schema
from catalog.registry import stream
from catalog.topics import readings_topic, shard_key, shard_of

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


def noise_batch(rows: Iterable[tuple[str, float, float]]) -> pa.RecordBatch:
    """Return a noise batch from (sensor, seconds after START, Leq)."""
    columns: dict[str, list[Any]] = {"sensor": [], "observed_at": [], "leq_db": [], "lmax_db": []}
    for sensor, seconds, level in rows:
        columns["sensor"].append(sensor)
        columns["observed_at"].append(START + timedelta(seconds=seconds))
        columns["leq_db"].append(level)
        columns["lmax_db"].append(None)
    return pa.RecordBatch.from_pydict(columns, schema=readings_schema(stream("noise")))


def put(producer: KafkaProducer, prefix: str, batch: pa.RecordBatch) -> None:
    """Send one frame of noise readings of one sensor, received when the last was observed, and
    wait for the acknowledgement."""
    shard = shard_of(batch.column("sensor")[0].as_py())
    received_at = max(batch.column("observed_at").to_pylist())
    headers = frame_headers(stream("noise"), "test", received_at)
    put_raw(producer, prefix, shard, encode(batch), headers)


def put_raw(producer: KafkaProducer, prefix: str, shard: int, value: bytes, headers: Any) -> None:
    """Send any bytes onto the noise topic."""
    topic = readings_topic(prefix, "noise")
    sent = producer.send(topic, value=value, key=shard_key(shard), partition=shard, headers=headers)
    sent.get(timeout=10)
