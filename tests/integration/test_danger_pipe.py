"""The danger table through Kafka and the worker: every danger raises in time, no spike does."""

from collections.abc import Iterator, Sequence

import pytest
from kafka import KafkaProducer

from catalog.contracts import Transition, decode_transition
from catalog.frames import encode, frame_headers
from catalog.model import Stream, ThresholdRule
from catalog.registry import streams
from catalog.ticks import TICK_TYPE, encode_tick
from catalog.topics import (
    PARTITIONS,
    all_topics,
    readings_topic,
    shard_key,
    transitions_topic,
)
from engine.outputs import moment
from ingest.producer import split_by_shard
from service.kafka import ensure_topics, producer
from tests.danger.run import (
    START,
    US,
    Step,
    begins_at,
    calm_cadences,
    danger_of,
    lasting,
    log_of,
    looks_back_s,
    run,
    waits_for_a_second,
)
from tests.danger.table import Row, plain, rows
from tests.support.servers import Spawner, wait_until
from tests.support.topics import records

HOUR_S = 3600
SLOWEST_S = 900
"""Of slower streams each second of ten cadences would be a tick: more than a minute's work."""
Key = tuple[str, str]
"""(rule, sensor)."""


def of_an_hour(stream: Stream) -> list[ThresholdRule]:
    """Return the rules whose danger comes about within an hour, at any time of the day."""
    return [
        rule
        for rule in stream.rules
        if isinstance(rule, ThresholdRule)
        and stream.cadence_s <= SLOWEST_S
        and looks_back_s(stream, rule) <= HOUR_S
        and not any(limit.hours or limit.when for limit in rule.thresholds)
    ]


def table(stream: Stream) -> list[Row]:
    """Return the rows of a stream that can go over its topic side by side."""
    rules = of_an_hour(stream)
    calm = max(calm_cadences(stream, rule) for rule in rules)
    lasts = max(lasting(stream, rule) for rule in rules)
    found: dict[str, Row] = {}
    for rule in rules:
        for row in rows(stream, danger_of(stream, rule), calm=calm, lasts=lasts):
            found.setdefault(row.sensor, row)
    return list(found.values())


def send(made: KafkaProducer, prefix: str, stream: Stream, steps: Sequence[Step]) -> None:
    topic, tick = readings_topic(prefix, stream.name), [("ce_type", TICK_TYPE.encode())]
    for step in steps:
        if step.frame is not None:
            headers = frame_headers(stream, "test", moment((START + step.second) * US))
            parts = [(shard, encode(part), headers) for shard, part in split_by_shard(step.frame)]
        else:
            assert step.tick is not None
            parts = [(shard, encode_tick(step.tick.at), tick) for shard in range(PARTITIONS)]
        for shard, value, heads in parts:
            place = {"key": shard_key(shard), "partition": shard}
            made.send(topic, value=value, headers=heads, **place)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def kafka_producer(kafka: str, topic_prefix: str) -> Iterator[KafkaProducer]:
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    made = producer(kafka, "test")
    yield made
    made.close(timeout=5)


@pytest.mark.slow
def test_dangers_pass_the_pipe_in_time_and_spikes_do_not(
    kafka: str, dsn: str, topic_prefix: str, kafka_producer: KafkaProducer, spawn: Spawner
) -> None:
    due, spikes, said = set[Key](), set[Key](), set[str]()
    for stream in streams().values():
        if not of_an_hour(stream):
            continue
        chosen = table(stream)
        log = log_of(stream, chosen, begins_at(stream, chosen[0].rule))
        ideal = {(t.rule, t.sensor) for _, t in run(plain(stream), log) if t.kind == "raised"}
        keys = {(stream.rule_id(row.rule), row.sensor): row.way for row in chosen}
        due |= {key for key in ideal & keys.keys() if keys[key] != "spike"}
        patient = {stream.rule_id(r) for r in of_an_hour(stream) if waits_for_a_second(stream, r)}
        spikes |= {key for key, way in keys.items() if way == "spike" and key[0] in patient}
        # when each of them is said is held to the second by tests/danger
        said |= {t.id for _, t in run(stream, log) if t.threshold is not None}
        send(kafka_producer, topic_prefix, stream, log)
    kafka_producer.flush()
    assert len(due) > 100
    # the worker's own ticks come behind what lies in the log
    spawn("streams", "worker", deadline_s=60.0)

    def found() -> dict[str, Transition]:
        made = [decode_transition(r.value) for r in records(kafka, transitions_topic(topic_prefix))]
        return {t.id: t for t in made}

    def raised() -> set[Key]:
        return {(t.rule, t.sensor) for t in found().values() if t.kind == "raised"}

    wait_until(lambda: due <= raised(), 90.0, "every danger raised", 1.0)
    wait_until(lambda: said <= found().keys(), 60.0, "all that the engine says", 1.0)
    assert not spikes & raised()
