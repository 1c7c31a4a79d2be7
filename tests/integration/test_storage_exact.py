"""The exact consumer on a real broker: what a rebalance must not do to it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError
from psycopg import Connection, OperationalError
from pydantic import SecretStr

from catalog.errors import FatalError
from catalog.topics import PARTITIONS
from service.kafka import ensure_topics, producer
from service.settings import Settings
from service.vitals import Vitals
from storage.exact import ExactConsumer, Stored
from tests.support.servers import wait_until

DEADLINE_S = 20.0


@dataclass
class Seen:
    """Remembers the partition of every record."""

    partitions: list[int] = field(default_factory=list)

    def prepare(self, records: list[ConsumerRecord]) -> list[ConsumerRecord]:
        return records

    def store(self, conn: Connection, records: list[ConsumerRecord]) -> Stored:
        self.partitions += [r.partition for r in records]
        return Stored(len(records), None)

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        raise AssertionError(reason)


@dataclass
class Failing(Seen):
    """Fails with the first record, once, when the second has been read beside it."""

    values: list[bytes] = field(default_factory=list)
    prepared: list[list[bytes]] = field(default_factory=list)
    second: threading.Event = field(default_factory=threading.Event)

    def prepare(self, records: list[ConsumerRecord]) -> list[ConsumerRecord]:
        self.prepared.append([r.value for r in records])
        if len(self.prepared) == 2:
            self.second.set()
        return records

    def store(self, conn: Connection, records: list[ConsumerRecord]) -> Stored:
        if len(self.prepared) < 3:
            assert self.second.wait(DEADLINE_S)
            raise OperationalError("the server has gone away")
        self.values += [r.value for r in records]
        return Stored(len(records), None)


@dataclass
class Member:
    """A consumer of one topic in a thread of its own."""

    reader: ExactConsumer
    vitals: Vitals
    stop: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list)

    def run(self, poll_ms: int) -> None:
        """Consume until ``stop``; keep what ended it."""
        try:
            self.reader.run(self.stop, poll_ms)
        except FatalError as error:
            self.said.append(f"{error.code}: {error}")

    def placed(self) -> bool:
        """Tell whether it was given every partition."""
        return self.vitals.health().details.get("partitions") == PARTITIONS


Starter = Callable[..., Member]


@pytest.fixture
def start(kafka: str, dsn: str, topic_prefix: str) -> Iterator[Starter]:
    """Starter of members, which are stopped whatever becomes of the test."""
    made: list[tuple[Member, threading.Thread]] = []

    def starter(store: Seen, *, poll_ms: int, process: str = "") -> Member:
        settings = Settings(
            kafka=kafka, dsn=SecretStr(dsn), topic_prefix=topic_prefix, process=process
        )
        vitals = Vitals("seen")
        reader = ExactConsumer("seen", [f"{topic_prefix}.seen"], store, settings, vitals)
        member = Member(reader, vitals)
        thread = threading.Thread(target=member.run, args=(poll_ms,), daemon=True)
        made.append((member, thread))
        thread.start()
        return member

    yield starter
    for member, _ in made:
        member.stop.set()
    for _, thread in made:
        thread.join(DEADLINE_S)
    assert not [thread for _, thread in made if thread.is_alive()]


def test_a_second_process_of_the_same_name_ends_the_first_and_says_so(
    kafka: str, topic_prefix: str, start: Starter
) -> None:
    ensure_topics(kafka, [f"{topic_prefix}.seen"])
    first = start(Seen(), poll_ms=50, process="reader")
    wait_until(first.placed, DEADLINE_S, "the first has the partitions")
    second = start(Seen(), poll_ms=50, process="reader")
    wait_until(lambda: first.said, DEADLINE_S, "the first ended")
    assert first.said[0].startswith("fenced: another process named reader has taken over")
    wait_until(second.placed, DEADLINE_S, "the second has the partitions")
    assert second.said == []


def test_partitions_added_while_it_runs_are_read_and_the_old_ones_still_are(
    kafka: str, topic_prefix: str, start: Starter
) -> None:
    topic, more = f"{topic_prefix}.seen", PARTITIONS + 2
    seen = Seen()
    ensure_topics(kafka, [topic])
    start(seen, poll_ms=1)
    sender = producer(kafka, "test", metadata_max_age_ms=500)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        sender.send(topic, b"x", partition=0).get(DEADLINE_S)
        wait_until(lambda: seen.partitions == [0], DEADLINE_S, "the first record")
        admin.create_partitions({topic: NewPartitions(more)})
        wait_until(
            lambda: len(sender.partitions_for(topic) or ()) == more, DEADLINE_S, "new partitions"
        )
        for partition in range(more):
            sender.send(topic, b"x", partition=partition).get(DEADLINE_S)
        wait_until(
            lambda: sorted(seen.partitions) == [0, *range(more)], DEADLINE_S, "all records, once"
        )
    finally:
        sender.close()
        admin.close()


def test_what_was_read_beside_a_transaction_that_fails_is_read_again_after_it(
    kafka: str, topic_prefix: str, start: Starter
) -> None:
    topic, failing = f"{topic_prefix}.seen", Failing()
    ensure_topics(kafka, [topic])
    member = start(failing, poll_ms=20)
    wait_until(member.placed, DEADLINE_S, "it has the partitions")
    sender = producer(kafka, "test")
    try:
        sender.send(topic, b"first", partition=0).get(DEADLINE_S)
        wait_until(lambda: failing.prepared, DEADLINE_S, "the first is read")
        sender.send(topic, b"second", partition=0).get(DEADLINE_S)
        wait_until(lambda: len(failing.values) >= 2, DEADLINE_S, "both are stored")
    finally:
        sender.close()
    assert failing.prepared[:2] == [[b"first"], [b"second"]]
    assert failing.values == [b"first", b"second"]


def test_a_broker_that_is_away_at_the_start_is_waited_out(
    kafka: str, dsn: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, asked = threading.Event(), list[str]()
    settings, vitals = Settings(kafka=kafka, dsn=SecretStr(dsn)), Vitals("seen")

    def away(*_: Any) -> None:
        asked.append(vitals.health().reason)
        if len(asked) == 2:
            stop.set()
        raise KafkaError("no broker answers")

    monkeypatch.setattr("storage.exact.ensure_topics", away)
    monkeypatch.setattr("storage.exact.RETRY_S", (0.01,))
    ExactConsumer("seen", [f"{topic_prefix}.seen"], Seen(), settings, vitals).run(stop)
    assert asked[0] == "starting"
    assert "no broker answers" in asked[1], "unwell, and it says why"
