"""The worker's desk: one engine per assigned partition, and what is to be sent.

Everything here is synchronous, so state, offset and outputs always belong together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from catalog.contracts import (
    AGGREGATES_TYPE,
    DEAD_LETTER_TYPE,
    FLAGS_TYPE,
    TRANSITION_TYPE,
    DeadLetter,
    encode_json,
)
from catalog.frames import FrameError, decode, encode, event_type
from catalog.model import Stream
from catalog.overrides import OVERRIDE_TYPE, Override, decode_override, encode_override
from catalog.registry import made_of_facts, streams
from catalog.ticks import TICK_TYPE, Word, decode_tick, encode_word
from catalog.topics import (
    PARTITIONS,
    aggregates_topic,
    dead_letters_topic,
    flags_topic,
    readings_topic,
    shard_of,
    transitions_topic,
)
from engine.outputs import Failure, Outputs, micros, moment
from engine.partition import PartitionEngine
from service.kafka_log import LogId, Mark, Place, checksum
from service.log import logger
from streams.checkpoint import Checkpoint
from streams.metrics import (
    BYTES,
    CORRECTIONS,
    FRAME_READINGS,
    FRAME_SECONDS,
    FRAMES,
    LETTERS,
    POISON,
    READINGS,
    TRANSITIONS,
)
from streams.pulse import PulseCounter

NO_LOGS: Mapping[str, LogId] = MappingProxyType({})
MESSAGE_BYTES = 512 * 1024
"""Roughly what one message of outputs may hold; the broker takes a megabyte."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send: topic, partition, headers and value."""

    topic: str
    partition: int
    kind: str
    value: bytes


@dataclass(slots=True)
class Bench:
    """One partition: its engine, the next offset, and what has happened since the checkpoint."""

    stream: Stream
    engine: PartitionEngine
    next_offset: int
    changed: bool = False
    ticked: int = 0
    log: LogId | None = None
    last: int | None = None
    """Checksum of the record before ``next_offset``, when it is not ``value``'s."""
    value: bytes | None = None
    written_at: datetime | None = None

    def mark(self) -> Mark:
        """Return how far it has come in Kafka's log."""
        return Mark(
            self.next_offset, self.log, self.last if self.value is None else checksum(self.value)
        )


