"""Quix Streams with its own PostgreSQL sink: one JSON message a reading."""

import argparse
import logging
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.sinks.community.postgresql import PostgreSQLSink

COMMIT_EVERY, COMMIT_INTERVAL_S = 10_000, 0.5


def main() -> None:
    """Run the application until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kafka", "topic", "dsn", "table"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    logging.getLogger("quixstreams").setLevel(logging.WARNING)
    server = urlsplit(given.dsn)
    sink = PostgreSQLSink(
        host=server.hostname or "",
        port=server.port or 5432,
        dbname=server.path.lstrip("/"),
        user=server.username or "",
        password=server.password or "",
        table_name=given.table,
        # the table is there: the same columns and key as everybody's
        schema_auto_update=False,
        include_metadata=False,
        on_conflict_do_nothing=True,
    )
    app = Application(
        broker_address=given.kafka,
        consumer_group=f"{given.topic}.quix",
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        commit_interval=COMMIT_INTERVAL_S,
        loglevel="WARNING",
        consumer_extra_config={"fetch.wait.max.ms": 50, "queued.min.messages": 200_000},
    )
    topic = app.topic(given.topic, value_deserializer="json")
    app.dataframe(topic).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
