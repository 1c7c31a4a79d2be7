"""Faust: one JSON message a reading, psycopg ``executemany``; tuned, or as its guide begins."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import faust
import psycopg

BATCH, SMALL, WITHIN_S = 2_000, 100, 0.2
# the default of 4096 lets the fetcher sleep a second whenever it is full
TUNED = {"stream_buffer_maxsize": 65_536}
Read = Callable[[bytes], list[Any]]


class Table:
    """Where rows go: one connection, one ``executemany`` and commit a batch."""

    def __init__(self, dsn: str, statement: str) -> None:
        self._dsn, self._statement = dsn, statement
        self._conn: psycopg.AsyncConnection | None = None
        self._lock = asyncio.Lock()

    async def write(self, rows: list[list[Any]]) -> None:
        """Store rows."""
        async with self._lock:
            if self._conn is None:
                self._conn = await psycopg.AsyncConnection.connect(self._dsn)
            async with self._conn.cursor() as cursor:
                await cursor.executemany(self._statement, rows)
            await self._conn.commit()


def tuned(app: Any, topic: Any, table: Table, read: Read) -> None:
    """Take what is there, up to a large batch."""

    async def store(stream: faust.StreamT) -> None:
        async for messages in stream.take(BATCH, within=WITHIN_S):
            await table.write([read(message) for message in messages])

    app.agent(topic)(store)


def plain(app: Any, topic: Any, table: Table, read: Read) -> None:
    """Iterate over messages; small batches, and what is left over now and then."""
    rows: list[list[Any]] = []

    async def flush() -> None:
        taken = rows[:]
        rows.clear()
        if taken:
            await table.write(taken)

    async def store(stream: faust.StreamT) -> None:
        async for message in stream:
            rows.append(read(message))
            if len(rows) >= SMALL:
                await flush()

    app.agent(topic)(store)
    app.timer(interval=WITHIN_S)(flush)


def main() -> None:
    """Run the worker until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kafka", "topic", "dsn", "table", "metrics"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    columns = ["sensor", "observed_at", *given.metrics.split(",")]
    statement = (
        f"INSERT INTO {given.table} ({', '.join(columns)})"
        f" VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT DO NOTHING"
    )

    def read(message: bytes) -> list[Any]:
        row = json.loads(message)
        return [row[name] for name in columns]

    app = faust.App(
        f"{given.table}.faust",
        broker=f"kafka://{given.kafka}",
        value_serializer="raw",
        key_serializer="raw",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        **({} if given.plain else TUNED),
    )
    topic = app.topic(given.topic, value_type=bytes, value_serializer="raw", key_serializer="raw")
    (plain if given.plain else tuned)(app, topic, Table(given.dsn, statement), read)
    sys.argv = [sys.argv[0]]
    faust.Worker(
        app, loglevel="WARN", redirect_stdouts=False, quiet=True
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
