"""Frames: the one shape of data from edge to disk, an Arrow record batch per Kafka message.

The value is a schema-less Arrow IPC record batch; the header ``ce_dataschema`` names the schema,
which derives from the stream's declaration. Headers follow CloudEvents 1.0, Kafka binary mode.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.errors import ContractError
from catalog.model import Stream
from catalog.registry import streams

Headers = list[tuple[str, bytes]]
TIMESTAMP = pa.timestamp("us", tz="UTC")
MAX_READINGS = 5_000
"""Readings of one frame at most: what one gateway request may carry."""

SENSOR_ID = "^[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff._:-]{0,63}$"
"""What a sensor may be named: up to 64 letters, digits, Chinese characters and ``. _ : -``. So a
vehicle is named as people write it, such as 川A12345."""

FLAG_SUFFIX, FLAGGED = "_flag", "+flags"
DEVICE_FLAGS = (1, 2, 3, 4)
"""What a device may say of a value: pass, not evaluated, suspect, fail."""

READINGS_TYPE = "city.readings"
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LATEST = datetime(2262, 1, 1, tzinfo=UTC)


class FrameError(ContractError):
    """A message that is no valid frame; ``code`` is bounded: metric label, dead-letter code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason, code=code, stage="receiving")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: readings of one stream, received together."""

    stream: Stream
    batch: pa.RecordBatch
    received_at: datetime
    source: str
    id: str
    flags: NDArray[np.int8] | None = None
    """What the device says of its own values, ``[readings, metrics]``: QARTOD flags, 0 for none."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One reading inside a valid frame that breaks the contract."""

    index: int
    code: str
    reason: str


@cache
def readings_schema(stream: Stream) -> pa.Schema:
    """Return ``sensor, observed_at`` and one nullable float64 column per metric."""
    return _schema(stream.metric_names)


@cache
def _schema(metrics: tuple[str, ...]) -> pa.Schema:
    keys = [
        pa.field("sensor", pa.string(), nullable=False),
        pa.field("observed_at", TIMESTAMP, nullable=False),
    ]
    return pa.schema(keys + [pa.field(m, pa.float64()) for m in metrics])


@cache
def flagged_schema(stream: Stream) -> pa.Schema:
    """Return the schema of a frame with flags: one nullable int8 ``<metric>_flag`` per metric."""
    return _flagged(stream.metric_names)


@cache
def _flagged(metrics: tuple[str, ...]) -> pa.Schema:
    flags = [pa.field(f"{m}{FLAG_SUFFIX}", pa.int8()) for m in metrics]
    return pa.schema([*_schema(metrics), *flags])


def dataschema(stream: Stream, version: int = 0, *, flagged: bool = False) -> str:
    """Return the name of the frame's schema: ``<stream>/<version>``, by default the present one;
    ``+flags`` behind it where the device's own flags stand beside the values."""
    return f"{stream.name}/{version or stream.version}{FLAGGED if flagged else ''}"


def metrics_of(stream: Stream, schema: str) -> tuple[str, ...] | None:
    """Return the metrics of a frame of this schema; None when the declaration knows none such."""
    schema = schema.removesuffix(FLAGGED)
    if schema == dataschema(stream):
        return stream.metric_names
    for version, metrics in stream.earlier.items():
        if schema == dataschema(stream, version):
            return metrics
    return None


def encode(batch: pa.RecordBatch) -> bytes:
    """Return the Kafka value of a batch that has its stream's ``readings_schema``."""
    return batch.serialize().to_pybytes()


