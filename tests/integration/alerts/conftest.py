"""Fixtures of the alerts' integration tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaProducer

from catalog.contracts import Transition, encode_json
from catalog.registry import streams
from catalog.topics import all_topics, shard_key, shard_of, transitions_topic
from service.kafka import ensure_topics, producer
from tests.alerting import Stub, serving


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as made:
        yield made


@pytest.fixture
def send(kafka: str, topic_prefix: str) -> Iterator[Any]:
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    made: KafkaProducer = producer(kafka, "test")

    def put(*transitions: Transition) -> None:
        for t in transitions:
            shard = shard_of(t.sensor)
            topic = transitions_topic(topic_prefix)
            made.send(topic, value=encode_json(t), key=shard_key(shard), partition=shard)
        made.flush(timeout=10)

    yield put
    made.close(timeout=5)
