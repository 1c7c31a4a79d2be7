"""Names of Kafka topics, and the shard of a sensor. Everyone derives them from here."""

from functools import lru_cache
from zlib import crc32

PARTITIONS = 4
"""Partitions of every topic, and the number of shards: partition = shard."""


def readings_topic(prefix: str, stream: str) -> str:
    """Return the topic of a stream's raw frames (and ticks)."""
    return f"{prefix}.readings.{stream}.v1"


def aggregates_topic(prefix: str, stream: str) -> str:
    """Return the topic of a stream's one-minute window frames."""
    return f"{prefix}.aggregates.{stream}.v1"


def facts_topic(prefix: str, fact: str) -> str:
    """Return the topic of one kind of facts."""
    return f"{prefix}.facts.{fact}.v1"


def flags_topic(prefix: str) -> str:
    """Return the topic of quality flags other than pass."""
    return f"{prefix}.flags.v1"


def transitions_topic(prefix: str) -> str:
    """Return the topic of alert transitions."""
    return f"{prefix}.transitions.v1"


def dead_letters_topic(prefix: str) -> str:
    """Return the topic of what could not be used, with code and reason."""
    return f"{prefix}.dead-letters.v1"


def all_topics(
    prefix: str, streams: tuple[str, ...], facts: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return every topic of a platform that knows these streams and kinds of facts."""
    shared = (flags_topic(prefix), transitions_topic(prefix), dead_letters_topic(prefix))
    per_stream = [f(prefix, s) for s in streams for f in (readings_topic, aggregates_topic)]
    return (*shared, *per_stream, *(facts_topic(prefix, fact) for fact in facts))


@lru_cache(maxsize=1 << 18)
def shard_of(sensor: str) -> int:
    """Return the shard (= partition) of a sensor id: CRC-32 modulo ``PARTITIONS``."""
    return crc32(sensor.encode()) % PARTITIONS


def shard_key(shard: int) -> bytes:
    """Return the Kafka key of a shard."""
    return b"%d" % shard
