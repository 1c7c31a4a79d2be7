"""Send readings to Kafka as frames, one per shard, and wait until the broker has acknowledged."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from kafka.errors import KafkaError
from prometheus_client import Counter

from catalog.contracts import DEAD_LETTER_TYPE, DeadLetter, encode_json
from catalog.errors import TransientError
from catalog.fact.model import Fact
from catalog.fact.rows import Row, encode_facts, fact_headers
from catalog.frames import MAX_READINGS, encode, frame_headers
from catalog.model import Stream
from catalog.topics import dead_letters_topic, facts_topic, readings_topic, shard_key, shard_of
from service.kafka import abandon, producer
from service.metrics import seconds
from service.settings import Settings

MAX_OF_ONE = 100
"""Readings of one sensor that share a frame, about. The worker judges them one after the other,
a thousand or so a second: a replayed file in frames of thousands would keep everybody waiting."""

FRAMES = Counter("cityops_producer_frames", "Frames of readings handed to Kafka")
BYTES = Counter("cityops_producer_bytes", "Bytes of these frames")
ACKNOWLEDGED = seconds("cityops_producer_ack_seconds", "From a send to the broker's answer")


class Pending:
    """Sends under way; ``wait`` returns when the broker has acknowledged all of them."""

    def __init__(self, futures: list[Any]) -> None:
        self._futures = futures
        self._begun = time.monotonic()

    def wait(self, deadline_s: float) -> None:
        """Block until every send is acknowledged; ``TransientError`` code ``kafka`` otherwise.

        After an error some of the frames may have been stored; sending all again is harmless.
        """
        end = time.monotonic() + deadline_s
        try:
            for future in self._futures:
                future.get(timeout=max(0.0, end - time.monotonic()))
        except KafkaError as error:
            raise _away(error) from error
        ACKNOWLEDGED.observe(time.monotonic() - self._begun)


class FrameProducer:
    """Splits batches by shard and sends them as frames. Safe to share between threads."""

    def __init__(self, settings: Settings, source: str, **options: Any) -> None:
        self._prefix = settings.topic_prefix
        self._source = source
        self._kafka = producer(settings.kafka, source, **options)

    def send(self, stream: Stream, batch: pa.RecordBatch, received_at: datetime) -> Pending:
        """Send readings (``readings_schema`` or ``flagged_schema``) and return without waiting.

        ``TransientError`` when the producer's buffer is full or no broker is known.
        """
        topic = readings_topic(self._prefix, stream.name)
        flagged = batch.num_columns > 2 + len(stream.metrics)
        futures = []
        for shard, part in split_by_shard(batch):
            for piece in cut(part):
                frame = encode(piece)
                headers = frame_headers(stream, self._source, received_at, flagged=flagged)
                futures.append(self._send(topic, shard, frame, headers))
                FRAMES.inc()
                BYTES.inc(len(frame))
        return Pending(futures)

    def send_facts(self, fact: Fact, rows: Sequence[Row], received_at: datetime) -> Pending:
        """Send sound facts, as ``send`` does readings."""
        topic, headers = (
            facts_topic(self._prefix, fact.name),
            fact_headers(fact, self._source, received_at),
        )
        frames = encode_facts(fact, rows)
        return Pending([self._send(topic, shard, value, headers) for shard, value in frames])

    def send_raw(self, topic: str, shard: int, value: bytes, headers: Any) -> Pending:
        """Send bytes as they are: what a faulty device or gateway might put on a topic."""
        return Pending([self._send(topic, shard, value, headers)])

    def send_dead_letter(self, letter: DeadLetter) -> Pending:
        """Send one dead letter."""
        headers = [("ce_type", DEAD_LETTER_TYPE.encode())]
        topic = dead_letters_topic(self._prefix)
        sent = self._send(topic, shard_of(letter.stream), encode_json(letter), headers)
        return Pending([sent])

    def close(self) -> None:
        """Send what is buffered, for two seconds at most, and close."""
        with suppress(KafkaError):
            self._kafka.close(timeout=2)
        abandon(self._kafka)

    def _send(self, topic: str, shard: int, value: bytes, headers: Any) -> Any:
        try:
            return self._kafka.send(
                topic, value=value, key=shard_key(shard), partition=shard, headers=headers
            )
        except (KafkaError, ValueError) as error:
            # ValueError: a partition that a broker just started does not tell of yet
            raise _away(error) from error


def split_by_shard(batch: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
    """Return (shard, its readings in their order) for every shard that has any."""
    names = batch.column("sensor").dictionary_encode()
    shard_of_name = np.array([shard_of(n) for n in names.dictionary.to_pylist()], dtype=np.int64)
    shards = shard_of_name[names.indices.to_numpy()]
    found = np.unique(shards)
    if len(found) == 1:
        return [(int(found[0]), batch)]
    return [(int(s), batch.take(pa.array(np.flatnonzero(shards == s)))) for s in found]


def cut(part: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Return a shard's readings in pieces, each a frame, in their order."""
    indices = part.column("sensor").dictionary_encode().indices.to_numpy()
    most = int(np.bincount(indices).max())
    rows = min(MAX_READINGS, max(MAX_OF_ONE, part.num_rows * MAX_OF_ONE // most))
    return [part.slice(start, rows) for start in range(0, part.num_rows, rows)]


def _away(error: KafkaError | ValueError) -> TransientError:
    reason = f"Kafka has not acknowledged: {error or type(error).__name__}"
    return TransientError(reason, code="kafka", stage="receiving", retry_after_s=2.0)
