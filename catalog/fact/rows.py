"""Facts as rows and as frames: what one may say, and how many of them travel in one message.

A frame is an Arrow batch as for readings (``catalog/frames.py``), shard = that of the thing.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.fact.model import LARGEST, Fact
from catalog.frames import EARLIEST, LATEST, MAX_READINGS, SENSOR_ID, TIMESTAMP, FrameError, Headers
from catalog.topics import shard_of

FACTS_TYPE = "city.facts"
THING, ID = re.compile(SENSOR_ID.removesuffix("$") + r"\Z"), re.compile(r"[!-~]{1,64}\Z")
THING_WORDS = "up to 64 letters, digits and . _ : -, a letter or digit first"
ID_WORDS = "1 to 64 visible ASCII characters"
DEFAULTS: Mapping[str, Any] = MappingProxyType({"revision": 1, "void": False})
MAX_TEXT = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HASH = re.compile(r"[0-9a-f]{32}\Z")
"""What a secret has become behind the gateway."""
Row = dict[str, Any]
"""A fact by field: ``thing, id, at, revision, void``, dimensions and measures; None = absent."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a fact: field, bounded rule, a sentence.

    The sentence never holds the value: it may be a secret.
    """

    field: str
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class FactFrame:
    """A decoded frame of facts."""

    fact: Fact
    rows: list[Row]
    received_at: datetime
    source: str


@cache
def facts_schema(fact: Fact) -> pa.Schema:
    """Return ``thing, id, at, revision, void``, a text per dimension, an int64 per measure."""
    own = [
        pa.field("thing", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("at", TIMESTAMP, nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("void", pa.bool_(), nullable=False),
    ]
    own += [pa.field(name, pa.string()) for name in fact.dimension_names]
    return pa.schema(own + [pa.field(name, pa.int64()) for name in fact.measure_names])


def faults(fact: Fact, row: Mapping[str, Any], *, hashed: bool) -> Iterator[Fault]:
    """Yield what a row breaks of the contract; ``hashed``: secrets are hashes, not in clear."""
    if unknown := row.keys() - {*facts_schema(fact).names}:
        for name in sorted(unknown):
            yield Fault(name[:MAX_TEXT], "unknown", f"{fact.name} has no such field")
    yield from _own_faults(row)
    for dimension in fact.dimensions:
        value, name = row.get(dimension.name), dimension.name
        if value is None:
            if dimension.needed:
                yield Fault(name, "required", "this field is missing")
        elif dimension.secret and hashed:
            if not (isinstance(value, str) and HASH.match(value)):
                yield Fault(name, "secret", "must have been hashed by the gateway")
        elif dimension.values and value not in dimension.values:
            yield Fault(name, "value", f"one of {', '.join(dimension.values)}")
        elif not _is_text(value):
            yield Fault(name, "text", f"1 to {MAX_TEXT} printable characters")
    for measure in fact.measures:
        value, (low, high) = row.get(measure.name), measure.span
        if value is None:
            if measure.needed:
                yield Fault(measure.name, "required", "this field is missing")
        elif not _is_whole(value):
            yield Fault(measure.name, "whole", f"a whole number in {measure.unit}")
        elif not low <= value <= high:
            yield Fault(measure.name, "span", f"{low} to {high} {measure.unit}")


def _own_faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    for name, pattern, words in (("thing", THING, THING_WORDS), ("id", ID, ID_WORDS)):
        value = row.get(name)
        if value is None:
            yield Fault(name, "required", "this field is missing")
        elif not (isinstance(value, str) and pattern.match(value)):
            yield Fault(name, "text", words)
    at = row.get("at")
    if at is None:
        yield Fault("at", "required", "this field is missing")
    elif not (isinstance(at, datetime) and at.tzinfo is not None and EARLIEST <= at < LATEST):
        yield Fault("at", "time", "a time with its zone, between 1970 and 2262")
    revision = row.get("revision", 1)
    if not _is_whole(revision) or not 1 <= revision < LARGEST:
        yield Fault("revision", "whole", "a whole number from 1 on")
    if not isinstance(row.get("void", False), bool):
        yield Fault("void", "type", "true or false")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def dataschema(fact: Fact) -> str:
    """Return the name of the frame's schema."""
    return f"{fact.name}/{fact.version}"


