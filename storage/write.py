"""Write a batch inside one transaction: COPY where keys are new, staging where they may not be."""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec
import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from catalog.contracts import FLAGS_SCHEMA, DeadLetter
from catalog.registry import streams
from storage.batch import Batch, Letter, reading_letter
from storage.copy import copy_table, stage, upsert
from storage.last import last_readings, write_last
from storage.moving import follow
from storage.rollups import mark_dirty
from storage.tables import aggregates_table, readings_table

AGGREGATE_KEY = ("sensor", "window_start")
Known = Mapping[str, Set[str]]
"""Sensors by stream."""
NOBODY: Known = MappingProxyType({})
NUL, NUL_SYMBOL = rb"\u0000", rb"\u2400"


_LETTERS = (
    "INSERT INTO dead_letters (id, at, stream, stage, code, reason, readings, payload, source,"
    ' dataschema, topic, partition, "offset") SELECT * FROM unnest(%s::text[], %s::timestamptz[],'
    " %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::bytea[], %s::text[],"
    " %s::text[], %s::text[], %s::integer[], %s::bigint[]) ON CONFLICT DO NOTHING RETURNING code"
)


@dataclass(slots=True)
class Written:
    """What a batch did, for the metrics."""

    rows: int = 0
    duplicates: int = 0
    conflicts: int = 0
    letters: int = 0
    frames: int = 0
    windows: int = 0
    corrections: int = 0
    flags: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    sensors: dict[str, set[str]] = field(default_factory=dict)
    """Sensors by stream that are registered now and were not ``known``."""


def write(conn: Connection, batch: Batch, known: Known = NOBODY) -> Written:
    """Store everything of a batch; the caller owns the transaction and the offsets.

    ``known`` are sensors that surely have a row in ``sensors``; the others get one.
    """
    written = Written()
    letters = list(batch.letters)
    written.frames = batch.frames
    for name, rows in batch.readings.items():
        letters += _write_readings(conn, name, rows, written)
        last = last_readings(streams()[name], rows)
        _register(conn, name, last, known, written)
        write_last(conn, streams()[name], last)
        follow(conn, streams()[name], last)
    for name, parts in batch.aggregates.items():
        _write_aggregates(conn, name, pa.Table.from_batches(parts), written)
    if batch.flags:
        written.flags += _write_flags(conn, pa.Table.from_batches(batch.flags, FLAGS_SCHEMA))
    _write_letters(conn, letters, written)
    return written


def _write_readings(
    conn: Connection, stream: str, rows: pa.Table, written: Written
) -> list[Letter]:
    letters: list[Letter] = []
    try:
        with conn.transaction():
            copy_table(conn, readings_table(stream), rows)
        written.rows += rows.num_rows
    except psycopg.errors.UniqueViolation:
        letters = _write_staged(conn, stream, rows, written)
    return letters


def _write_staged(conn: Connection, stream: str, rows: pa.Table, written: Written) -> list[Letter]:
    """Insert only new keys, first in log order; tell duplicates from conflicts."""
    table = readings_table(stream)
    numbered = rows.append_column("ord", pa.array(np.arange(rows.num_rows, dtype=np.int64)))
    names = {
        "stage": stage(conn, table, numbered, ord="bigint"),
        "table": sql.Identifier(table),
        "columns": sql.SQL(", ").join(map(sql.Identifier, rows.schema.names)),
    }
    inserted = conn.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT DISTINCT ON (sensor, observed_at) {columns}"
            " FROM {stage} ORDER BY sensor, observed_at, ord ON CONFLICT DO NOTHING"
        ).format(**names)
    ).rowcount
    metrics = streams()[stream].metric_names
    differs = sql.SQL(" OR ").join(
        sql.SQL("s.{0} IS DISTINCT FROM t.{0}").format(sql.Identifier(m)) for m in metrics
    )
    conflicts = conn.execute(
        sql.SQL(
            "SELECT s.ord FROM {stage} s JOIN {table} t USING (sensor, observed_at)"
            " WHERE {differs} ORDER BY s.ord"
        ).format(differs=differs, **names)
    ).fetchall()
    written.rows += inserted
    written.conflicts += len(conflicts)
    written.duplicates += rows.num_rows - inserted - len(conflicts)
    return [_conflict(stream, rows, order) for (order,) in conflicts]


def _conflict(stream: str, rows: pa.Table, order: int) -> Letter:
    reading = rows.slice(order, 1).combine_chunks().to_batches()[0]
    letter = reading_letter(stream, reading, "conflict", "this key has another body stored", "")
    body = msgspec.json.encode([stream, letter.readings])
    identity = f"conflict/{hashlib.sha256(body).hexdigest()[:32]}"
    return Letter(msgspec.structs.replace(letter, id=identity), "", 0, 0)


def _register(
    conn: Connection, stream: str, last: pa.Table, known: Known, written: Written
) -> None:
    """Give sensors that are not known a provisional row."""
    friends = known.get(stream, set())
    strangers = {name for name in last.column("sensor").to_pylist() if name not in friends}
    if strangers:
        conn.execute(
            "INSERT INTO sensors (stream, sensor, status) SELECT %s, s, 'provisional'"
            " FROM unnest(%s::text[]) s ON CONFLICT DO NOTHING",
            [stream, sorted(strangers)],
        )
        written.sensors.setdefault(stream, set()).update(strangers)


def _write_aggregates(conn: Connection, stream: str, rows: pa.Table, written: Written) -> None:
    """Write windows: first revisions are new as a rule, so they are tried without a stage."""
    table, first = aggregates_table(stream), pc.equal(rows.column("revision"), 1)
    others = rows.filter(pc.invert(first))
    try:
        with conn.transaction():
            copy_table(conn, table, rows.filter(first))
        written.windows += rows.num_rows - others.num_rows
    except psycopg.errors.UniqueViolation:
        others = rows
    if others.num_rows:
        written.windows += upsert(conn, table, others, AGGREGATE_KEY, newer="revision")
    written.corrections += rows.num_rows - (pc.sum(first).as_py() or 0)
    mark_dirty(conn, stream, rows)


def _write_flags(conn: Connection, rows: pa.Table) -> int:
    rows = rows.set_column(
        rows.schema.get_field_index("flag"), "flag", rows.column("flag").cast(pa.int16())
    )
    key = ("stream", "sensor", "observed_at", "metric", "test")
    return upsert(conn, "qc_flags", rows, key, newer="flag")


def _storable(letter: DeadLetter) -> DeadLetter:
    """Show NUL as its symbol: PostgreSQL keeps none in text or JSON."""
    shown = msgspec.json.encode(msgspec.structs.replace(letter, payload=None))
    clean = msgspec.json.decode(shown.replace(NUL, NUL_SYMBOL), type=DeadLetter)
    return msgspec.structs.replace(clean, payload=letter.payload)


def _write_letters(conn: Connection, letters: list[Letter], written: Written) -> None:
    if not letters:
        return
    rows = []
    for item in letters:
        letter = _storable(item.letter)
        rows.append(
            (
                *(letter.id, letter.at, letter.stream, letter.stage, letter.code, letter.reason),
                *(Jsonb(letter.readings), letter.payload, letter.source, letter.dataschema),
                *(item.topic, item.partition, item.offset),
            )
        )
    stored = conn.execute(_LETTERS, [list(column) for column in zip(*rows, strict=True)])
    for (code,) in stored.fetchall():
        written.letters += 1
        written.codes[code] = written.codes.get(code, 0) + 1
