"""What goes over Kafka, as JSON lines: readings, windows, flags, messages, and what is broken."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from catalog.contracts import FLAGS_SCHEMA, Transition, aggregates_schema, encode_json
from catalog.frames import encode
from catalog.registry import stream, streams
from catalog.ticks import encode_tick, tick_headers
from catalog.topics import aggregates_topic, all_topics, flags_topic, transitions_topic
from ingest.__main__ import app
from service.kafka import ensure_topics
from tests.support.frames import START, noise_batch, put, put_raw


@pytest.fixture
def producer(kafka: str, topic_prefix: str) -> Iterator[KafkaProducer]:
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    made = KafkaProducer(bootstrap_servers=kafka, acks="all")
    yield made
    made.close()


@pytest.fixture
def tap(kafka: str, topic_prefix: str) -> Any:
    env = {"CITYOPS_KAFKA": kafka, "CITYOPS_TOPIC_PREFIX": topic_prefix}

    def run(*words: str) -> list[dict[str, Any]]:
        ran = CliRunner().invoke(app, ["tap", *words], env=env)
        assert ran.exit_code == 0, ran.output
        return [json.loads(line) for line in ran.stdout.splitlines()]

    return run


def batch_of(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = {name: [row.get(name) for row in rows] for name in schema.names}
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def test_readings_are_one_line_each_and_broken_records_too(
    producer: KafkaProducer, topic_prefix: str, tap: Any
) -> None:
    put(producer, topic_prefix, noise_batch([("a", 0, 51.5), ("a", 1, 52.0)]))
    put(producer, topic_prefix, noise_batch([("b", 0, 60.0)]))
    put_raw(producer, topic_prefix, 3, encode_tick(1_700_000_000), tick_headers())
    put_raw(producer, topic_prefix, 3, b"no arrow", [("ce_type", b"city.readings")])
    found = tap("noise", "--last", "9", "--count", "4")
    broken = [row for row in found if "error" in row]
    assert [(row["error"], row["partition"]) for row in broken] == [("schema_version", 3)]
    good = sorted((r["sensor"], r["observed_at"], r["leq_db"]) for r in found if "sensor" in r)
    assert good == [
        ("a", "2026-11-24T00:00:00Z", 51.5),
        ("a", "2026-11-24T00:00:01Z", 52.0),
        ("b", "2026-11-24T00:00:00Z", 60.0),
    ]
    assert all("lmax_db" not in row for row in found)  # empty is left out
    assert {row["source"] for row in found if "sensor" in row} == {"test"}
    (only,) = tap("noise", "--last", "9", "--sensor", "b", "--count", "1")
    assert only["leq_db"] == 60.0
    ticks = [row for row in tap("noise", "--last", "9", "--ticks", "--count", "5") if "tick" in row]
    assert [row["tick"] for row in ticks] == [1_700_000_000]


def test_what_the_worker_writes_is_read_too(
    producer: KafkaProducer, topic_prefix: str, tap: Any
) -> None:
    schema = aggregates_schema(stream("noise"))
    window = {"sensor": "a", "window_start": START, "revision": 2, "n": 3, "leq_db_sum": 150.0}
    batch = batch_of([window], schema)
    producer.send(aggregates_topic(topic_prefix, "noise"), encode(batch), partition=1)
    flag = {"sensor": "a", "observed_at": START, "metric": "leq_db", "test": "gross", "flag": 4}
    flags = [flag | {"stream": "noise", "value": 999.0}, flag | {"stream": "weather", "value": 1.0}]
    batch = batch_of(flags, FLAGS_SCHEMA)
    producer.send(flags_topic(topic_prefix), encode(batch), partition=2)
    at = datetime(2026, 11, 24, tzinfo=UTC)
    for name in ("weather", "noise"):
        change = Transition(
            id="1",
            episode="e",
            rule="r",
            stream=name,
            sensor="a",
            kind="raised",
            severity=2,
            observed_at=at,
            produced_at=at,
        )
        producer.send(transitions_topic(topic_prefix), encode_json(change), partition=0)
    producer.flush()
    (seen,) = tap("noise", "--kind", "aggregates", "--last", "1", "--count", "1")
    assert (seen["n"], seen["leq_db_sum"], seen["revision"]) == (3, 150.0, 2)
    (seen,) = tap("noise", "--kind", "flags", "--last", "1", "--count", "1")
    assert (seen["stream"], seen["test"], seen["value"]) == ("noise", "gross", 999.0)
    (seen,) = tap("noise", "--kind", "transitions", "--last", "9", "--count", "1")
    assert (seen["kind"], seen["stream"]) == ("raised", "noise")


def test_an_unknown_stream_is_refused_with_the_known_ones(tap: Any) -> None:
    ran = CliRunner().invoke(app, ["tap", "nonsense"])
    assert ran.exit_code == 2
    assert "noise" in ran.output
