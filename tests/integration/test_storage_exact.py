"""The exact consumer on a real broker: what a rebalance must not do to it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError
from psycopg import Connection
from pydantic import SecretStr

from catalog.topics import PARTITIONS
from service.errors import FatalError
from service.kafka import ensure_topics, producer
from service.settings import Settings
from service.vitals import Vitals
from storage.exact import ExactConsumer, Stored
from tests.servers import wait_until

DEADLINE_S = 20.0


@dataclass
class Seen:
    """Remembers the partition of every record."""

    partitions: list[int] = field(default_factory=list)

    def store(self, conn: Connection, records: list[ConsumerRecord]) -> Stored:
        self.partitions += [r.partition for r in records]
        return Stored(len(records), None)

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        raise AssertionError(reason)


@pytest.fixture
def seen(kafka: str, dsn: str, topic_prefix: str) -> Iterator[Seen]:
    """A consumer of one topic that polls for a millisecond at a time."""
    made, stop = Seen(), threading.Event()
    settings = Settings(kafka=kafka, dsn=SecretStr(dsn), topic_prefix=topic_prefix)
    reader = ExactConsumer("seen", [f"{topic_prefix}.seen"], made, settings, Vitals("seen"))
    thread = threading.Thread(target=reader.run, args=(stop,), kwargs={"poll_ms": 1})
    thread.start()
    yield made
    stop.set()
    thread.join(DEADLINE_S)


def test_a_second_process_of_the_same_name_ends_the_first_and_says_so(
    kafka: str, dsn: str, topic_prefix: str
) -> None:
    settings = Settings(
        kafka=kafka, dsn=SecretStr(dsn), topic_prefix=topic_prefix, process="reader"
    )
    stop, said = threading.Event(), list[str]()

    def run() -> None:
        reader = ExactConsumer("seen", [f"{topic_prefix}.seen"], Seen(), settings, Vitals("seen"))
        try:
            reader.run(stop, poll_ms=50)
        except FatalError as error:
            said.append(f"{error.code}: {error}")

    ensure_topics(kafka, [f"{topic_prefix}.seen"])
    members = [threading.Thread(target=run) for _ in range(2)]
    members[0].start()
    wait_until(lambda: group_size(kafka, f"{topic_prefix}.seen") == 1, DEADLINE_S, "a member")
    members[1].start()
    wait_until(lambda: said, DEADLINE_S, "one of the two ended")
    stop.set()
    for member in members:
        member.join(DEADLINE_S)
    assert len(said) == 1
    assert said[0].startswith("fenced: another process named reader has taken over")


def group_size(kafka: str, group: str) -> int:
    admin: Any = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        return len(admin.describe_groups([group])[group]["members"])
    except KafkaError:
        return 0
    finally:
        admin.close()


def test_partitions_added_while_it_runs_are_read_and_the_old_ones_still_are(
    kafka: str, topic_prefix: str, seen: Seen
) -> None:
    topic, more = f"{topic_prefix}.seen", PARTITIONS + 2
    ensure_topics(kafka, [topic])
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
