"""Read an Arrow IPC stream that a stranger sent: bounded in memory, every fault named."""

import struct
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from catalog.frames import (
    DEVICE_FLAGS,
    EARLIEST,
    FLAG_SUFFIX,
    LATEST,
    MAX_READINGS,
    TIMESTAMP,
    bad_rows,
    flagged_schema,
    readings_schema,
)
from catalog.model import Stream
from ingest import named
from ingest.readings import FieldError, Refused, check_rows, count_error, explain_item

TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
LONGEST_TEXT = 1_000
"""Bytes of a sensor's name that are looked at; a dictionary could repeat a long one 5 000 times."""

_HEADER, _BATCH_COMPRESSION, _DICTIONARY_BATCH = 2, 3, 1


def read_arrow(stream: Stream, body: bytes) -> tuple[pa.RecordBatch, list[FieldError]]:
    """Return the readings in the stream's schema and what is wrong with single times and names.

    A time out of range is null in the batch. ``Refused`` when the body is no Arrow stream (400)
    or its columns are not the stream's (422).
    """
    try:
        if any(_compressed(message) for message in pa.ipc.MessageReader.open_stream(body)):
            detail = "compressed buffers are not taken, write the stream without compression"
            raise Refused([FieldError(None, "body", "compressed", detail)], 400)
        with pa.ipc.open_stream(body) as reader:
            if errors := list(_wrong_columns(stream, reader.schema)):
                raise Refused(errors)
            batches = _few(reader)
        table = pa.Table.from_batches(batches, reader.schema)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError, struct.error) as error:
        raise Refused([FieldError(None, "body", "arrow", str(error)[:200])], 400) from None
    return _converted(stream, table)


def parse_arrow(stream: Stream, body: bytes, now: datetime) -> pa.RecordBatch:
    """Return the readings of an Arrow IPC stream as a batch, under the same rules as JSON."""
    batch, errors = read_arrow(stream, body)
    named = {e.item for e in errors}
    items = batch.to_pylist()
    if errors or bad_rows(batch):
        for item, reading in enumerate(items):
            found = explain_item(stream, item, reading)
            errors += [e for e in found if item not in named or e.field != "observed_at"]
        raise Refused(sorted(errors, key=lambda e: e.item or 0))
    given = [tuple(reading.values()) for reading in items]
    rows = check_rows(stream, given, now)
    if rows is not given:
        columns = zip(*rows, strict=True)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, batch.schema, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=batch.schema)
    return batch.cast(_target(stream, batch.schema.names))


def _few(reader: pa.RecordBatchReader) -> list[pa.RecordBatch]:
    """Return all batches, never more than a request may carry."""
    batches, count = [], 0
    for batch in reader:
        batches.append(batch)
        count += batch.num_rows
        if count > MAX_READINGS:
            break
    if not 1 <= count <= MAX_READINGS:
        raise Refused([count_error(f"{count} or more" if count else "0")])
    return batches


def _wrong_columns(stream: Stream, schema: pa.Schema) -> Iterator[FieldError]:
    for name in dict.fromkeys(schema.names):
        if schema.names.count(name) > 1:
            yield FieldError(None, name, "contradiction", "this column is there more than once")
        elif name not in flagged_schema(stream).names:
            yield FieldError(None, name, "unknown", "no such metric in this stream")
        else:
            yield from _wrong_type(stream, name, schema.field(name).type)
    for name in ("sensor", "observed_at"):
        if name not in schema.names:
            yield FieldError(None, name, "required", "this column is missing")


def _wrong_type(stream: Stream, name: str, kind: pa.DataType) -> Iterator[FieldError]:
    if name == "sensor":
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(fits(plain) for fits in TEXTS):
            yield FieldError(None, name, "type", f"the column is {kind}, not string")
    elif name == "observed_at":
        if not (pa.types.is_timestamp(kind) and kind.tz):
            yield FieldError(None, name, "time_zone", f"{kind} is no timestamp with a time zone")
    elif name.endswith(FLAG_SUFFIX) and not (pa.types.is_integer(kind) or pa.types.is_null(kind)):
        yield FieldError(None, name, "type", f"the column is {kind}, not int8")
    elif not any(fits(kind) for fits in NUMBERS) and not _is_named(stream, name, kind):
        yield FieldError(None, name, "type", f"the column is {kind}, not double")


