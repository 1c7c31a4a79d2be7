"""Keep a consumer to the log of Kafka that its stored offsets belong to."""

import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord
from kafka.structs import TopicPartition
from psycopg import Connection

from service.kafka_log import LogId, Mark, Place, checksum, connections, examine, log_ids, reason
from service.log_breaks import note_breaks
from service.settings import Settings
from storage.offsets import load_offsets

AGAIN_S = 5.0
"""How often a log that is another one is looked at again."""


class SameLog:
    """Knows how far a consumer has come, in which log, and notices when the log is another.

    A partition of another log is paused, the others go on. ``reason`` says what is wrong.
    """

    def __init__(self, name: str, topics: list[str], settings: Settings) -> None:
        self._name = name
        self._topics = topics
        self._settings = settings
        self.marks: dict[Place, Mark] = {}
        self.reason = ""
        self._position: dict[Place, int] = {}
        self._ids: dict[str, LogId] = {}
        self._connections: dict[Any, Any] = {}
        self._again = 0.0

    def seek(self, kafka: KafkaConsumer, conn: Connection) -> None:
        """Go to the stored offsets, where the log is still theirs; a partition never stored starts
        at its first record, and one that has lost records at the first that it still has."""
        self._connections = connections(kafka)
        parts = {(p.topic, p.partition): p for p in sorted(kafka.assignment())}
        stored = load_offsets(conn, self._name)
        wanted = {place: stored.get(place, Mark(0)) for place in parts}
        look = examine(self._settings.kafka, self._settings.process or self._name, wanted)
        note_breaks(conn, self._name, look, parts)
        stopped = look.stopped()
        self._ids, self.marks, self._position = look.ids, {}, {}
        kafka.resume(*kafka.paused())
        for place, part in parts.items():
            if place in stopped:
                kafka.seek(part, look.ends[place])
                kafka.pause(part)
                continue
            mark = wanted[place]
            self.marks[place] = Mark(mark.next_offset, look.ids[place[0]], mark.last)
            self._position[place] = max(mark.next_offset, look.starts[place])
            kafka.seek(part, self._position[place])
        self.reason = reason(look.breaks.values())
        self._again = time.monotonic() + AGAIN_S

    def must_seek(self, kafka: KafkaConsumer, polled: dict[TopicPartition, Any]) -> bool:
        """Tell whether what was polled may be of another log; notes how far was read otherwise."""
        if self._other_broker(kafka) or self._other_ids(kafka):
            return True
        for part, records in polled.items():
            place = (part.topic, part.partition)
            # the client goes to the first record by itself when its offset does not exist any more
            if records[0].offset != self._position.get(place):
                return True
            self._position[place] = records[-1].offset + 1
        return bool(self.reason) and time.monotonic() >= self._again

    def after(self, records: Iterable[ConsumerRecord]) -> dict[Place, Mark]:
        """Return how far these records lead."""
        newest = {(r.topic, r.partition): r for r in records}
        return {
            place: Mark(record.offset + 1, self.marks[place].log, checksum(record.value))
            for place, record in newest.items()
        }

    def missing(self, kafka: KafkaConsumer) -> bool:
        """Tell whether a topic is gone."""
        return len(log_ids(kafka, self._topics)) < len(self._topics)

    def lag(self, kafka: KafkaConsumer) -> int:
        """Return how many records wait in the partitions that are gone on with.

        By what was noted here: the client's `position` looks at all partitions for each of them.
        """
        parts = [part for part in kafka.assignment() if (part.topic, part.partition) in self.marks]
        ends = kafka.end_offsets(sorted(parts)) if parts else {}
        return sum(max(0, end - self._position[p.topic, p.partition]) for p, end in ends.items())

    def _other_broker(self, kafka: KafkaConsumer) -> bool:
        now, before = connections(kafka), self._connections
        self._connections = before | now
        return any(node in before and before[node] is not made for node, made in now.items())

    def _other_ids(self, kafka: KafkaConsumer) -> bool:
        known = log_ids(kafka, self._ids)
        return any(known.get(topic, log) != log for topic, log in self._ids.items())
