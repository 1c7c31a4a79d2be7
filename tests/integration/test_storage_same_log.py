"""A consumer before another log than its offsets belong to: it stops, says so, and begins anew."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.structs import TopicPartition

from catalog.topics import all_topics
from service.kafka import admin_client, ensure_topics, producer
from storage.new_log import TABLES
from tests.integration.test_storage_exact import DEADLINE_S, Member, Seen, Starter
from tests.integration.test_storage_exact import start as start  # a fixture
from tests.support.servers import outer_environment, wait_until


@dataclass
class Values(Seen):
    """Remembers the values of all records, in the order in which they were stored."""

    def __post_init__(self) -> None:
        self.values: list[bytes] = []

    def store(self, conn: Any, records: Any) -> Any:
        self.values += [r.value for r in records]
        return Seen.store(self, conn, records)


@dataclass
class Log:
    """One topic of the test's, whose first partition is used."""

    topic: str
    kafka: str
    dsn: str
    sender: KafkaProducer
    admin: KafkaAdminClient

    def send(self, *values: bytes) -> None:
        for value in values:
            self.sender.send(self.topic, value, partition=0).get(DEADLINE_S)

    def reached(self) -> int:
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute(
                "SELECT next_offset FROM consumer_offsets WHERE topic = %s AND partition = 0",
                [self.topic],
            ).fetchone()
        return row[0] if row else 0

    def change(self, change: str) -> None:
        with psycopg.connect(self.dsn) as conn:
            query = f"UPDATE consumer_offsets SET {change} WHERE topic = %s AND partition = 0"
            assert conn.execute(query.encode(), [self.topic]).rowcount == 1

    def breaks(self) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(
                "SELECT kind, reached, found, outcome FROM log_breaks ORDER BY id"
            ).fetchall()


@pytest.fixture
def log(kafka: str, dsn: str, topic_prefix: str) -> Iterator[Log]:
    topic = f"{topic_prefix}.seen"
    ensure_topics(kafka, [topic])
    made = Log(topic, kafka, dsn, producer(kafka, "test"), admin_client(kafka))
    yield made
    made.sender.close()
    made.admin.close()


def read(log: Log, start: Starter, store: Values, count: int) -> None:
    """Let a member store what there is, and end."""
    member = start(store, poll_ms=20)
    wait_until(lambda: log.reached() >= count, DEADLINE_S, f"{count} stored")
    member.stop.set()


def stopped(member: Member, word: str) -> bool:
    return word in member.vitals.health().reason


def test_a_topic_made_anew_is_not_gone_on_with_though_it_has_grown_past_the_offset(
    log: Log, start: Starter
) -> None:
    before = Values()
    log.send(b"1", b"2", b"3")
    read(log, start, before, 3)
    log.admin.delete_topics([log.topic])
    wait_until(lambda: ensure_topics(log.kafka, [log.topic]), DEADLINE_S, "the topic anew")
    wait_until(lambda: sent(log, b"a"), DEADLINE_S, "a first record")
    log.send(b"b", b"c", b"d", b"e")
    after = Values()
    member = start(after, poll_ms=20)
    wait_until(lambda: stopped(member, "is another log"), DEADLINE_S, "it says so")
    assert stopped(member, "make new-log")
    assert (after.values, log.reached()) == ([], 3)
    assert log.breaks() == [("another", 3, 0, None)]
    log.change("next_offset = 0, cluster_id = NULL, topic_id = NULL, last_record = NULL")
    wait_until(lambda: len(after.values) == 5, DEADLINE_S, "it goes on by itself")
    assert after.values == [b"a", b"b", b"c", b"d", b"e"]
    wait_until(lambda: member.vitals.health().healthy, DEADLINE_S, "well again")
    assert log.breaks() == [("another", 3, 0, "back")]


