"""Kafka to TimescaleDB: one transaction per batch holds the rows and the consumer's offsets."""

import threading
from collections.abc import Iterable
from datetime import datetime

import psycopg
from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError
from kafka.structs import TopicPartition
from prometheus_client import Counter
from psycopg import Connection

from service.errors import TransientError
from service.kafka import consumer, ensure_topics
from service.log import logger
from service.postgres import connect, is_refusal
from service.settings import Settings
from service.vitals import Vitals
from storage.batch import Batch, Topics, collect, refused
from storage.offsets import Place, advance, load_offsets
from storage.write import Written, write

NAME = "sink"
POLL_MS = 200
LAG_EVERY = 10
RETRY_S = (0.1, 0.3, 1.0, 2.0)

STORED = Counter("cityops_sink_rows", "Readings stored")
DUPLICATES = Counter("cityops_sink_duplicates", "Readings that were stored before, same body")
CONFLICTS = Counter("cityops_sink_conflicts", "Readings whose key is stored with another body")
LETTERS = Counter("cityops_sink_dead_letters", "Dead letters", ["code"])


class Sink(ConsumerRebalanceListener):
    """Owns the consumer and its place in the log, which the database decides."""

    def __init__(self, settings: Settings, vitals: Vitals) -> None:
        self._settings = settings
        self._vitals = vitals
        self._topics = Topics.of(settings.topic_prefix)
        self._conn: Connection | None = None
        self._expected: dict[Place, int] = {}
        self._must_seek = False

    def run(self, stop: threading.Event) -> None:
        """Consume until ``stop``; errors of broker or database are waited out."""
        ensure_topics(self._settings.kafka, self._topics.all())
        kafka = consumer(self._settings.kafka, NAME, f"{self._settings.topic_prefix}.{NAME}")
        kafka.subscribe(self._topics.all(), listener=self)
        self._vitals.ready()
        rounds, failures = 0, 0
        try:
            while not stop.is_set():
                try:
                    self._round(kafka)
                    rounds += 1
                    if rounds % LAG_EVERY == 0:
                        self._vitals.lag(_lag(kafka))
                    failures = 0
                except (psycopg.Error, TransientError, KafkaError) as error:
                    self._recover(error)
                    stop.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])
                    failures += 1
        finally:
            kafka.close()
            self._disconnect()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Remember to seek: the database, not Kafka, knows what is stored."""
        self._must_seek = True

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing to do: what was stored has its offsets stored with it."""

    def _round(self, kafka: KafkaConsumer) -> None:
        if self._must_seek:
            self._seek(kafka)
        polled = kafka.poll(timeout_ms=POLL_MS)
        if self._must_seek or not polled:
            return
        self._store([record for records in polled.values() for record in records])

    def _store(self, records: list[ConsumerRecord]) -> None:
        """Store records; halve a batch that the database refuses until the bad record is alone."""
        try:
            self._store_batch(collect(self._topics, records))
        except psycopg.Error as error:
            if not is_refusal(error):
                raise
            if len(records) == 1:
                self._store_batch(refused(self._topics, records[0], str(error)))
                return
            middle = len(records) // 2
            self._store(records[:middle])
            self._store(records[middle:])

    def _store_batch(self, batch: Batch) -> None:
        conn = self._connection()
        expected = {place: self._expected.get(place, 0) for place in batch.after}
        with conn.transaction():
            advance(conn, NAME, expected, batch.after)
            written = write(conn, batch)
        self._expected |= batch.after
        self._count(batch, written)

    def _seek(self, kafka: KafkaConsumer) -> None:
        """Go to the stored offsets; a partition never stored starts at its first record."""
        assigned = sorted(kafka.assignment())
        stored = load_offsets(self._connection(), NAME)
        fresh = [p for p in assigned if (p.topic, p.partition) not in stored]
        beginnings = kafka.beginning_offsets(fresh) if fresh else {}
        for part in assigned:
            place = (part.topic, part.partition)
            self._expected[place] = stored.get(place, 0)
            kafka.seek(part, stored.get(place, beginnings.get(part, 0)))
        self._must_seek = False

    def _recover(self, error: Exception) -> None:
        logger().warning("batch not stored, trying again", reason=str(error)[:300])
        self._vitals.trouble("" if isinstance(error, TransientError) else str(error)[:200])
        self._disconnect()
        self._must_seek = True

    def _count(self, batch: Batch, written: Written) -> None:
        self._vitals.trouble("")
        self._vitals.progress(written.rows, newest=_newest(batch))
        STORED.inc(written.rows)
        DUPLICATES.inc(written.duplicates)
        CONFLICTS.inc(written.conflicts)
        for code, count in written.codes.items():
            LETTERS.labels(code).inc(count)

    def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = connect(self._settings.database(), NAME, autocommit=True)
        return self._conn

    def _disconnect(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None


def run_sink(settings: Settings, vitals: Vitals, stop: threading.Event) -> None:
    """Run one sink until ``stop``."""
    Sink(settings, vitals).run(stop)


def _lag(kafka: KafkaConsumer) -> int:
    parts = sorted(kafka.assignment())
    ends = kafka.end_offsets(parts) if parts else {}
    return sum(max(0, end - (kafka.position(part) or 0)) for part, end in ends.items())


def _newest(batch: Batch) -> datetime | None:
    times = [
        part.column("observed_at")[part.num_rows - 1].as_py()
        for parts in batch.readings.values()
        for part in parts
    ]
    return max(times, default=None)
