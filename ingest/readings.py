"""Check readings against their stream's contract: all errors at once, or one Arrow batch."""

import json
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any

import msgspec
import pyarrow as pa

from catalog.frames import EARLIEST, LATEST, MAX_READINGS, SENSOR_ID, readings_schema
from catalog.model import Stream

MAX_FUTURE = timedelta(minutes=5)
MAX_ERRORS = 100
SensorId = Annotated[str, msgspec.Meta(pattern=SENSOR_ID)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong, where: item index in ``readings``, field, rule and a sentence."""

    item: int | None
    field: str
    rule: str
    detail: str


class Refused(Exception):
    """The request breaks the contract; nothing of it is kept."""

    def __init__(self, errors: list[FieldError], status: int = 422) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors
        self.status = status


@cache
def reading_type(stream: Stream) -> type[msgspec.Struct]:
    """Return the struct of one reading: ``sensor``, ``observed_at`` and optional metrics."""
    fields: list[Any] = [("sensor", SensorId), ("observed_at", Moment)]
    fields += [(name, float | None, None) for name in stream.metric_names]
    return msgspec.defstruct(f"{stream.name}_reading", fields, forbid_unknown_fields=True)


@cache
def _decoder(stream: Stream) -> msgspec.json.Decoder[Any]:
    readings = Annotated[
        list[reading_type(stream)],  # pyright: ignore[reportInvalidTypeForm]
        msgspec.Meta(min_length=1, max_length=MAX_READINGS),
    ]
    request = msgspec.defstruct(
        f"{stream.name}_request", [("readings", readings)], forbid_unknown_fields=True
    )
    return msgspec.json.Decoder(request)


def parse_json(stream: Stream, body: bytes, now: datetime) -> pa.RecordBatch:
    """Return the readings of a JSON body as a batch; ``Refused`` naming every fault."""
    try:
        readings = _decoder(stream).decode(body).readings
    except msgspec.DecodeError:
        raise Refused(list(_explain(stream, body))) from None
    rows = [msgspec.structs.astuple(r) for r in readings]
    _check_rows(rows, now)
    columns = [
        pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), _schema(stream), strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schema(stream))


def parse_arrow(stream: Stream, body: bytes, now: datetime) -> pa.RecordBatch:
    """Return the readings of an Arrow IPC stream as a batch, under the same rules as JSON."""
    try:
        table = pa.ipc.open_stream(body).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise Refused([FieldError(None, "body", "arrow", str(error)[:200])], 400) from None
    unknown = [n for n in table.schema.names if n not in _schema(stream).names]
    missing = [n for n in ("sensor", "observed_at") if n not in table.schema.names]
    errors = [FieldError(None, n, "unknown", "no such metric in this stream") for n in unknown]
    errors += [FieldError(None, n, "required", "this column is missing") for n in missing]
    if not errors and not getattr(table.schema.field("observed_at").type, "tz", None):
        errors = [FieldError(None, "observed_at", "time_zone", "the column has no time zone")]
    if errors:
        raise Refused(errors)
    body_json = json.dumps({"readings": table.to_pylist()}, default=_plain).encode()
    return parse_json(stream, body_json, now)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _schema(stream: Stream) -> pa.Schema:
    return readings_schema(stream)


def _check_rows(rows: list[tuple[Any, ...]], now: datetime) -> None:
    """Raise ``Refused`` for what types cannot say: future, absurd time, empty, contradiction."""
    errors, seen, latest = [], {}, now + MAX_FUTURE
    for item, row in enumerate(rows):
        key = row[:2]
        if row[1] > latest:
            errors.append(FieldError(item, "observed_at", "future", "more than 5 min ahead"))
        elif not EARLIEST <= row[1] < LATEST:
            errors.append(FieldError(item, "observed_at", "range", "before 1970 or after 2262"))
        if all(value is None for value in row[2:]):
            errors.append(FieldError(item, "*", "no_metric", "the reading carries no metric"))
        if seen.setdefault(key, row) != row:
            errors.append(
                FieldError(item, "observed_at", "contradiction", "same key, other values")
            )
    if errors:
        raise Refused(errors)


def _explain(stream: Stream, body: bytes) -> Iterable[FieldError]:
    """Walk a body that did not decode and name every fault."""
    try:
        request = json.loads(body)
    except ValueError as error:
        raise Refused([FieldError(None, "body", "json", str(error)[:200])], 400) from None
    if not isinstance(request, dict) or not isinstance(request.get("readings"), list):
        yield FieldError(None, "readings", "required", 'the body is {"readings": […]}')
        return
    for name in sorted(set(request) - {"readings"}):
        yield FieldError(None, name, "unknown", "only readings is known here")
    count = len(request["readings"])
    if not 1 <= count <= MAX_READINGS:
        yield FieldError(
            None, "readings", "count", f"{count} readings, 1 to {MAX_READINGS} allowed"
        )
        return
    for item, reading in enumerate(request["readings"]):
        yield from _explain_item(stream, item, reading)


def _explain_item(stream: Stream, item: int, reading: object) -> Iterable[FieldError]:
    if not isinstance(reading, dict):
        yield FieldError(item, "*", "type", "a reading is an object")
        return
    for name in ("sensor", "observed_at"):
        if name not in reading:
            yield FieldError(item, name, "required", "this field is missing")
    for name, value in reading.items():
        if error := _field_error(stream, name, value):
            yield FieldError(item, name, *error)


def _field_error(stream: Stream, name: str, value: object) -> tuple[str, str] | None:
    if name == "sensor":
        return _convert(value, SensorId, "sensor")
    if name == "observed_at":
        return _convert(value, Moment, "time")
    if name not in stream.metric_names:
        return "unknown", f"no such metric; {stream.name} has {', '.join(stream.metric_names)}"
    if isinstance(value, float) and not math.isfinite(value):
        return "not_finite", "NaN and infinity are no measured values"
    return _convert(value, float | None, "type")


def _convert(value: object, kind: Any, rule: str) -> tuple[str, str] | None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return rule, str(error)[:200]
    return None
