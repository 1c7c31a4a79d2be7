"""Row 23: a stream's second version adds a metric and drops another, while old writers still run.

Three deployments of one stream file: what the old readers cannot read is kept, and stored once
when the new ones are there.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from kafka import KafkaProducer

from catalog.frames import TIMESTAMP, encode
from catalog.topics import all_topics, readings_topic, shard_key, shard_of
from deploy.ports import free_port
from service.kafka import ensure_topics, producer
from storage.api_keys import add_key
from tests.support.frames import START
from tests.support.servers import Spawner, wait_until

DECLARED = """
from catalog.model import Metric, Placement, Stream, text

def metric(name):
    return Metric(name=name, unit="m", title=text("值", name), fail_span=(-9, 9), typical=(0, 1))

STREAM = Stream(
    name="tide", domain="water", title=text("潮位", "Tide"), cadence_s=60, lateness_s=60,
    version={version}, earlier={earlier}, metrics=tuple(map(metric, {metrics})),
    rules=(), placement=Placement(per_district=1), headline="level_m",
)
"""
V1, V2 = ("level_m", "battery_v"), ("level_m", "salinity_g_kg")
SENSOR = "tide-1"


@pytest.fixture
def kafka_producer(kafka: str, topic_prefix: str) -> Iterator[KafkaProducer]:
    ensure_topics(kafka, all_topics(topic_prefix, ("tide",)))
    made = producer(kafka, "test")
    yield made
    made.close(timeout=5)


def put(producer: KafkaProducer, prefix: str, version: int, minute: int, **values: float) -> None:
    """Send a frame as a gateway of that version does."""
    at = START + timedelta(minutes=minute)
    keys = [pa.field("sensor", pa.string(), False), pa.field("observed_at", TIMESTAMP, False)]
    schema = pa.schema([*keys, *(pa.field(name, pa.float64()) for name in values)])
    columns: dict[str, list[Any]] = {"sensor": [SENSOR], "observed_at": [at]}
    columns |= {name: [value] for name, value in values.items()}
    headers = [
        ("ce_type", b"city.readings"),
        ("ce_time", at.isoformat().encode()),
        ("ce_dataschema", f"tide/{version}".encode()),
    ]
    shard, value = shard_of(SENSOR), encode(pa.RecordBatch.from_pydict(columns, schema=schema))
    topic, key = readings_topic(prefix, "tide"), shard_key(shard)
    producer.send(topic, value, key=key, partition=shard, headers=headers).get(10)


@pytest.mark.slow
def test_old_and_new_versions_live_side_by_side_and_nothing_is_lost(
    dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner, tmp_path: Path
) -> None:
    folder, gateway = tmp_path / "streams", f"http://127.0.0.1:{free_port()}"
    folder.mkdir()
    with psycopg.connect(dsn, autocommit=True) as conn:
        key = add_key(conn, "test", ["ingest:*"])
    env = {"CITYOPS_STREAMS_PATH": str(folder), "CITYOPS_GATEWAY": gateway, "CITYOPS_API_KEY": key}

    def run(*words: str, code: int = 0) -> str:
        done = spawn(*words, env=env, deadline_s=None).child
        assert done.handle.wait(60) == code, done.log.read_text()
        return done.log.read_text()

    def deploy(version: int, metrics: tuple[str, ...], earlier: dict[int, tuple[str, ...]]) -> Any:
        declared = DECLARED.format(version=version, metrics=metrics, earlier=earlier)
        (folder / "tide.py").write_text(declared)
        run("storage", "migrate")
        return spawn("storage", "sink", env=env)

    def ask(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(dsn) as conn:
            return conn.execute(query.encode()).fetchall()

    def await_letters(count: int) -> None:
        query = "SELECT count(*) FROM dead_letters WHERE code = 'schema_version'"
        wait_until(lambda: ask(query) == [(count,)], 30.0, f"{count} letters")

    sink = deploy(1, V1, {})
    put(kafka_producer, topic_prefix, 1, 1, level_m=1.1, battery_v=3.6)
    put(kafka_producer, topic_prefix, 2, 2, level_m=1.2, salinity_g_kg=7.0)  # a new writer, early
    put(kafka_producer, topic_prefix, 9, 3, level_m=1.3)
    await_letters(2)
    sink.stop()

    deploy(2, V2, {1: V1})
    put(kafka_producer, topic_prefix, 1, 4, level_m=1.4, battery_v=3.6)  # an old writer
    put(kafka_producer, topic_prefix, 2, 5, level_m=1.5, salinity_g_kg=7.5)
    rows = "SELECT level_m, battery_v, salinity_g_kg FROM readings_tide ORDER BY observed_at"
    compatible = [(1.1, 3.6, None), (1.4, None, None), (1.5, None, 7.5)]
    wait_until(lambda: ask(rows) == compatible, 30.0, "what is compatible, stored")
    await_letters(2)

    spawn("ingest", "gateway", env=env)
    redrive = ("storage", "dead-letters", "redrive", "--code", "schema_version")
    said = run(*redrive, code=1)  # one is of no version that was ever declared
    assert "deploy the version that declares it" in said
    run(*redrive, code=1)
    everything = [(1.1, 3.6, None), (1.2, None, 7.0), *compatible[1:]]
    wait_until(lambda: ask(rows) == everything, 30.0, "the early one stored, once")
    letters = "SELECT dataschema, status FROM dead_letters ORDER BY dataschema"
    assert ask(letters) == [("tide/2", "redriven"), ("tide/9", "open")], said
