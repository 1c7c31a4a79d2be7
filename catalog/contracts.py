"""Contracts of what the worker emits: window aggregates, quality flags, alert transitions.

Aggregates and flags travel as Arrow batches (schema-less IPC, like frames), transitions as JSON.
"""

from datetime import datetime
from functools import cache
from typing import Literal

import msgspec
import pyarrow as pa

from catalog.frames import TIMESTAMP, FrameError
from catalog.model import Stream

AGGREGATES_TYPE = "city.aggregates"
FLAGS_TYPE = "city.flags"
TRANSITION_TYPE = "city.transition"
DEAD_LETTER_TYPE = "city.dead-letter"
WINDOW_S = 60
STATISTICS = ("n", "good", "used", "sum", "min", "max", "last")
"""Per metric of a window: its values, those that passed (flag 1 or 2), those used (not failed, so
also the suspect ones), and sum/min/max/last of the used: a danger is never left out of a chart."""
COUNTED = ("n", "good", "used")
"""Statistics that are whole numbers."""


@cache
def aggregates_schema(stream: Stream) -> pa.Schema:
    """Return ``sensor, window_start, revision, n`` and ``<metric>_<statistic>`` columns.

    ``n`` counts the readings of the window; ``<metric>_n`` those that carried the metric.
    """
    fields = [
        pa.field("sensor", pa.string(), nullable=False),
        pa.field("window_start", TIMESTAMP, nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("n", pa.int32(), nullable=False),
    ]
    for metric in stream.aggregate_names:
        for statistic in STATISTICS:
            kind = pa.int32() if statistic in COUNTED else pa.float64()
            fields.append(pa.field(f"{metric}_{statistic}", kind))
    return pa.schema(fields)


FLAGS_SCHEMA = pa.schema(
    [
        pa.field("stream", pa.string(), nullable=False),
        pa.field("sensor", pa.string(), nullable=False),
        pa.field("observed_at", TIMESTAMP, nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("test", pa.string(), nullable=False),
        pa.field("flag", pa.int8(), nullable=False),
        pa.field("value", pa.float64()),
    ]
)
"""One row per reading x metric x test that is not pass: ``device``, ``gross``, ``rate``, ``jump``,
``flat``, a relation's name, ``spike``; and metric ``*`` with test ``late`` for a reading beyond the
stream's lateness, ``clock`` for one from a clock that runs ahead or was set back."""

FLAG_PASS, FLAG_UNKNOWN, FLAG_SUSPECT, FLAG_FAIL, FLAG_MISSING = 1, 2, 3, 4, 9


Kind = Literal["raised", "changed", "confirmed", "withdrawn", "cleared"]


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an alert's state. ``id`` and ``episode`` depend only on the Kafka log.

    ``severity`` is 1 (red) to 4 (blue); ``cleared`` carries the level that ended. ``observed_at``
    is event time (for absence: the tick's), ``produced_at`` the worker's clock.
    ``confidence`` is the alert's after this change; ``reason`` names the tests that doubt the value
    (``unconfirmed``), the test that proved it wrong (``withdrawn``), or why a sensor is silent.
    """

    id: str
    episode: str
    rule: str
    stream: str
    sensor: str
    kind: Kind
    severity: int
    previous: int | None = None
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    observed_at: datetime
    produced_at: datetime
    confidence: Literal["confirmed", "unconfirmed"] = "confirmed"
    reason: str = ""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be used, as sent to the dead-letter topic.

    ``readings`` keeps JSON readings for a re-drive through the gateway's contract; ``payload`` the
    raw bytes (base64 in JSON) where there is no readable reading. ``id`` makes a repeat harmless.
    """

    id: str
    stream: str
    stage: Literal["receiving", "processing", "storing", "delivering"]
    code: str
    reason: str
    at: datetime
    readings: list[dict[str, object]] = []
    payload: bytes | None = None
    dataschema: str = ""
    """Schema of the frame in ``payload``, as its writer named it."""
    source: str = ""


_TRANSITIONS = msgspec.json.Decoder(Transition)
_DEAD_LETTERS = msgspec.json.Decoder(DeadLetter)


def encode_json(message: Transition | DeadLetter) -> bytes:
    """Return the Kafka value of a transition or dead letter."""
    return msgspec.json.encode(message)


def decode_transition(value: bytes | None) -> Transition:
    """Decode a transition; ``FrameError`` code ``transition`` otherwise."""
    try:
        return _TRANSITIONS.decode(value or b"")
    except msgspec.DecodeError as error:
        raise FrameError("transition", str(error)) from None


def decode_dead_letter(value: bytes | None) -> DeadLetter:
    """Decode a dead letter; ``FrameError`` code ``dead_letter`` otherwise."""
    try:
        return _DEAD_LETTERS.decode(value or b"")
    except msgspec.DecodeError as error:
        raise FrameError("dead_letter", str(error)) from None


def decode_batch(value: bytes | None, schema: pa.Schema) -> pa.RecordBatch:
    """Decode an aggregates or flags message; ``FrameError`` code ``arrow`` otherwise."""
    try:
        batch = pa.ipc.read_record_batch(pa.py_buffer(value or b""), schema)
        batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise FrameError("arrow", str(error)[:300]) from None
    return batch