def frame_headers(
    stream: Stream, source: str, received_at: datetime, *, flagged: bool = False
) -> Headers:
    """Return CloudEvents headers of one frame; ``received_at`` must be aware UTC."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", READINGS_TYPE.encode()),
        ("ce_source", source.encode()),
        ("ce_id", uuid.uuid4().hex.encode()),
        ("ce_time", received_at.isoformat().encode()),
        ("ce_dataschema", dataschema(stream, flagged=flagged).encode()),
        ("content-type", b"application/vnd.apache.arrow.batch"),
    ]


def decode(stream_name: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Frame:
    """Decode one message of a stream's readings topic.

    Raises ``FrameError`` with code ``headers``, ``schema_version``, ``arrow`` or ``too_large``;
    never anything else, whatever the bytes are.
    """
    stream = streams()[stream_name]
    fields = dict(headers or ())
    _check_type(fields)
    schema = schema_of(headers)
    metrics = _metrics(stream, schema)
    received_at = _received_at(fields)
    batch, flags = _read(stream, metrics, value, flagged=schema.endswith(FLAGGED))
    source = fields.get("ce_source", b"").decode(errors="replace")
    frame_id = fields.get("ce_id", b"").decode("ascii", "replace")
    return Frame(stream, batch, received_at, source, frame_id, flags)


def read_batch(stream: Stream, schema: str, value: bytes | None) -> pa.RecordBatch:
    """Read a frame of a schema, as one of the present version; ``FrameError`` otherwise."""
    return _read(stream, _metrics(stream, schema), value, flagged=schema.endswith(FLAGGED))[0]


def schema_of(headers: Sequence[tuple[str, bytes]] | None) -> str:
    """Return ``ce_dataschema`` of a message, empty when it has none."""
    return dict(headers or ()).get("ce_dataschema", b"").decode(errors="replace")


def event_type(headers: Sequence[tuple[str, bytes]] | None) -> str:
    """Return ``ce_type`` of a message, empty when it has none."""
    for key, value in headers or ():
        if key == "ce_type":
            return value.decode(errors="replace")
    return ""


def bad_rows(batch: pa.RecordBatch, *, names_are_good: bool = False) -> list[BadRow]:
    """Return the readings that break the contract: odd key, absurd time, NaN or infinity.

    The rest of the frame is good. Sink and worker drop the same rows by calling this;
    ``names_are_good`` spares the look at sensor ids that were looked at before.
    """
    found = {}
    sensor, observed = batch.column("sensor"), batch.column("observed_at")
    if not names_are_good:
        odd = pc.invert(pc.fill_null(pc.match_substring_regex(sensor, SENSOR_ID), False))
        found |= _rows(odd, "sensor", f"sensor id does not match {SENSOR_ID}")
    times = observed.view(pa.int64())
    if observed.null_count or not _within(times):
        ok = pc.and_(pc.greater_equal(times, _us(EARLIEST)), pc.less(times, _us(LATEST)))
        found |= _rows(pc.invert(pc.fill_null(ok, False)), "observed_at", "time out of range")
    for name in batch.schema.names[2:]:
        column = batch.column(name)
        values = column.to_numpy(zero_copy_only=False)
        odd = ~np.isfinite(values)
        if odd.any():
            odd &= column.is_valid().to_numpy(zero_copy_only=False)
            found |= _rows(pa.array(odd), "not_finite", f"{name} is NaN or infinite")
    return [found[i] for i in sorted(found)]


def _check_type(fields: dict[str, bytes]) -> None:
    if fields.get("ce_type") != READINGS_TYPE.encode():
        raise FrameError("headers", f"ce_type is {fields.get('ce_type')!r}, not {READINGS_TYPE}")


def _received_at(fields: dict[str, bytes]) -> datetime:
    try:
        received_at = datetime.fromisoformat(fields["ce_time"].decode())
    except (KeyError, ValueError) as error:
        raise FrameError("headers", f"ce_time: {error}") from None
    if received_at.tzinfo is None:
        raise FrameError("headers", "ce_time has no time zone")
    return received_at


def _metrics(stream: Stream, schema: str) -> tuple[str, ...]:
    metrics = metrics_of(stream, schema)
    if metrics is None:
        raise FrameError("schema_version", f"{schema!r} is not {dataschema(stream)!r}")
    return metrics


def _conform(stream: Stream, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the readings with the metrics of the present version."""
    schema, nothing = readings_schema(stream), pa.nulls(batch.num_rows, pa.float64())
    known = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns = [known.get(name, nothing) for name in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _read(
    stream: Stream, metrics: tuple[str, ...], value: bytes | None, *, flagged: bool
) -> tuple[pa.RecordBatch, NDArray[np.int8] | None]:
    if not value:
        raise FrameError("arrow", "empty message")
    schema = _flagged(metrics) if flagged else _schema(metrics)
    try:
        batch = pa.ipc.read_record_batch(pa.py_buffer(value), schema)
        batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise FrameError("arrow", str(error)[:300]) from None
    if batch.num_rows > MAX_READINGS:
        raise FrameError("too_large", f"{batch.num_rows} readings, at most {MAX_READINGS}")
    flags = _device_flags(stream, batch) if flagged else None
    if flagged or metrics != stream.metric_names:
        batch = _conform(stream, batch)
    return batch, flags


def _device_flags(stream: Stream, batch: pa.RecordBatch) -> NDArray[np.int8]:
    """Return the flags by metric of the present version; what is no device's flag says nothing."""
    found = np.zeros((batch.num_rows, len(stream.metric_names)), np.int8)
    known = {name: place for place, name in enumerate(batch.schema.names)}
    for column, metric in enumerate(stream.metric_names):
        if (place := known.get(f"{metric}{FLAG_SUFFIX}")) is not None:
            flags = pc.fill_null(batch.column(place), 0).to_numpy(zero_copy_only=False)
            found[:, column] = np.where(np.isin(flags, DEVICE_FLAGS), flags, 0)
    return found


def _within(times: pa.Int64Array) -> bool:
    if not len(times):
        return True
    bounds = pc.min_max(times)
    return _us(EARLIEST) <= bounds["min"].as_py() and bounds["max"].as_py() < _us(LATEST)


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def _rows(mask: pa.Array, code: str, reason: str) -> dict[int, BadRow]:
    hits = np.flatnonzero(mask.to_numpy(zero_copy_only=False).astype(bool))
    return {int(i): BadRow(int(i), code, reason) for i in hits}
