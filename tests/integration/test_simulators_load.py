"""Load on a real broker: the exact number of readings arrives, each key once."""

import json
import os
import subprocess
import sys

from kafka.structs import TopicPartition

from catalog.frames import decode
from catalog.topics import PARTITIONS, readings_topic
from deploy.paths import ROOT
from service.kafka import consumer

NAMES = ("noise", "feeder")


def run(kafka: str, prefix: str, *options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "simulators", "load", "--json", *options]
    env = os.environ | {"CITYOPS_KAFKA": kafka, "CITYOPS_TOPIC_PREFIX": prefix}
    return subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=90)


def keys(kafka: str, prefix: str, name: str) -> list[tuple[str, object]]:
    reader = consumer(kafka, "test", "test")
    topic, found = readings_topic(prefix, name), []
    try:
        parts = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        reader.assign(parts)
        reader.seek_to_beginning(*parts)
        ends = reader.end_offsets(parts)
        while any((reader.position(p) or 0) < ends[p] for p in parts):
            for rows in reader.poll(timeout_ms=500).values():
                for record in rows:
                    batch = decode(name, record.value, record.headers).batch
                    sensors = batch.column("sensor").to_pylist()
                    found += zip(sensors, batch.column("observed_at").to_pylist(), strict=True)
    finally:
        reader.close()
    return found


def test_exactly_the_number_asked_for_arrives(kafka: str, topic_prefix: str) -> None:
    wanted = ("--rate", "5000", "--sensors", "333", "--seconds", "2.5", "-s", ",".join(NAMES))
    told = run(kafka, topic_prefix, *wanted)
    assert told.returncode == 0, told.stderr
    figures = json.loads(told.stdout)
    assert figures["acked"] == figures["wanted"] == 12_500
    assert figures["errors"] == 0
    assert figures["ack_p99_ms"] >= figures["ack_p50_ms"] > 0
    found = [key for name in NAMES for key in keys(kafka, topic_prefix, name)]
    assert len(found) == len(set(found)) == 12_500
    assert len({sensor for sensor, _ in found}) == 333


def test_a_rate_that_is_not_held_fails_only_when_required(kafka: str, topic_prefix: str) -> None:
    impossible = ("--rate", "100000000", "--sensors", "100", "--seconds", "0.001", "-s", "noise")
    for more, code in (((), 0), (("--require",), 1)):
        told = run(kafka, topic_prefix, *impossible, *more)
        assert told.returncode == code, told.stderr
        assert json.loads(told.stdout)["held"] is False
