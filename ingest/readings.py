"""Check readings against their stream's contract: all errors at once, or one Arrow batch."""

import json
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from catalog.errors import ContractError
from catalog.frames import (
    DEVICE_FLAGS,
    EARLIEST,
    FLAG_SUFFIX,
    LATEST,
    MAX_READINGS,
    SENSOR_ID,
    flagged_schema,
    readings_schema,
)
from catalog.model import Stream
from ingest import named

MAX_FUTURE = timedelta(minutes=5)
MAX_ERRORS = 100
MAX_SHOWN = 100
QUOTE = ord('"')
FLAG_NAME = f'{FLAG_SUFFIX}"'.encode()
"""Ends the name of a device's flag in a body: without it no reading carries one."""
DeviceFlag = Literal[1, 2, 3, 4]
# in Python `$` would let a newline follow
SensorId = Annotated[str, msgspec.Meta(pattern=SENSOR_ID.removesuffix("$") + r"\Z")]
SENSOR_WORDS = "an id is up to 64 letters, digits and . _ : - and begins with one of the former"
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong, where: item index in ``readings``, field, rule and a sentence."""

    item: int | None
    field: str
    rule: str
    detail: str


class Refused(ContractError):
    """The request breaks the contract; nothing of it is kept."""

    def __init__(self, errors: list[FieldError], status: int = 422) -> None:
        super().__init__(f"{len(errors)} errors", code="contract", stage="receiving")
        self.errors = errors
        self.status = status


@cache
def reading_type(stream: Stream, *, flagged: bool = False) -> type[msgspec.Struct]:
    """Return the struct of one reading: ``sensor``, ``observed_at`` and optional metrics; with
    ``flagged`` also what the device says of each, ``<metric>_flag``."""
    fields: list[Any] = [("sensor", SensorId), ("observed_at", Moment)]
    fields += [(m.name, named.json_type(m), None) for m in stream.metrics]
    if flagged:
        fields += [(f"{m}{FLAG_SUFFIX}", DeviceFlag | None, None) for m in stream.metric_names]
    return msgspec.defstruct(f"{stream.name}_reading", fields, forbid_unknown_fields=True)


@cache
def _decoder(stream: Stream, flagged: bool) -> msgspec.json.Decoder[Any]:
    readings = Annotated[
        list[reading_type(stream, flagged=flagged)],  # pyright: ignore[reportInvalidTypeForm]
        msgspec.Meta(min_length=1, max_length=MAX_READINGS),
    ]
    request = msgspec.defstruct(
        f"{stream.name}_request", [("readings", readings)], forbid_unknown_fields=True
    )
    return msgspec.json.Decoder(request)


def parse_json(stream: Stream, body: bytes, now: datetime) -> pa.RecordBatch:
    """Return the readings of a JSON body as a batch; ``Refused`` naming every fault.

    The batch has ``readings_schema``, or ``flagged_schema`` where the body has flags of a device.
    """
    flagged = FLAG_NAME in body
    try:
        readings = _decoder(stream, flagged).decode(body).readings
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        unexplained = FieldError(None, "body", "json", str(error)[:200])
        found = list(_explain(stream, body)) or list(_named_twice(body))
        raise Refused(found or [unexplained]) from None
    rows = named.as_numbers(stream, [msgspec.structs.astuple(r) for r in readings])
    rows = check_rows(stream, rows, now)
    schema = flagged_schema(stream) if flagged else readings_schema(stream)
    columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), schema, strict=True)]
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    may = named.takes_names(stream) or _may_name_twice(batch, body)
    if may and (errors := list(_named_twice(body))):
        raise Refused(errors)
    return batch


def _may_name_twice(batch: pa.RecordBatch, body: bytes) -> bool:
    """Tell by counting quotes whether a body may hold more texts than its readings account for.

    Names and values that decode hold no quote: each text takes two. A reading has four texts (the
    names and values of sensor and time) and the names of its metrics, those that are null included.
    """
    absent = sum(column.null_count for column in batch.columns[2:])
    texts = 1 + batch.num_rows * (batch.num_columns + 2) - absent
    quotes = np.count_nonzero(np.frombuffer(body, np.uint8) == QUOTE)
    if quotes == 2 * texts:
        return False
    return quotes != 2 * (texts + body.count(b"null,") + body.count(b"null}"))


def _named_twice(body: bytes) -> Iterable[FieldError]:
    """Name each field that one object has twice: nobody can tell which value is meant."""
    objects: list[list[str]] = []
    json.loads(body, object_pairs_hook=lambda pairs: objects.append([name for name, _ in pairs]))
    for item, names in enumerate(objects):
        whole = item == len(objects) - 1
        for name in dict.fromkeys(n for n in names if names.count(n) > 1):
            yield FieldError(None if whole else item, name, "contradiction", "this field is twice")


Rows = list[tuple[Any, ...]]
"""Sensor, time, values by metric, and flags by metric where a device says any; None = absent."""


def check_rows(stream: Stream, rows: Rows, now: datetime) -> Rows:
    """Raise ``Refused`` for what types cannot say: future, absurd time, empty, contradiction.

    Returns the rows; those of one sensor and time that carry different metrics, as two instruments
    of a station send them, are each the whole reading.
    """
    end = 2 + len(stream.metrics)
    errors, latest = [], now + MAX_FUTURE
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    parts = False
    for item, row in enumerate(rows):
        key = row[:2]
        if row[1] > latest:
            errors.append(FieldError(item, "observed_at", "future", "more than 5 min ahead"))
        elif not EARLIEST <= row[1] < LATEST:
            errors.append(FieldError(item, "observed_at", "range", "before 1970 or after 2262"))
        if all(value is None for value in row[2:end]):
            errors.append(FieldError(item, "*", "no_metric", "the reading carries no metric"))
        errors += [FieldError(item, m, "value", words) for m, words in named.faults(stream, row)]
        if (known := seen.setdefault(key, row)) != row:
            if whole := _together(known, row):
                seen[key], parts = whole, True
                continue
            errors.append(
                FieldError(item, "observed_at", "contradiction", "same key, other values")
            )
    if errors:
        raise Refused(errors)
    return [seen[row[:2]] for row in rows] if parts else rows


def _together(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return two rows of one key as one; None when they differ in a value that both have."""
    pairs = list(zip(one, other, strict=True))
    if any(a is not None and b is not None and a != b for a, b in pairs):
        return None
    return tuple(b if a is None else a for a, b in pairs)


