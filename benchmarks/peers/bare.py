"""Bare confluent-kafka to COPY: the same frames, no processing, no check, no last value."""

import argparse

import psycopg
import pyarrow as pa
from confluent_kafka import Consumer
from pgpq import ArrowToPostgresBinaryEncoder

from benchmarks.records import declared
from catalog.frames import TIMESTAMP, readings_schema

MESSAGES, WAIT_S = 64, 0.1


def main() -> None:
    """Store ``total`` readings, then leave."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kafka", "topic", "dsn", "table"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--total", type=int, required=True)
    given = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": given.kafka,
            "group.id": f"{given.topic}.bare",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.subscribe([given.topic])
    schema, stored = readings_schema(declared()), 0
    with psycopg.connect(given.dsn) as conn:
        while stored < given.total:
            messages = [m for m in consumer.consume(MESSAGES, WAIT_S) if not m.error()]
            if messages:
                stored += _store(conn, given.table, schema, messages)
                conn.commit()
                consumer.commit(asynchronous=True)
    consumer.close()


def _store(conn: psycopg.Connection, table: str, schema: pa.Schema, messages: list) -> int:
    parts = [pa.ipc.read_record_batch(pa.py_buffer(m.value()), schema) for m in messages]
    rows = pa.Table.from_batches(parts)
    rows = rows.append_column(
        pa.field("received_at", TIMESTAMP, nullable=False), rows.column("observed_at")
    )
    encoder = ArrowToPostgresBinaryEncoder(rows.schema)
    statement = f"COPY {table} ({', '.join(rows.schema.names)}) FROM STDIN WITH (FORMAT binary)"
    with conn.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(encoder.write_header())
        for part in rows.to_batches():
            copy.write(encoder.write_batch(part))
        copy.write(encoder.finish())
    return rows.num_rows


if __name__ == "__main__":
    main()
