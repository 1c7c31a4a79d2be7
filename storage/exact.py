"""A Kafka consumer whose rows and offsets are one database transaction, so that each record counts
exactly once, whatever is killed in between.

While a transaction is under way, in a thread of its own, the next batch is fetched and read. There
is never more than one: the next begins when it has ended well, and nothing that was fetched beside
one that failed is kept.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Protocol

import psycopg
from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import FencedInstanceIdError, KafkaError
from kafka.structs import TopicPartition
from prometheus_client import Counter
from psycopg import Connection

from catalog.errors import FatalError, TransientError
from service.kafka import consumer, ensure_topics, instance_id, keep_rejoining, notice_takeover
from service.log import logger
from service.metrics import seconds, sizes
from service.postgres import connect, is_refusal
from service.settings import Settings
from service.vitals import Vitals
from storage.offsets import advance
from storage.same_log import SameLog

LAG_EVERY_S = 1.0
RETRY_S = (0.1, 0.3, 1.0, 2.0)

CONSUMER = ("consumer",)
BATCH_RECORDS = sizes("cityops_consumer_batch_records", "Records of one transaction", CONSUMER)
BATCH_SECONDS = seconds("cityops_consumer_batch_seconds", "Duration of one transaction", CONSUMER)
BYTES = Counter("cityops_consumer_bytes", "Bytes of the records stored", CONSUMER)
RETRIES = Counter("cityops_consumer_retries", "Rounds that failed", [*CONSUMER, "code"])


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch did; ``committed`` is called once, after its transaction is in."""

    rows: int
    newest: datetime | None
    committed: Callable[[], None] = lambda: None


class Store(Protocol):
    """What a consumer does with its records, inside a transaction that it does not own."""

    def prepare(self, records: list[ConsumerRecord]) -> Any:
        """Read records without the database; may run beside the ``store`` of those before."""
        ...

    def store(self, conn: Connection, batch: Any, /) -> Stored:
        """Store what was prepared, in order."""
        ...

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        """Keep one record that the database refuses as a dead letter."""
        ...


