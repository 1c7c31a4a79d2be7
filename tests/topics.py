"""Topics of one test: a prefix of its own, what is on them, deleted afterwards."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from catalog.topics import PARTITIONS
from service.kafka import consumer


def unique_prefix() -> str:
    """Return a topic prefix that no other test uses, e.g. `t1a2b3c4d`."""
    return f"t{uuid.uuid4().hex[:8]}"


def records(bootstrap: str, topic: str) -> list[Any]:
    """Return every record that is on a topic so far."""
    reader = consumer(bootstrap, "test", "test")
    try:
        parts = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        reader.assign(parts)
        reader.seek_to_beginning(*parts)
        ends = reader.end_offsets(parts)
        found: list[Any] = []
        while any((reader.position(p) or 0) < ends[p] for p in parts):
            found += [r for rs in reader.poll(timeout_ms=500).values() for r in rs]
        return found
    finally:
        reader.close()


def ends(bootstrap: str, topics: list[str]) -> dict[tuple[str, int], int]:
    """Return the end offset of every partition of the topics."""
    reader = consumer(bootstrap, "test", "test")
    try:
        return _by_place(reader.end_offsets(_parts(topics)))
    finally:
        reader.close()


def begins(bootstrap: str, topics: list[str]) -> dict[tuple[str, int], int]:
    """Return the first offset that is kept of every partition of the topics."""
    reader = consumer(bootstrap, "test", "test")
    try:
        return _by_place(reader.beginning_offsets(_parts(topics)))
    finally:
        reader.close()


def _parts(topics: list[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, p) for topic in topics for p in range(PARTITIONS)]


def _by_place(offsets: dict[TopicPartition, int]) -> dict[tuple[str, int], int]:
    return {(part.topic, part.partition): offset for part, offset in offsets.items()}


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete every topic whose name starts with `prefix`."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=30_000)
    try:
        # a tidy-up only: a busy broker may answer late, and no test depends on it
        with contextlib.suppress(KafkaError):
            names = [name for name in admin.list_topics() if name.startswith(prefix)]
            if names:
                admin.delete_topics(names)
    finally:
        admin.close()
