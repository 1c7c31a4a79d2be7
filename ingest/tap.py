"""Look into a topic: every record as lines of JSON, one per reading, window, flag or message."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import msgspec
import pyarrow as pa
from kafka.structs import TopicPartition

from catalog import topics
from catalog.contracts import FLAGS_SCHEMA, aggregates_schema, decode_batch
from catalog.frames import FrameError, decode, event_type
from catalog.overrides import OVERRIDE_TYPE, decode_override
from catalog.registry import streams
from catalog.ticks import TICK_TYPE, Tick, Word, decode_tick
from service.kafka import consumer
from service.settings import Settings

Kind = Literal["readings", "aggregates", "flags", "transitions", "dead-letters"]
POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Tap:
    """What to look at: a kind of topic, one stream of it, how far back, and one sensor or all."""

    kind: Kind
    stream: str
    back: int = 0
    sensor: str = ""
    ticks: bool = False

    def topic(self, prefix: str) -> str:
        """Return the topic that is read."""
        per_stream = {"readings": topics.readings_topic, "aggregates": topics.aggregates_topic}
        if self.kind in per_stream:
            return per_stream[self.kind](prefix, self.stream)
        shared = {
            "flags": topics.flags_topic,
            "transitions": topics.transitions_topic,
            "dead-letters": topics.dead_letters_topic,
        }
        return shared[self.kind](prefix)


def lines(settings: Settings, tap: Tap, wanted: Callable[[], bool]) -> Iterator[bytes]:
    """Yield JSON lines while ``wanted()``: the last ``tap.back`` records of each partition first.

    A record that breaks its contract is a line too, with ``error`` and ``reason``. Commits nothing.
    """
    reader = consumer(settings.kafka, "tap", f"{settings.topic_prefix}-tap")
    try:
        parts = [
            TopicPartition(tap.topic(settings.topic_prefix), p) for p in range(topics.PARTITIONS)
        ]
        reader.assign(parts)
        first, end = reader.beginning_offsets(parts), reader.end_offsets(parts)
        for part in parts:
            reader.seek(part, max(first[part], end[part] - tap.back))
        while wanted():
            for records in reader.poll(timeout_ms=POLL_MS).values():
                for record in records:
                    yield from map(msgspec.json.encode, rows(tap, record))
    finally:
        reader.close()


def rows(tap: Tap, record: Any) -> Iterator[dict[str, Any]]:
    """Yield what one Kafka record holds, as plain dictionaries without empty fields."""
    place = {"partition": record.partition, "offset": record.offset}
    try:
        for row in _decoded(tap, record):
            if tap.sensor in ("", row.get("sensor", "")) and row.get("stream") == tap.stream:
                yield {k: v for k, v in row.items() if v is not None} | place
    except FrameError as error:
        yield {"stream": tap.stream, "error": error.code, "reason": error.reason} | place


def _decoded(tap: Tap, record: Any) -> Iterator[dict[str, Any]]:
    kind = event_type(record.headers)
    if kind == OVERRIDE_TYPE:
        if tap.ticks:
            told = msgspec.structs.asdict(decode_override(record.value))
            yield {"stream": tap.stream, **told}
    elif kind == TICK_TYPE:
        if tap.ticks:
            told = decode_tick(record.value)
            known = asdict(told) if isinstance(told, Word) else _tick(told)
            yield {"stream": tap.stream, **known}
    elif tap.kind == "readings":
        frame = decode(tap.stream, record.value, record.headers)
        known = {"stream": tap.stream, "received_at": frame.received_at, "source": frame.source}
        yield from (known | row for row in frame.batch.to_pylist())
    elif tap.kind == "aggregates":
        schema = aggregates_schema(streams()[tap.stream])
        yield from _batch(tap, record.value, schema)
    elif tap.kind == "flags":
        yield from _batch(tap, record.value, FLAGS_SCHEMA)
    else:
        yield _message(record.value)


def _tick(tick: Tick) -> dict[str, Any]:
    return {"tick": tick.at} | (asdict(tick.pulse) if tick.pulse else {})


def _batch(tap: Tap, value: bytes | None, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    yield from ({"stream": tap.stream} | row for row in decode_batch(value, schema).to_pylist())


def _message(value: bytes | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(value or b"", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise FrameError("json", str(error)) from None