def test_a_topic_made_anew_under_a_running_consumer_is_noticed(log: Log, start: Starter) -> None:
    store = Values()
    member = start(store, poll_ms=20)
    log.send(b"1", b"2", b"3")
    wait_until(lambda: log.reached() == 3, DEADLINE_S, "three stored")
    log.admin.delete_topics([log.topic])
    wait_until(lambda: stopped(member, "is another log"), 2 * DEADLINE_S, "it says so")
    assert log.reached() == 3


def sent(log: Log, value: bytes) -> bool:
    """Send while the client may still know the old topic."""
    try:
        log.sender.send(log.topic, value, partition=0).get(DEADLINE_S)
    except Exception:
        return False
    return True


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("next_offset = 9", "ends before the offset"),
        ("next_offset = 2, last_record = 1", "holds another record"),
        ("cluster_id = 'of-another'", "is another log"),
    ],
    ids=["shorter", "rewritten", "another cluster"],
)
def test_a_log_that_was_restored_or_is_anothers_is_not_gone_on_with(
    log: Log, start: Starter, change: str, word: str
) -> None:
    log.send(b"1", b"2", b"3")
    read(log, start, Values(), 3)
    log.change(change)
    store = Values()
    member = start(store, poll_ms=20)
    wait_until(lambda: stopped(member, word), DEADLINE_S, "it says so")
    log.send(b"4")
    assert store.values == []


def test_records_that_are_gone_before_they_were_read_are_named_and_the_rest_is_read(
    log: Log, start: Starter
) -> None:
    """As after a database was restored that is older than what the log still holds."""
    log.send(b"1", b"2", b"3", b"4", b"5")
    read(log, start, Values(), 5)
    log.change("next_offset = 2, last_record = NULL")
    log.admin.delete_records({TopicPartition(log.topic, 0): 4})
    store = Values()
    member = start(store, poll_ms=20)
    wait_until(lambda: store.values == [b"5"], DEADLINE_S, "what is left")
    assert log.breaks() == [("gap", 2, 4, "went_on")]
    wait_until(lambda: log.reached() == 5, DEADLINE_S, "stored")
    assert member.vitals.health().healthy


def test_a_stored_offset_of_an_earlier_release_is_gone_on_from(log: Log, start: Starter) -> None:
    log.send(b"1", b"2")
    read(log, start, Values(), 2)
    log.change("cluster_id = NULL, topic_id = NULL, last_record = NULL")
    log.send(b"3")
    store = Values()
    start(store, poll_ms=20)
    wait_until(lambda: store.values == [b"3"], DEADLINE_S, "it goes on")


def test_new_log_says_what_it_would_do_and_does_it_with_yes(
    kafka: str, dsn: str, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.flags.v1"
    ensure_topics(kafka, all_topics(topic_prefix, ()))
    with psycopg.connect(dsn) as conn:
        for table, column in TABLES.items():
            conn.execute(
                f"INSERT INTO {table} ({column}, topic, partition, next_offset, cluster_id,"
                " topic_id) VALUES ('reader', %s, 1, 7, 'old', 'older')".encode(),
                [topic],
            )
    env = outer_environment() | {
        "CITYOPS_KAFKA": kafka,
        "CITYOPS_DSN": dsn,
        "CITYOPS_TOPIC_PREFIX": topic_prefix,
    }

    def run(*more: str) -> tuple[int, str]:
        line = [sys.executable, "-m", "storage", "new-log", *more]
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    code, said = run()
    assert code == 1
    assert said.count(f"reader: {topic}/1 is another log than the one its offsets") == 2, said
    assert offsets(dsn) == [7, 7]
    code, said = run("--yes")
    assert (code, offsets(dsn)) == (0, [0, 0]), said
    assert "nothing to do" in run()[1]


def offsets(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as conn:
        rows = (conn.execute(f"SELECT next_offset FROM {t}".encode()).fetchall() for t in TABLES)
        return [offset for found in rows for (offset,) in found]
