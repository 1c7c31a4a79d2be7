"""Sort polled records into what will be stored: readings by stream, dead letters, offsets."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from kafka.consumer.fetcher import ConsumerRecord

from catalog.contracts import (
    FLAGS_SCHEMA,
    DeadLetter,
    aggregates_schema,
    decode_batch,
    decode_dead_letter,
)
from catalog.controls import is_control
from catalog.frames import TIMESTAMP, Frame, FrameError, bad_rows, decode, schema_of
from catalog.model import Stream
from catalog.registry import streams
from catalog.topics import aggregates_topic, dead_letters_topic, flags_topic, readings_topic

RECEIVED = pa.field("received_at", TIMESTAMP, nullable=False)


Received = tuple[Frame, ConsumerRecord]
"""A frame and the record it came in."""


@dataclass(slots=True)
class Letter:
    """A dead letter and the record it comes from."""

    letter: DeadLetter
    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Batch:
    """What one transaction stores."""

    readings: dict[str, pa.Table] = field(default_factory=dict)
    """By stream, in the order of the key: sensor after sensor, of each in the order of the log."""
    frames: int = 0
    aggregates: dict[str, list[pa.RecordBatch]] = field(default_factory=lambda: defaultdict(list))
    flags: list[pa.RecordBatch] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Topics:
    """Which topic carries what, for one topic prefix."""

    readings: dict[str, Stream]
    aggregates: dict[str, Stream]
    flags: str
    letters: str

    @classmethod
    def of(cls, prefix: str) -> "Topics":
        """Return the topics of every declared stream."""
        return cls(
            readings={readings_topic(prefix, s.name): s for s in streams().values()},
            aggregates={aggregates_topic(prefix, s.name): s for s in streams().values()},
            flags=flags_topic(prefix),
            letters=dead_letters_topic(prefix),
        )

    def all(self) -> list[str]:
        """Return every topic the sink reads."""
        return [*self.readings, *self.aggregates, self.flags, self.letters]


def collect(topics: Topics, records: Iterable[ConsumerRecord]) -> Batch:
    """Decode records in order; what does not decode becomes a dead letter, never an exception."""
    batch, frames = Batch(), defaultdict[str, list[Received]](list)
    for record in records:
        try:
            _add(batch, frames, topics, record)
        except FrameError as error:
            batch.letters.append(_poison(topics, record, error))
    for name, received in frames.items():
        batch.frames += len(received)
        rows = in_key_order(_good(batch, received))
        if rows.num_rows:
            batch.readings[name] = rows
    return batch


def in_key_order(parts: list[pa.RecordBatch]) -> pa.Table:
    """Return readings sensor after sensor, of each in their order.

    Rows that lie side by side in the index cost the database a third less than rows in the order
    of their arrival (docs/decisions/readings-layout.md).
    """
    rows = pa.Table.from_batches(parts).combine_chunks()
    names = rows.column("sensor").combine_chunks().dictionary_encode()
    rank = np.empty(len(names.dictionary), np.int64)
    rank[pc.sort_indices(names.dictionary).to_numpy()] = np.arange(len(rank))
    order = np.argsort(rank[names.indices.to_numpy()], kind="stable")
    return rows.take(pa.array(order))


def _good(batch: Batch, received: list[Received]) -> list[pa.RecordBatch]:
    """Return the good readings of frames of one stream; each bad one becomes a dead letter."""
    # one look at all; where anything is bad, frame by frame
    if bad_rows(pa.concat_batches([frame.batch for frame, _ in received])):
        return [_stamped(f, _without_bad(batch, f, record)) for f, record in received]
    return [_stamped(frame, frame.batch) for frame, _ in received]


def _add(
    batch: Batch, frames: dict[str, list[Received]], topics: Topics, record: ConsumerRecord
) -> None:
    if stream := topics.readings.get(record.topic):
        if not is_control(record.headers):
            frame = decode(stream.name, record.value, record.headers)
            frames[stream.name].append((frame, record))
    elif stream := topics.aggregates.get(record.topic):
        batch.aggregates[stream.name].append(decode_batch(record.value, aggregates_schema(stream)))
    elif record.topic == topics.flags:
        batch.flags.append(decode_batch(record.value, FLAGS_SCHEMA))
    else:
        letter = decode_dead_letter(record.value)
        batch.letters.append(Letter(letter, record.topic, record.partition, record.offset))


def _stamped(frame: Frame, good: pa.RecordBatch) -> pa.RecordBatch:
    received = pa.repeat(pa.scalar(frame.received_at, TIMESTAMP), good.num_rows)
    return good.append_column(RECEIVED, received)


def _without_bad(batch: Batch, frame: Frame, record: ConsumerRecord) -> pa.RecordBatch:
    bad = bad_rows(frame.batch)
    for row in bad:
        reading, place = frame.batch.slice(row.index, 1), f"{place_id(record)}/{row.index}"
        letter = reading_letter(frame.stream.name, reading, row.code, row.reason, place)
        batch.letters.append(Letter(letter, record.topic, record.partition, record.offset))
    keep = sorted(set(range(frame.batch.num_rows)) - {row.index for row in bad})
    return frame.batch.take(pa.array(keep, pa.int64()))


def place_id(record: ConsumerRecord) -> str:
    """Return the identity of a record: a replay gives the same, so it adds nothing."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def reading_letter(
    stream: str, reading: pa.RecordBatch, code: str, reason: str, id: str
) -> DeadLetter:
    """Return a dead letter that keeps one reading in the gateway's JSON form."""
    columns = [n for n in reading.schema.names if n != "received_at"]
    values = {n: reading.column(n)[0] for n in columns}
    body: dict[str, object] = {"sensor": values["sensor"].as_py()}
    micros = values["observed_at"].value
    body["observed_at"] = _iso(micros)
    for name in columns[2:]:
        if values[name].is_valid:
            body[name] = _json_number(values[name].as_py())
    return DeadLetter(
        id=id,
        stream=stream,
        stage="storing",
        code=code,
        reason=reason,
        at=datetime.now(UTC),
        readings=[body],
    )


def _iso(micros: int | None) -> str | None:
    try:
        return datetime.fromtimestamp((micros or 0) / 1e6, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(micros)


def _json_number(value: float) -> object:
    return json.loads(json.dumps(value)) if value == value and abs(value) < 1e308 else str(value)


def refused(topics: Topics, record: ConsumerRecord, reason: str) -> Batch:
    """Return a batch that stores nothing of a record but a dead letter with its bytes."""
    batch = Batch()
    batch.letters.append(_poison(topics, record, FrameError("database", reason)))
    return batch


def _poison(topics: Topics, record: ConsumerRecord, error: FrameError) -> Letter:
    stream = topics.readings.get(record.topic) or topics.aggregates.get(record.topic)
    letter = DeadLetter(
        id=place_id(record),
        stream=stream.name if stream else "",
        stage="storing",
        code=error.code,
        reason=error.reason,
        at=datetime.now(UTC),
        payload=record.value,
        dataschema=schema_of(record.headers),
    )
    return Letter(letter, record.topic, record.partition, record.offset)