@dataclass(slots=True)
class Desk:
    """All partitions of this worker."""

    prefix: str
    benches: dict[Place, Bench] = field(default_factory=dict)
    outbox: list[Message] = field(default_factory=list)
    too_late: int = 0
    """Readings beyond their stream's lateness since the start: stored and flagged, not judged."""
    pulse: PulseCounter = field(default_factory=PulseCounter)

    def topics(self) -> dict[str, Stream]:
        """Return the readings topics and their streams."""
        return {readings_topic(self.prefix, s.name): s for s in streams().values()}

    def lay_out(
        self,
        offsets: dict[Place, int],
        stored: dict[Place, Checkpoint],
        logs: Mapping[str, LogId] = NO_LOGS,
    ) -> None:
        """Start anew with these partitions: from their checkpoints, else empty at ``offsets``.

        A partition that has lost records (``offsets`` beyond the checkpoint) goes on behind them.
        """
        self.benches, self.outbox = {}, []
        by_topic = self.topics()
        for place, earliest in offsets.items():
            engine = PartitionEngine(by_topic[place[0]], place[1])
            bench = Bench(by_topic[place[0]], engine, earliest, log=logs.get(place[0]))
            if checkpoint := stored.get(place):
                engine.restore(checkpoint.parts)
                bench.next_offset = max(checkpoint.next_offset, earliest)
                bench.last = checkpoint.last if checkpoint.next_offset >= earliest else None
            self.benches[place] = bench

    def marks(self) -> dict[Place, Mark]:
        """Return how far each partition has come in Kafka's log."""
        return {place: bench.mark() for place, bench in self.benches.items()}

    def skips(self, place: Place, offset: int) -> bool:
        """Tell whether records between the last one and this are missing."""
        bench = self.benches.get(place)
        return bench is not None and offset > bench.next_offset

    def handle(
        self,
        place: Place,
        offset: int,
        value: Any,
        headers: Any,
        now: datetime,
        written_at: datetime | None = None,
    ) -> int:
        """Work off one record; return the readings it held. Nothing a record holds raises."""
        bench = self.benches.get(place)
        if bench is None or offset < bench.next_offset:
            return 0
        rows = 0
        FRAMES.inc()
        BYTES.inc(len(value or b""))
        try:
            with FRAME_SECONDS.time():
                rows = self._work(bench, place, offset, value, headers, now)
            FRAME_READINGS.observe(rows)
        except FrameError as error:
            # the sink keeps the record as a dead letter
            POISON.labels(error.code).inc()
        except Exception as error:
            self._failed(bench, place, offset, error, now)
        bench.next_offset = offset + 1
        bench.value, bench.written_at = value or b"", written_at
        return rows

    def tell_overrides(self, newest: Iterable[tuple[str, Override]]) -> None:
        """Put what people have set, by stream, into the log where it is not known to be there.

        Once again harms nothing: an engine takes each revision once.
        """
        topics = {stream.name: topic for topic, stream in self.topics().items()}
        for stream, override in newest:
            topic, partition = topics.get(stream, ""), shard_of(override.sensor)
            bench = self.benches.get((topic, partition))
            if bench is not None and not bench.engine.knows(override):
                value = encode_override(override)
                self.outbox.append(Message(topic, partition, OVERRIDE_TYPE, value))

    def checkpoints(self, ticks_between: int) -> dict[Place, Checkpoint]:
        """Return state and offset of what has changed; of quiet partitions only now and then."""
        taken = {}
        for place, bench in self.benches.items():
            if bench.changed or bench.ticked >= ticks_between:
                mark, parts_ = bench.mark(), bench.engine.changes()
                taken[place] = Checkpoint(
                    mark.next_offset, parts_, mark.log, mark.last, bench.written_at
                )
                bench.changed, bench.ticked = False, 0
        return taken

    def _work(
        self, bench: Bench, place: Place, offset: int, value: Any, headers: Any, now: datetime
    ) -> int:
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or ())
        if (kind := event_type(pairs)) == TICK_TYPE:
            told = decode_tick(value)
            if isinstance(told, Word):
                bench.engine.hear(told)
            else:
                self._put(bench, place, bench.engine.tick(told, now))
                bench.ticked += 1
            return 0
        if kind == OVERRIDE_TYPE:
            bench.engine.override(decode_override(value))
            bench.changed = True
            return 0
        frame = decode(bench.stream.name, value, pairs)
        self.pulse.arrived(bench.stream)
        received_at = micros(frame.received_at)
        out = bench.engine.process(frame.batch, now, received_at, frame.flags)
        bench.changed = True
        self._put(bench, place, out)
        self._tell_failures(bench, place, offset, out.failures, now)
        for result in ("accepted", "duplicates", "late"):
            READINGS.labels(result).inc(getattr(out, result))
        self.too_late += out.late
        return frame.batch.num_rows

    def _put(self, bench: Bench, place: Place, out: Outputs) -> None:
        partition = place[1]
        # whose minutes are facts' gets its windows from them, with every late correction
        of_facts = bench.stream.name in made_of_facts()
        if not of_facts and (batch := out.aggregates_batch()) is not None:
            topic = aggregates_topic(self.prefix, bench.stream.name)
            self.outbox += [Message(topic, partition, AGGREGATES_TYPE, x) for x in parts(batch)]
            CORRECTIONS.inc(sum(int((w.revisions > 1).sum()) for w in out.windows))
        if (batch := out.flags_batch()) is not None:
            topic = flags_topic(self.prefix)
            self.outbox += [Message(topic, partition, FLAGS_TYPE, x) for x in parts(batch)]
        for word in out.words:
            others = (p for p in range(PARTITIONS) if p != partition)
            self.outbox += [Message(place[0], p, TICK_TYPE, encode_word(word)) for p in others]
        for item in out.transitions:
            TRANSITIONS.labels(item.kind).inc()
            topic, value = transitions_topic(self.prefix), encode_json(item)
            self.outbox.append(Message(topic, shard_of(item.sensor), TRANSITION_TYPE, value))

    def _failed(
        self, bench: Bench, place: Place, offset: int, error: Exception, now: datetime
    ) -> None:
        """Our own fault on one record: say it, keep a dead letter, go on with the next."""
        logger().error("record not worked off", topic=place[0], offset=offset, reason=repr(error))
        self._tell(bench, place, f"{offset}", repr(error), now)

    def _tell_failures(
        self, bench: Bench, place: Place, offset: int, failures: list[Failure], now: datetime
    ) -> None:
        """One dead letter for each piece of rule code that failed on readings of a record."""
        by_code: dict[str, list[Failure]] = {}
        for failure in failures:
            by_code.setdefault(failure.what, []).append(failure)
        for what, found in by_code.items():
            first = found[0]
            reason = f"{what}, {first.sensor} at {moment(first.at).isoformat()}: {first.error}"
            if len(found) > 1:
                reason = f"{len(found)} readings, the first: {reason}"
            logger().error("rule failed", topic=place[0], offset=offset, reason=reason)
            self._tell(bench, place, f"{offset}/{what}", reason, now)

    def _tell(self, bench: Bench, place: Place, where: str, reason: str, now: datetime) -> None:
        letter = DeadLetter(
            id=f"worker/{place[0]}/{place[1]}/{where}",
            stream=bench.stream.name,
            stage="processing",
            code="rule_error",
            reason=reason[:300],
            at=now,
            source="worker",
        )
        LETTERS.labels(letter.code).inc()
        topic = dead_letters_topic(self.prefix)
        self.outbox.append(Message(topic, place[1], DEAD_LETTER_TYPE, encode_json(letter)))


def parts(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Yield the Kafka values of a batch, cut where it is too large for one message."""
    rows = max(1, MESSAGE_BYTES * batch.num_rows // max(1, batch.nbytes))
    for start in range(0, batch.num_rows, rows):
        yield encode(batch.slice(start, rows))
