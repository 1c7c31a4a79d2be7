"""The worker on real Kafka and TimescaleDB: windows, transitions, and exactness after kill -9."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from kafka import KafkaProducer

from catalog.contracts import Transition, aggregates_schema, decode_batch, decode_transition
from catalog.frames import event_type, frame_headers
from catalog.overrides import OVERRIDE_TYPE, decode_override
from catalog.registry import stream, streams
from catalog.topics import (
    PARTITIONS,
    aggregates_topic,
    all_topics,
    readings_topic,
    shard_of,
    transitions_topic,
)
from engine.partition import PartitionEngine
from service.kafka import ensure_topics, producer
from storage.overrides import Target, Wish, set_override
from tests.support.frames import START, noise_batch, put, put_raw
from tests.support.servers import Spawner, wait_until
from tests.support.topics import records

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SENSORS = ("n-1", "n-2", "n-3", "n-4", "n-5")
Windows = dict[tuple[str, datetime], dict[str, Any]]


@pytest.fixture
def kafka_producer(kafka: str, topic_prefix: str) -> Iterator[KafkaProducer]:
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    made = producer(kafka, "test")
    yield made
    made.close(timeout=5)


def windows(kafka: str, prefix: str) -> Windows:
    """Return the newest revision of every noise window on the topic."""
    newest: Windows = {}
    for record in records(kafka, aggregates_topic(prefix, "noise")):
        batch = decode_batch(record.value, aggregates_schema(stream("noise")))
        for row in batch.to_pylist():
            key = (row["sensor"], row["window_start"])
            if key not in newest or newest[key]["revision"] < row["revision"]:
                newest[key] = row
    return newest


def transitions(kafka: str, prefix: str) -> dict[str, Transition]:
    found = [decode_transition(r.value) for r in records(kafka, transitions_topic(prefix))]
    return {t.id: t for t in found}


def expected(levels: dict[str, list[tuple[int, float]]]) -> Windows:
    """Return the statistics a plain loop gets from (second, Leq) per sensor."""
    result: Windows = {}
    for sensor, rows in levels.items():
        for second, level in rows:
            start = datetime.fromtimestamp(START.timestamp() + second // 60 * 60, UTC)
            row = result.setdefault((sensor, start), {"n": 0, "sum": 0.0, "min": 1e9, "max": -1e9})
            row["n"] += 1
            row["sum"] += level
            row["min"], row["max"] = min(row["min"], level), max(row["max"], level)
    return result


def same(found: Windows, wanted: Windows) -> bool:
    return {
        k: (r["n"], r["leq_db_sum"], r["leq_db_min"], r["leq_db_max"]) for k, r in found.items()
    } == {k: (r["n"], r["sum"], r["min"], r["max"]) for k, r in wanted.items()}


def test_poison_stalls_nothing_and_windows_come_by_tick(
    kafka: str, dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    worker = spawn("streams", "worker", deadline_s=60.0)
    headers = frame_headers(stream("noise"), "test", START)
    shard = shard_of("n-1")
    for value, heads in [(b"junk", headers), (b"", []), (b"\x01", [("ce_type", b"city.tick")])]:
        put_raw(kafka_producer, topic_prefix, shard, value, heads)
    put(kafka_producer, topic_prefix, noise_batch([("n-1", s, 50 + s % 3) for s in (0, 20, 40)]))
    wanted = expected({"n-1": [(s, 50 + s % 3) for s in (0, 20, 40)]})
    wait_until(lambda: same(windows(kafka, topic_prefix), wanted), 40.0, "the window", 0.5)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO sensors (stream, sensor, status) VALUES ('noise', 'n-1', 'registered')"
        )
        wish = Wish(span=(20.0, 120.0), reason="beside a railway")
        revision = set_override(conn, Target("noise", "n-1", "leq_db"), wish, "li")
    topic = readings_topic(topic_prefix, "noise")

    def told() -> set[tuple[int, int]]:
        sent = [r for r in records(kafka, topic) if event_type(r.headers) == OVERRIDE_TYPE]
        return {(r.partition, decode_override(r.value).revision) for r in sent}

    wait_until(lambda: told() == {(shard, revision)}, 20.0, "the override in the log", 0.5)
    assert worker.health()["healthy"]
    assert worker.stop() == 0, worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()


@pytest.mark.chaos
def test_kill_9_changes_neither_windows_nor_transitions(
    kafka: str, dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    env = {"CITYOPS_CHECKPOINT_S": "0.5"}
    worker = spawn("streams", "worker", env=env, deadline_s=60.0)
    levels: dict[str, list[tuple[int, float]]] = {name: [] for name in SENSORS}
    engines = [PartitionEngine(stream("noise")) for _ in range(PARTITIONS)]
    wanted_ids = set()
    for step in range(90):
        for name in SENSORS:
            level = 45.0 + (step * 7 + ord(name[-1])) % 11
            levels[name].append((step * 10, level))
            batch = noise_batch([(name, step * 10, level)])
            put(kafka_producer, topic_prefix, batch)
            put(kafka_producer, topic_prefix, batch)  # a copy of each changes nothing
            out = engines[shard_of(name)].process(batch, NOW)
            wanted_ids |= {t.id for t in out.transitions}
        if step % 30 == 29:
            done = checkpointed(dsn, topic_prefix)
            wait_until(lambda past=done: checkpointed(dsn, topic_prefix) > past, 30.0, "progress")
            worker.kill9()
            worker = spawn("streams", "worker", env=env, deadline_s=60.0)
    wanted = expected(levels)
    wait_until(lambda: same(windows(kafka, topic_prefix), wanted), 60.0, "exact windows", 0.5)
    assert {
        t.id for t in transitions(kafka, topic_prefix).values() if "silent" not in t.rule
    } == wanted_ids


def checkpointed(dsn: str, prefix: str) -> int:
    """Return how many noise records all checkpoints together are past."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT coalesce(sum(next_offset), 0) FROM checkpoints WHERE topic = %s",
            [readings_topic(prefix, "noise")],
        ).fetchone()
    return int(row[0]) if row else 0
