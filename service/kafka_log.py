"""Which log of Kafka an offset belongs to, and whether the log of now is still the same one.

An offset means nothing without its log: a broker whose data was lost, restored from a copy or whose
topic was made anew has other records under the same numbers. So the ids of cluster and topic
(KIP-516) stand beside every stored offset, and the checksum of the record before it, which a
restored log that has grown past the offset again does not hold.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal
from zlib import crc32

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.structs import TopicPartition

from catalog.errors import TransientError
from service.kafka import consumer

Place = tuple[str, int]
"""A topic and a partition."""

Kind = Literal["another", "shorter", "rewritten", "gap"]
WORDS: Mapping[Kind, str] = {
    "another": "is another log than the one its offsets belong to",
    "shorter": "ends before the offset that was reached: it was restored from an older copy",
    "rewritten": "holds another record than was read there: it was restored from an older copy",
    "gap": "no longer has records that were never read",
}
READ_S = 15.0
REMEDY = "make new-log"


@dataclass(frozen=True, slots=True)
class LogId:
    """The identity of one topic's log; ``topic`` is empty where a broker (below 2.8) has none."""

    cluster: str
    topic: str


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a reader has come: its next offset, in which log, after which record (checksum).

    Nothing is known of the log where a release before this one stored the offset.
    """

    next_offset: int
    log: LogId | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """A partition whose log does not go on where a reader stopped.

    ``reached`` is the reader's next offset. ``found`` is where the log ends (``shorter``), where it
    begins (``gap``), else 0.
    """

    kind: Kind
    place: Place
    reached: int
    found: int
    was: LogId | None
    now: LogId

    @property
    def stops(self) -> bool:
        """Tell whether a person must decide: records that are gone cannot be waited for."""
        return self.kind != "gap"

    def words(self) -> str:
        """Return what is wrong, for people."""
        topic, partition = self.place
        where = f"{topic}/{partition} {WORDS[self.kind]}"
        if self.kind == "gap":
            return f"{where}: offsets {self.reached} to {self.found - 1}"
        return f"{where} (reached {self.reached})"


@dataclass(frozen=True, slots=True)
class Look:
    """What the broker's log is, and what is wrong with some partitions of it."""

    ids: dict[str, LogId]
    starts: dict[Place, int]
    ends: dict[Place, int]
    breaks: dict[Place, Break] = field(default_factory=dict[Place, Break])

    def stopped(self) -> list[Place]:
        """Return the partitions that may not be gone on with."""
        return sorted(place for place, found in self.breaks.items() if found.stops)


def checksum(value: bytes | None) -> int:
    """Return what is remembered of a record."""
    return crc32(value or b"")


def reason(breaks: Iterable[Break]) -> str:
    """Return one line for a process's health; empty when nothing is wrong."""
    found = sorted((b for b in breaks if b.stops), key=lambda b: b.place)
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"Kafka's log: {found[0].words()}{more}; when it is to be gone on with: {REMEDY}"


def log_ids(kafka: KafkaConsumer, topics: Iterable[str]) -> dict[str, LogId]:
    """Return the ids that a client was told last; topics it does not know are left out."""
    client: Any = getattr(kafka, "_client")  # noqa: B009  (no public way)
    cluster = client.cluster
    known = {t: cluster.topic_id(t) for t in topics if cluster.partitions_for_topic(t)}
    return {t: LogId(cluster.cluster_id or "", str(i or "")) for t, i in known.items()}


def topic_logs(admin: KafkaAdminClient, topics: Iterable[str]) -> dict[str, LogId]:
    """Ask the broker for the ids of topics; those that it does not have are left out."""
    cluster = str(admin.describe_cluster()["cluster_id"] or "")
    told = admin.describe_topics(sorted(topics))
    return {
        t["name"]: LogId(cluster, str(t["topic_id"] or "")) for t in told if not t["error_code"]
    }


def connections(kafka: KafkaConsumer) -> dict[Any, Any]:
    """Return the client's open connections by node: a new one may lead to another broker."""
    client: Any = getattr(kafka, "_client")  # noqa: B009  (no public way)
    return {n: c for n, c in list(client._manager._conns.items()) if c.connected}


def examine(bootstrap: str, process: str, marks: Mapping[Place, Mark]) -> Look:
    """Compare marks with the log. ``KafkaError`` or ``TransientError`` while the broker is away."""
    parts = [TopicPartition(*place) for place in sorted(marks)]
    with closing(
        consumer(bootstrap, process, "", group_id=None, auto_offset_reset="none")
    ) as kafka:
        if not parts:
            return Look({}, {}, {})
        kafka.assign(parts)
        starts = {(p.topic, p.partition): n for p, n in kafka.beginning_offsets(parts).items()}
        ends = {(p.topic, p.partition): n for p, n in kafka.end_offsets(parts).items()}
        look = Look(log_ids(kafka, {p.topic for p in parts}), starts, ends)
        for place, mark in marks.items():
            if kind := _kind(look, place, mark):
                look.breaks[place] = _break(look, kind, place, mark)
        last = {
            place: mark.next_offset - 1
            for place, mark in marks.items()
            if place not in look.breaks
            and mark.last is not None
            and mark.next_offset > starts[place]
        }
        found = _read(kafka, last)
    for place in last:
        if found[place] != marks[place].last:
            look.breaks[place] = _break(look, "rewritten", place, marks[place])
    return look


def _kind(look: Look, place: Place, mark: Mark) -> Kind | None:
    if mark.log is not None and look.ids.get(place[0]) != mark.log:
        return "another"
    if look.ends[place] < mark.next_offset:
        return "shorter"
    # a reader that never stored anything (0) begins with what there is
    return "gap" if 0 < mark.next_offset < look.starts[place] else None


def _break(look: Look, kind: Kind, place: Place, mark: Mark) -> Break:
    found = {"shorter": look.ends, "gap": look.starts}.get(kind, {}).get(place, 0)
    now = look.ids.get(place[0], LogId("", ""))
    return Break(kind, place, mark.next_offset, found, mark.log, now)


def _read(kafka: KafkaConsumer, offsets: Mapping[Place, int]) -> dict[Place, int]:
    """Return the checksum of one record of each partition."""
    parts = {place: TopicPartition(*place) for place in offsets}
    kafka.assign(list(parts.values()))
    for place, part in parts.items():
        kafka.seek(part, offsets[place])
    found, until = dict[Place, int](), time.monotonic() + READ_S
    while len(found) < len(parts):
        if time.monotonic() > until:
            raise TransientError(
                "the broker does not give the last records out", code="kafka", stage="storing"
            )
        for part, records in kafka.poll(timeout_ms=500).items():
            found.setdefault((part.topic, part.partition), checksum(records[0].value))
            kafka.pause(part)
    return found
