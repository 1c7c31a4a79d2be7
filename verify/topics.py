"""What is on the topics of a platform: records, and first and end offsets."""

from __future__ import annotations

from typing import Any

from kafka.structs import TopicPartition

from catalog.topics import PARTITIONS
from service.kafka import consumer


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