def encode_facts(fact: Fact, rows: Sequence[Row]) -> Iterator[tuple[int, bytes]]:
    """Yield (shard, Kafka value) of sound rows, in their order; a shard may come more than once."""
    by_shard, schema = dict[int, list[Row]](), facts_schema(fact)
    for row in rows:
        by_shard.setdefault(shard_of(row["thing"]), []).append(row)
    for shard, mine in sorted(by_shard.items()):
        for start in range(0, len(mine), MAX_READINGS):
            piece = mine[start : start + MAX_READINGS]
            arrays = [
                pa.array([row.get(name, DEFAULTS.get(name)) for row in piece], kind)
                for name, kind in zip(schema.names, schema.types, strict=True)
            ]
            batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
            yield shard, batch.serialize().to_pybytes()


def fact_headers(fact: Fact, source: str, received_at: datetime) -> Headers:
    """Return CloudEvents headers of one frame; ``received_at`` must be aware UTC."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", FACTS_TYPE.encode()),
        ("ce_source", source.encode()),
        ("ce_id", uuid.uuid4().hex.encode()),
        ("ce_time", received_at.isoformat().encode()),
        ("ce_dataschema", dataschema(fact).encode()),
        ("content-type", b"application/vnd.apache.arrow.batch"),
    ]


def decode_facts(
    fact: Fact, value: bytes | None, headers: Sequence[tuple[str, bytes]] | None
) -> FactFrame:
    """Decode one message; ``FrameError`` code ``headers``, ``schema_version``, ``arrow`` or
    ``too_large``, never anything else. Its rows may still be faulty."""
    fields = dict(headers or ())
    if fields.get("ce_type") != FACTS_TYPE.encode():
        raise FrameError("headers", f"ce_type is {fields.get('ce_type')!r}, not {FACTS_TYPE}")
    schema = fields.get("ce_dataschema", b"").decode(errors="replace")
    if schema != dataschema(fact):
        raise FrameError("schema_version", f"{schema!r} is not {dataschema(fact)!r}")
    try:
        received_at = datetime.fromisoformat(fields["ce_time"].decode()).astimezone(UTC)
    except (KeyError, ValueError, OverflowError) as error:
        raise FrameError("headers", f"ce_time: {error}") from None
    source = fields.get("ce_source", b"").decode(errors="replace")
    return FactFrame(fact, _rows(fact, value), received_at, source)


def _rows(fact: Fact, value: bytes | None) -> list[Row]:
    try:
        batch = pa.ipc.read_record_batch(pa.py_buffer(value or b""), facts_schema(fact))
        batch.validate(full=True)
        if batch.num_rows > MAX_READINGS:
            raise FrameError("too_large", f"{batch.num_rows} facts, at most {MAX_READINGS}")
        rows = batch.drop_columns(["at"]).to_pylist()
        times = batch.column("at").cast(pa.int64()).to_pylist()
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise FrameError("arrow", str(error)[:300]) from None
    return [row | {"at": _moment(at)} for row, at in zip(rows, times, strict=True)]


def _moment(micros: int | None) -> datetime | None:
    """Return the time; what no calendar has is as good as none."""
    try:
        return None if micros is None else EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


def oddities_of(fact: Fact, rows: Sequence[Row]) -> list[str]:
    """Return the names of each row's oddities, joined by commas, empty where it has none."""
    found: list[list[str]] = [[] for _ in rows]
    for oddity in fact.oddities:
        columns: dict[str, Any] = {}
        for name in oddity.of:
            values = [row.get(name) for row in rows]
            kind = float if name in fact.measure_names else object
            columns[name] = np.array(
                [np.nan if v is None and kind is float else v for v in values], kind
            )
        for place in np.flatnonzero(np.asarray(oddity.broken(columns), bool)):
            found[place].append(oddity.name)
    return [",".join(names) for names in found]
