"""Arrow into tables: binary COPY, and a stage where keys may be there already."""

from typing import LiteralString

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import Connection, sql

STAGE = "stage_"
MOST_ENCODED = 50_000
"""Rows that are encoded at a time."""


def copy_table(conn: Connection, table: str, rows: pa.Table) -> None:
    """COPY an Arrow table into the columns of the same names, binary."""
    encoder = ArrowToPostgresBinaryEncoder(rows.schema)
    names = sql.SQL(", ").join(map(sql.Identifier, rows.schema.names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT binary)").format(
        sql.Identifier(table), names
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for part in rows.to_batches(max_chunksize=MOST_ENCODED):
            copy.write(encoder.write_batch(part))
        copy.write(encoder.finish())


def stage(conn: Connection, table: str, rows: pa.Table, **own: LiteralString) -> sql.Identifier:
    """Put rows into a temporary table like ``table`` and return its name; empty after a commit.

    ``own`` are columns of the stage alone and their SQL types. A second call in one transaction
    replaces what the first has staged.
    """
    name = sql.Identifier(STAGE + table)
    columns: list[sql.Composable] = [
        sql.Identifier(column) for column in rows.schema.names if column not in own
    ]
    columns += [
        sql.SQL("NULL::{} AS {}").format(sql.SQL(kind), sql.Identifier(column))
        for column, kind in own.items()
    ]
    conn.execute(
        sql.SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS"
            " AS SELECT {columns} FROM {table} LIMIT 0; DELETE FROM {stage}"
        ).format(stage=name, columns=sql.SQL(", ").join(columns), table=sql.Identifier(table))
    )
    copy_table(conn, STAGE + table, rows)
    return name


def upsert(
    conn: Connection, table: str, rows: pa.Table, key: tuple[str, ...], *, newer: str
) -> int:
    """Insert rows; an existing key is replaced only by a larger ``newer``. Returns rows changed."""
    others = [name for name in rows.schema.names if name not in key]
    names = {
        "stage": stage(conn, table, rows),
        "table": sql.Identifier(table),
        "key": sql.SQL(", ").join(map(sql.Identifier, key)),
        "columns": sql.SQL(", ").join(map(sql.Identifier, rows.schema.names)),
        "newer": sql.Identifier(newer),
        "sets": sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others
        ),
    }
    return conn.execute(
        sql.SQL(
            "INSERT INTO {table} AS t ({columns}) SELECT DISTINCT ON ({key}) {columns} FROM {stage}"
            " ORDER BY {key}, {newer} DESC ON CONFLICT ({key}) DO UPDATE SET {sets}"
            " WHERE t.{newer} < excluded.{newer}"
        ).format(**names)
    ).rowcount