def _explain(stream: Stream, body: bytes) -> Iterable[FieldError]:
    """Walk a body that did not decode and name every fault."""
    try:
        request = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise Refused([FieldError(None, "body", "json", str(error)[:200])], 400) from None
    if not isinstance(request, dict) or not isinstance(request.get("readings"), list):
        yield FieldError(None, "readings", "required", 'the body is {"readings": […]}')
        return
    for name in sorted(set(request) - {"readings"}):
        yield FieldError(None, name[:MAX_SHOWN], "unknown", "only readings is known here")
    count = len(request["readings"])
    if not 1 <= count <= MAX_READINGS:
        yield count_error(str(count))
        return
    for item, reading in enumerate(request["readings"]):
        yield from explain_item(stream, item, reading)


def count_error(count: str) -> FieldError:
    """Return the error of a request with too few or too many readings."""
    return FieldError(None, "readings", "count", f"{count} readings, 1 to {MAX_READINGS} allowed")


def explain_item(stream: Stream, item: int, reading: object) -> Iterable[FieldError]:
    """Name every fault of one reading."""
    if not isinstance(reading, dict):
        yield FieldError(item, "*", "type", "a reading is an object")
        return
    for name in ("sensor", "observed_at"):
        if name not in reading:
            yield FieldError(item, name, "required", "this field is missing")
    for name, value in reading.items():
        if error := _field_error(stream, name, value):
            yield FieldError(item, name[:MAX_SHOWN], *error)


def _field_error(stream: Stream, name: str, value: object) -> tuple[str, str] | None:
    if name == "sensor":
        error = _convert(value, SensorId, "sensor")
        if error and isinstance(value, str):
            return "sensor", f"{value[:MAX_SHOWN]!r}: {SENSOR_WORDS}"
        return error
    if name == "observed_at":
        return _convert(value, Moment, "time")
    if name.removesuffix(FLAG_SUFFIX) in stream.metric_names and name not in stream.metric_names:
        if value is None or (value in DEVICE_FLAGS and not isinstance(value, bool | float)):
            return None
        return "flag", "1 good, 2 not checked, 3 suspect or 4 failed, by the device itself"
    if name not in stream.metric_names:
        return "unknown", f"no such metric; {stream.name} has {', '.join(stream.metric_names)}"
    if isinstance(value, float) and not math.isfinite(value):
        return "not_finite", "NaN and infinity are no measured values"
    metric = stream.metrics[stream.metric_names.index(name)]
    if metric.is_named:
        return None if named.is_taken(metric, value) else ("value", named.words(metric))
    return _convert(value, float | None, "type")


def _convert(value: object, kind: Any, rule: str) -> tuple[str, str] | None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return rule, str(error)[:200]
    return None
