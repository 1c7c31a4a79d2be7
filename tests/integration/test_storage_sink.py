"""The sink on real Kafka and TimescaleDB: exactly one row or one dead letter for each reading."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pytest
from kafka import KafkaProducer

from catalog.contracts import AGGREGATES_TYPE, aggregates_schema
from catalog.frames import encode, frame_headers
from catalog.registry import stream, streams
from catalog.ticks import TICK_TYPE, encode_tick
from catalog.topics import aggregates_topic, all_topics, readings_topic
from service.kafka import ensure_topics, producer
from tests.support.frames import START, noise_batch, put, put_raw
from tests.support.servers import Spawned, Spawner, wait_until

DEADLINE_S = 30.0


@pytest.fixture
def kafka_producer(kafka: str, topic_prefix: str) -> Iterator[KafkaProducer]:
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    made = producer(kafka, "test")
    yield made
    made.close(timeout=5)


def count(dsn: str, query: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode()).fetchone()
    return row[0] if row else 0


def wait_for(dsn: str, query: str, expected: int) -> None:
    wait_until(lambda: count(dsn, query) >= expected, DEADLINE_S, f"{query} >= {expected}")


def test_readings_become_rows_and_last_values(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    spawn("storage", "sink")
    put(kafka_producer, topic_prefix, noise_batch([("n-1", s, 50 + s) for s in range(10)]))
    wait_for(dsn, "SELECT count(*) FROM readings_noise", 10)
    with psycopg.connect(dsn) as conn:
        last = conn.execute("SELECT observed_at, leq_db, lmax_db FROM last_noise").fetchall()
        status = conn.execute("SELECT status FROM sensors WHERE sensor = 'n-1'").fetchone()
    assert [(at.second, *values) for at, *values in last] == [(9, 59.0, None)]
    assert status == ("provisional",)


def test_a_second_copy_changes_nothing_and_another_body_is_a_dead_letter(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    spawn("storage", "sink")
    put(kafka_producer, topic_prefix, noise_batch([("n-1", 0, 50), ("n-1", 1, 51)]))
    put(kafka_producer, topic_prefix, noise_batch([("n-1", 1, 51), ("n-1", 2, 52)]))
    put(kafka_producer, topic_prefix, noise_batch([("n-1", 2, 99), ("n-1", 3, 53)]))
    wait_for(dsn, "SELECT count(*) FROM readings_noise", 4)
    wait_for(dsn, "SELECT count(*) FROM dead_letters", 1)
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT leq_db FROM readings_noise ORDER BY observed_at").fetchall()
        letter = conn.execute("SELECT code, readings FROM dead_letters").fetchone()
    assert [value for (value,) in rows] == [50, 51, 52, 53]
    assert letter is not None
    assert letter[0] == "conflict"
    assert letter[1][0]["leq_db"] == 99


def test_poison_is_kept_and_stalls_nothing(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    sink = spawn("storage", "sink")
    headers = frame_headers(stream("noise"), "test", START)
    put_raw(kafka_producer, topic_prefix, 0, b"no arrow at all", headers)
    put_raw(kafka_producer, topic_prefix, 0, b"", [])
    put_raw(kafka_producer, topic_prefix, 0, b"\x00" * 8, [("ce_type", b"\xff\xfe")])
    put_raw(kafka_producer, topic_prefix, 0, encode_tick(1), [("ce_type", TICK_TYPE.encode())])
    put(kafka_producer, topic_prefix, noise_batch([("n-1", 0, float("nan")), ("n-1", 1, 51)]))
    put(kafka_producer, topic_prefix, noise_batch([("n\x00l", 0, 50), ("n-2", 1, 52)]))
    wait_for(dsn, "SELECT count(*) FROM readings_noise", 2)
    wait_for(dsn, "SELECT count(*) FROM dead_letters", 5)
    with psycopg.connect(dsn) as conn:
        codes = conn.execute("SELECT code FROM dead_letters ORDER BY code").fetchall()
    assert [c for (c,) in codes] == ["arrow", "headers", "headers", "not_finite", "sensor"]
    assert sink.health()["healthy"]


def test_what_the_database_refuses_is_a_dead_letter_and_counted(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    sink = spawn("storage", "sink")
    schema = aggregates_schema(stream("noise"))
    columns: dict[str, list[Any]] = {name: [None] for name in schema.names}
    columns |= {"sensor": ["n\x00l"], "window_start": [START], "revision": [1], "n": [1]}
    headers = [("ce_type", AGGREGATES_TYPE.encode())]
    value = encode(pa.RecordBatch.from_pydict(columns, schema=schema))
    kafka_producer.send(aggregates_topic(topic_prefix, "noise"), value=value, headers=headers)
    wait_for(dsn, "SELECT count(*) FROM dead_letters WHERE code = 'database'", 1)
    counted = 'cityops_sink_dead_letters_total{code="database"} 1.0'
    wait_until(lambda: counted in httpx.get(f"{sink.url}/metrics").text, DEADLINE_S, counted)


def test_of_a_refused_frame_only_the_bad_readings_are_lost_to_the_table(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    """What breaks the contract and what the database refuses: a letter each, also where the one's
    place in the frame is the other's among the good ones."""
    with psycopg.connect(dsn) as conn:
        conn.execute("ALTER TABLE readings_noise ADD CHECK (leq_db < 90)")
    spawn("storage", "sink")
    levels = [50, 51, float("nan"), 95, 53, 54, 96, 56]
    put(kafka_producer, topic_prefix, noise_batch([("n-1", s, v) for s, v in enumerate(levels)]))
    wait_for(dsn, "SELECT count(*) FROM dead_letters", 3)
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT leq_db FROM readings_noise ORDER BY observed_at").fetchall()
        letters = conn.execute("SELECT code, readings, topic FROM dead_letters").fetchall()
    assert [value for (value,) in rows] == [50, 51, 53, 54, 56]
    told = sorted((code, str(readings[0]["leq_db"])) for code, readings, _ in letters)
    assert told == [("database", "95.0"), ("database", "96.0"), ("not_finite", "nan")]
    assert {topic for *_, topic in letters} == {readings_topic(topic_prefix, "noise")}


@pytest.mark.chaos
def test_kill_9_loses_nothing_and_doubles_nothing(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    total, per_frame = 200, 20
    sink: Spawned = spawn("storage", "sink")
    for n in range(total):
        seconds = range(n * per_frame, (n + 1) * per_frame)
        put(kafka_producer, topic_prefix, noise_batch([(f"n-{n % 7}", s, s % 90) for s in seconds]))
        if n % 60 == 59:
            sink.kill9()
            sink = spawn("storage", "sink")
    wait_for(dsn, "SELECT count(*) FROM readings_noise", total * per_frame)
    query = "SELECT count(DISTINCT (sensor, observed_at)) FROM readings_noise"
    assert count(dsn, "SELECT count(*) FROM readings_noise") == total * per_frame
    assert count(dsn, query) == total * per_frame
    assert count(dsn, "SELECT count(*) FROM dead_letters") == 0


@pytest.mark.chaos
def test_a_cut_database_connection_is_waited_out(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    spawn("storage", "sink")
    put(kafka_producer, topic_prefix, noise_batch([("n-1", 0, 50)]))
    wait_for(dsn, "SELECT count(*) FROM readings_noise", 1)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'cityops sink' AND datname = current_database()"
        )
    put(kafka_producer, topic_prefix, noise_batch([("n-1", 1, 51)]))
    wait_for(dsn, "SELECT count(*) FROM readings_noise", 2)
    assert count(dsn, "SELECT count(*) FROM readings_noise") == 2
