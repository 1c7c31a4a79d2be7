"""Stock Faust: one JSON message a reading, ``take`` for batches, psycopg ``executemany``."""

import argparse
import json
import sys

import faust
import psycopg

BATCH, WITHIN_S = 2_000, 0.2


def main() -> None:
    """Run the worker until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kafka", "topic", "dsn", "table", "metrics"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    columns = ["sensor", "observed_at", *given.metrics.split(",")]
    statement = (
        f"INSERT INTO {given.table} ({', '.join(columns)})"
        f" VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT DO NOTHING"
    )
    app = faust.App(
        f"{given.table}.faust",
        broker=f"kafka://{given.kafka}",
        value_serializer="raw",
        key_serializer="raw",
        # the default of 4096 lets the fetcher sleep a second whenever it is full
        stream_buffer_maxsize=65_536,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    topic = app.topic(given.topic, value_type=bytes, value_serializer="raw", key_serializer="raw")

    async def store(stream: faust.StreamT) -> None:
        conn = await psycopg.AsyncConnection.connect(given.dsn, autocommit=False)
        async for messages in stream.take(BATCH, within=WITHIN_S):
            rows = [[row[name] for name in columns] for row in map(json.loads, messages)]
            async with conn.cursor() as cursor:
                await cursor.executemany(statement, rows)
            await conn.commit()

    app.agent(topic)(store)
    sys.argv = [sys.argv[0]]
    faust.Worker(
        app, loglevel="WARN", redirect_stdouts=False, quiet=True
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
