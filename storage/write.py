"""Write a batch inside one transaction: COPY where keys are new, staging where they may not be."""

import hashlib
from dataclasses import dataclass, field

import msgspec
import numpy as np
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from catalog.contracts import FLAGS_SCHEMA, DeadLetter
from catalog.registry import streams
from storage.batch import Batch, Letter, reading_letter
from storage.rollups import mark_dirty
from storage.tables import aggregates_table, readings_table

STAGE = "stage_"
NUL, NUL_SYMBOL = rb"\u0000", rb"\u2400"


@dataclass(slots=True)
class Written:
    """What a batch did, for the metrics."""

    rows: int = 0
    duplicates: int = 0
    conflicts: int = 0
    letters: int = 0
    codes: dict[str, int] = field(default_factory=dict)


def write(conn: Connection, batch: Batch) -> Written:
    """Store everything of a batch; the caller owns the transaction and the offsets."""
    written = Written()
    letters = list(batch.letters)
    for name, parts in batch.readings.items():
        letters += _write_readings(conn, name, pa.Table.from_batches(parts), written)
    for name, parts in batch.aggregates.items():
        _write_aggregates(conn, name, pa.Table.from_batches(parts))
    if batch.flags:
        _write_flags(conn, pa.Table.from_batches(batch.flags, FLAGS_SCHEMA))
    _write_letters(conn, letters, written)
    return written


def copy_table(conn: Connection, table: str, rows: pa.Table) -> None:
    """COPY an Arrow table into the columns of the same names, binary."""
    encoder = ArrowToPostgresBinaryEncoder(rows.schema)
    names = sql.SQL(", ").join(map(sql.Identifier, rows.schema.names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT binary)").format(
        sql.Identifier(table), names
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for part in rows.to_batches():
            copy.write(encoder.write_batch(part))
        copy.write(encoder.finish())


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
    _write_last(conn, stream, rows)
    return letters


def _write_staged(conn: Connection, stream: str, rows: pa.Table, written: Written) -> list[Letter]:
    """Insert only new keys, first in log order; tell duplicates from conflicts."""
    table = readings_table(stream)
    numbered = rows.append_column("ord", pa.array(np.arange(rows.num_rows, dtype=np.int64)))
    names = {
        "stage": sql.Identifier(STAGE + table),
        "table": sql.Identifier(table),
        "columns": sql.SQL(", ").join(map(sql.Identifier, rows.schema.names)),
    }
    conn.execute(
        sql.SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS"
            " AS SELECT {columns}, 0::bigint AS ord FROM {table} LIMIT 0"
        ).format(**names)
    )
    copy_table(conn, STAGE + table, numbered)
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
    conn.execute(sql.SQL("TRUNCATE {stage}").format(**names))
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


def _write_last(conn: Connection, stream: str, rows: pa.Table) -> None:
    """Upsert each sensor's newest reading; a reading with some metrics keeps the others."""
    rows = rows.combine_chunks()
    newest = _newest_rows(rows)
    picked = rows.take(pa.array(newest)).to_pylist()
    skip = ("sensor", "observed_at", "received_at")
    values = [{k: v for k, v in row.items() if k not in skip and v is not None} for row in picked]
    parameters = [
        stream,
        [row["sensor"] for row in picked],
        [row["observed_at"] for row in picked],
        [row["received_at"] for row in picked],
        [msgspec.json.encode(v).decode() for v in values],
    ]
    conn.execute(
        "INSERT INTO sensor_last AS t (stream, sensor, observed_at, received_at, readings)"
        " SELECT %s, * FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::jsonb[])"
        " ON CONFLICT (stream, sensor) DO UPDATE SET observed_at = excluded.observed_at,"
        " received_at = excluded.received_at, readings = t.readings || excluded.readings"
        " WHERE t.observed_at < excluded.observed_at",
        parameters,
    )
    conn.execute(
        "INSERT INTO sensors (stream, sensor, status) SELECT %s, s, 'provisional'"
        " FROM unnest(%s::text[]) s ON CONFLICT DO NOTHING",
        parameters[:2],
    )


def _newest_rows(rows: pa.Table) -> np.ndarray:
    codes = rows.column("sensor").combine_chunks().dictionary_encode().indices.to_numpy()
    times = rows.column("observed_at").cast(pa.int64()).to_numpy()
    # of equal times the first in log order wins, as it does in the table
    order = np.lexsort((-np.arange(len(times)), times, codes))
    last = np.append(codes[order][1:] != codes[order][:-1], True)
    return order[last]


def _write_aggregates(conn: Connection, stream: str, rows: pa.Table) -> None:
    table = aggregates_table(stream)
    upsert(conn, table, rows, ("sensor", "window_start"), newer="revision")
    mark_dirty(conn, stream, rows)


def _write_flags(conn: Connection, rows: pa.Table) -> None:
    rows = rows.set_column(
        rows.schema.get_field_index("flag"), "flag", rows.column("flag").cast(pa.int16())
    )
    key = ("stream", "sensor", "observed_at", "metric", "test")
    upsert(conn, "qc_flags", rows, key, newer="flag")


def upsert(
    conn: Connection, table: str, rows: pa.Table, key: tuple[str, ...], *, newer: str
) -> int:
    """Insert rows; an existing key is replaced only by a larger ``newer``. Returns rows changed."""
    others = [name for name in rows.schema.names if name not in key]
    names = {
        "stage": sql.Identifier(STAGE + table),
        "table": sql.Identifier(table),
        "key": sql.SQL(", ").join(map(sql.Identifier, key)),
        "columns": sql.SQL(", ").join(map(sql.Identifier, rows.schema.names)),
        "newer": sql.Identifier(newer),
        "sets": sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others
        ),
    }
    conn.execute(
        sql.SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS"
            " AS SELECT {columns} FROM {table} LIMIT 0"
        ).format(**names)
    )
    copy_table(conn, STAGE + table, rows)
    changed = conn.execute(
        sql.SQL(
            "INSERT INTO {table} AS t ({columns}) SELECT DISTINCT ON ({key}) {columns} FROM {stage}"
            " ORDER BY {key}, {newer} DESC ON CONFLICT ({key}) DO UPDATE SET {sets}"
            " WHERE t.{newer} < excluded.{newer}"
        ).format(**names)
    ).rowcount
    conn.execute(sql.SQL("TRUNCATE {stage}").format(**names))
    return changed


def _storable(letter: DeadLetter) -> DeadLetter:
    """Show NUL as its symbol: PostgreSQL keeps none in text or JSON."""
    shown = msgspec.json.encode(msgspec.structs.replace(letter, payload=None))
    clean = msgspec.json.decode(shown.replace(NUL, NUL_SYMBOL), type=DeadLetter)
    return msgspec.structs.replace(clean, payload=letter.payload)


def _write_letters(conn: Connection, letters: list[Letter], written: Written) -> None:
    for item in letters:
        letter = _storable(item.letter)
        done = conn.execute(
            "INSERT INTO dead_letters (id, at, stream, stage, code, reason, readings, payload,"
            ' source, topic, partition, "offset")'
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                *(letter.id, letter.at, letter.stream, letter.stage, letter.code, letter.reason),
                *(Jsonb(letter.readings), letter.payload, letter.source),
                *(item.topic, item.partition, item.offset),
            ],
        )
        written.letters += done.rowcount
        written.codes[letter.code] = written.codes.get(letter.code, 0) + done.rowcount