def _is_named(stream: Stream, name: str, kind: pa.DataType) -> bool:
    metric = stream.metric(name)
    return metric is not None and named.fits(metric, kind)


def _converted(stream: Stream, table: pa.Table) -> tuple[pa.RecordBatch, list[FieldError]]:
    schema = _target(stream, table.schema.names)
    columns = {"sensor": _sensors(table.column("sensor"))}
    columns["observed_at"], errors = _times(table.column("observed_at"))
    metrics = {metric.name: metric for metric in stream.metrics}
    for name in schema.names[2:]:
        given = table.column(name) if name in table.schema.names else pa.nulls(table.num_rows)
        if name in metrics:
            columns[name], rows = named.numbers(metrics[name], given)
            words = named.words(metrics[name]) if rows else ""
            errors += [FieldError(row, name, "value", words) for row in rows]
        else:
            columns[name], odd = _flags(name, given)
            errors += odd
    arrays = [
        c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c
        for c in (columns[name] for name in schema.names)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=schema.names), errors


def _target(stream: Stream, names: list[str]) -> pa.Schema:
    """Return the schema that a body of these columns comes to."""
    plain = readings_schema(stream)
    return plain if set(names) <= set(plain.names) else flagged_schema(stream)


def _flags(name: str, column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, list[FieldError]]:
    """Return a device's flags; those that mean nothing are null and named."""
    flags = column.cast(pa.int64())
    known = pc.is_in(flags, pa.array([*DEVICE_FLAGS, None], pa.int64()))
    odd = pc.indices_nonzero(pc.invert(known)).to_pylist()
    errors = [FieldError(i, name, "flag", "a flag is 1, 2, 3 or 4") for i in odd]
    return pc.if_else(known, flags, pa.scalar(None, pa.int64())).cast(pa.int8()), errors


def _sensors(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for chunk in column.chunks:
        texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        if (pc.max(pc.binary_length(texts.cast(pa.large_string()))).as_py() or 0) > LONGEST_TEXT:
            raise Refused([FieldError(None, "sensor", "sensor", "a name is far too long")])
    return column.cast(pa.string())


def _times(column: pa.ChunkedArray) -> tuple[pa.Array, list[FieldError]]:
    """Return times in microseconds, cut off below; those out of range are null and named."""
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    count = column.combine_chunks().cast(pa.int64())
    first, end = (int(t.timestamp()) * per_s for t in (EARLIEST, LATEST))
    fits = pc.and_(pc.greater_equal(count, first), pc.less(count, end))
    odd = pc.indices_nonzero(pc.invert(pc.fill_null(fits, True))).to_pylist()
    kept = pc.if_else(fits, count, pa.scalar(None, pa.int64())).cast(column.type)
    errors = [FieldError(i, "observed_at", "range", "before 1970 or after 2262") for i in odd]
    return kept.cast(TIMESTAMP, safe=False), errors


def _compressed(message: pa.Message) -> bool:
    """Tell whether a message's buffers are compressed: two megabytes can be gigabytes then.

    pyarrow does not say; it stands in the message's head, a flat buffer (``Message.fbs``).
    """
    if message.type not in ("record batch", "dictionary"):
        return False
    head = message.metadata.to_pybytes()
    batch = _child(head, _follow(head, 0), _HEADER)
    if batch and message.type == "dictionary":
        batch = _child(head, batch, _DICTIONARY_BATCH)
    return bool(batch and _child(head, batch, _BATCH_COMPRESSION))


def _child(head: bytes, table: int, slot: int) -> int:
    """Return where the table in ``slot`` of the table at ``table`` is, 0 when it is not set."""
    fields = table - struct.unpack_from("<i", head, table)[0]
    size = struct.unpack_from("<H", head, fields)[0]
    at = 4 + 2 * slot
    offset = struct.unpack_from("<H", head, fields + at)[0] if at < size else 0
    return _follow(head, table + offset) if offset else 0


def _follow(head: bytes, at: int) -> int:
    return at + struct.unpack_from("<I", head, at)[0]