class ExactConsumer(ConsumerRebalanceListener):
    """Owns the Kafka consumer and its place in the log, which the database decides."""

    def __init__(
        self,
        name: str,
        topics: list[str],
        store: Store,
        settings: Settings,
        vitals: Vitals,
        **fetching: int,
    ) -> None:
        """``fetching`` are options of the Kafka consumer: how records gather at the broker."""
        self._name = name
        self._topics = topics
        self._fetching = fetching
        self._store = store
        self._settings = settings
        self._vitals = vitals
        self._kafka: KafkaConsumer | None = None
        self._conn: Connection | None = None
        self._log = SameLog(name, topics, settings)
        self._must_seek = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._under_way: Future[None] | None = None

    def run(self, stop: threading.Event, poll_ms: int = 200) -> None:
        """Consume until ``stop``; errors of broker or database are waited out."""
        kafka = self._kafka = self._begin(stop)
        if kafka is None:
            return
        self._vitals.ready()
        lag_due, failures = 0.0, 0
        try:
            while not stop.is_set():
                try:
                    self._round(kafka, poll_ms)
                    # after trouble a round begins with a seek, which asks the database
                    self._vitals.trouble(self._log.reason)
                    if monotonic() >= lag_due:
                        self._vitals.lag(self._log.lag(kafka))
                        self._make_topics(kafka)
                        lag_due = monotonic() + LAG_EVERY_S
                    failures = 0
                except FencedInstanceIdError as error:
                    raise FatalError(
                        f"another process named {self._settings.process} has taken over; give each"
                        " process a CITYOPS_PROCESS of its own",
                        code="fenced",
                        stage="storing",
                    ) from error
                except (psycopg.Error, TransientError, KafkaError) as error:
                    self._recover(error)
                    stop.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])
                    failures += 1
        finally:
            self._writer.shutdown()
            kafka.close()
            self._disconnect()

    def _begin(self, stop: threading.Event) -> KafkaConsumer | None:
        """Return the consumer; a broker that is away at the start is waited out, not left to a
        supervisor: what else this process does (the timers of alerts) goes on meanwhile."""
        while not stop.is_set():
            try:
                ensure_topics(self._settings.kafka, self._topics)
                kafka = self._consumer()
                kafka.subscribe(self._topics, listener=self)
                return kafka
            except KafkaError as error:
                logger().warning("waiting for the broker", reason=repr(error)[:200])
                self._vitals.trouble(f"no broker: {error!r}"[:200])
                stop.wait(RETRY_S[-1])
        return None

    def _consumer(self) -> KafkaConsumer:
        """Return the group's consumer. A process with a name is a static member of the group: when
        it is started again it has its partitions at once, not after the session of its dead self.
        """
        group = f"{self._settings.topic_prefix}.{self._name}"
        process = self._settings.process
        instance = instance_id(group, process, self._topics) if process else None
        options = self._fetching | {"group_instance_id": instance}
        return consumer(self._settings.kafka, self._name, group, **options)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Remember to seek: the database, not Kafka, knows what is stored."""
        self._must_seek = True

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """See to it that the rejoin ends; what was stored has its offsets stored with it, and what
        is being stored is so before another process looks."""
        self._wait()
        if self._kafka is not None:
            keep_rejoining(self._kafka)

    def _round(self, kafka: KafkaConsumer, poll_ms: int) -> None:
        if self._must_seek:
            self._settle()
            self._seek(kafka)
        notice_takeover(kafka)
        polled = kafka.poll(timeout_ms=poll_ms)
        if not self._must_seek and self._log.must_seek(kafka, polled):
            self._must_seek = True
            return
        records = [record for records in polled.values() for record in records]
        if records:
            batch = self._store.prepare(records)
            self._settle()
            if not self._must_seek:
                self._under_way = self._writer.submit(self._take, records, batch)
        elif self._under_way is not None and self._under_way.done():
            self._settle()

    def _settle(self) -> None:
        """Wait until what is under way is stored; raise what came in its way."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def _wait(self) -> None:
        if self._under_way is not None:
            wait([self._under_way])

    def _take(self, records: list[ConsumerRecord], batch: Any) -> None:
        """Store records; halve a batch that the database refuses until the bad record is alone."""
        try:
            self._transact(records, lambda conn: self._store.store(conn, batch))
        except psycopg.Error as error:
            if not is_refusal(error):
                raise
            if len(records) == 1:
                self._refuse(records[0], str(error))
                return
            middle = len(records) // 2
            for part in (records[:middle], records[middle:]):
                self._take(part, self._store.prepare(part))

    def _refuse(self, record: ConsumerRecord, reason: str) -> None:
        self._transact([record], lambda conn: self._store.refuse(conn, record, reason))

    def _transact(
        self, records: list[ConsumerRecord], work: Callable[[Connection], Stored]
    ) -> None:
        conn = self._connection()
        after = self._log.after(records)
        with BATCH_SECONDS.labels(self._name).time(), conn.transaction():
            advance(conn, self._name, self._log.marks, after)
            stored = work(conn)
        self._log.marks |= after
        self._vitals.progress(stored.rows, newest=stored.newest)
        BATCH_RECORDS.labels(self._name).observe(len(records))
        BYTES.labels(self._name).inc(sum(len(r.value or b"") for r in records))
        stored.committed()

    def _seek(self, kafka: KafkaConsumer) -> None:
        """Go to the stored offsets, where the log is still the one they belong to."""
        self._log.seek(kafka, self._connection())
        self._must_seek = False
        self._vitals.detail(partitions=len(self._log.marks))

    def _make_topics(self, kafka: KafkaConsumer) -> None:
        """Make topics that are gone anew: only so is it seen that they are others."""
        if self._log.missing(kafka):
            ensure_topics(self._settings.kafka, self._topics)

    def _recover(self, error: Exception) -> None:
        self._wait()
        self._under_way = None
        RETRIES.labels(self._name, getattr(error, "code", type(error).__name__)).inc()
        logger().warning("batch not stored, trying again", reason=str(error)[:300])
        said = "" if isinstance(error, TransientError) else str(error)[:200]
        self._vitals.trouble(said or self._log.reason)
        self._disconnect()
        self._must_seek = True

    def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = connect(self._settings.database(), self._name, autocommit=True)
        return self._conn

    def _disconnect(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None
