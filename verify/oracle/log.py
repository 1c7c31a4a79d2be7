"""What must have come of a Kafka log: rows, dead letters, and what the worker puts out."""

from dataclasses import dataclass, field
from typing import Any

from kafka.consumer.fetcher import ConsumerRecord

from catalog.controls import is_control
from catalog.frames import FrameError, bad_rows, decode, event_type
from catalog.overrides import OVERRIDE_TYPE, decode_override
from catalog.registry import stream
from catalog.ticks import TICK_TYPE, Word, decode_tick
from catalog.topics import readings_topic
from verify.oracle.outputs import readings_of
from verify.oracle.reference import Reading, Reference, Results, Values
from verify.oracle.rules import micros
from verify.topics import records

Place = tuple[str, int]
"""A stream and a partition of its readings topic."""

Key = tuple[str, str, int]
"""(stream, sensor, observed_at in epoch µs)."""

Letter = tuple[str, int, int, str]
"""(topic, partition, offset, code) of a record, or of one reading in it, that cannot be used."""


@dataclass
class Expected:
    """What follows from a log. ``must`` is what the worker has put out for certain, ``may`` what
    it has put out when it has worked off all of it."""

    rows: dict[Key, Values] = field(default_factory=dict)
    conflicts: set[tuple[Key, str]] = field(default_factory=set)
    letters: set[Letter] = field(default_factory=set)
    must: Results = field(default_factory=Results)
    may: Results = field(default_factory=Results)


@dataclass
class Reader:
    """Reads the readings topics of a prefix anew and works them off, record by record."""

    bootstrap: str
    prefix: str
    streams: tuple[str, ...]

    def ends_of_frames(self) -> dict[Place, int]:
        """Return the offset after the last frame (not tick) of each partition that has one."""
        ends: dict[Place, int] = {}
        for name in self.streams:
            for record in records(self.bootstrap, readings_topic(self.prefix, name)):
                if not is_control(record.headers):
                    place = (name, record.partition)
                    ends[place] = max(ends.get(place, 0), record.offset + 1)
        return ends

    def expected(
        self, checkpoints: dict[Place, int], stored: dict[Place, int] | None = None
    ) -> Expected:
        """Return what must come of the log.

        ``checkpoints`` are the worker's next offsets, ``stored`` those of the sink; without them
        it is to have stored everything.
        """
        found = Expected()
        for name in self.streams:
            by_partition: dict[int, list[ConsumerRecord]] = {}
            for record in records(self.bootstrap, readings_topic(self.prefix, name)):
                by_partition.setdefault(record.partition, []).append(record)
            for partition, log in by_partition.items():
                log.sort(key=lambda r: r.offset)
                place = (name, partition)
                rows_end = log[-1].offset + 1 if stored is None else stored.get(place, 0)
                _partition(found, name, log, checkpoints.get(place, 0), rows_end)
        return found


def _partition(
    found: Expected, name: str, log: list[ConsumerRecord], certain: int, rows_end: int
) -> None:
    reference = Reference(stream(name), log[0].partition)
    must = Results()
    for record in log:
        if record.offset == certain:
            must.add(reference.results)
        _record(found, reference, name, record, record.offset < rows_end)
    if certain > log[-1].offset:
        must.add(reference.results)
    found.must.add(must)
    found.may.add(reference.results)


def _record(
    found: Expected, reference: Reference, name: str, record: ConsumerRecord, is_stored: bool
) -> None:
    readings, codes, received_at = _content(name, record, reference)
    if is_stored:
        place = (record.topic, record.partition, record.offset)
        found.letters |= {(*place, code) for code in codes}
        for sensor, at, values in readings:
            _row(found, (name, sensor, at), measured(name, values))
    if readings:
        reference.frame(readings, received_at)


def _content(
    name: str, record: ConsumerRecord, reference: Reference
) -> tuple[list[Reading], list[str], int]:
    """Return a frame's readings, the codes of what in it cannot be used, and when it was received
    (epoch µs); ticks and overrides are taken."""
    try:
        if event_type(record.headers) == TICK_TYPE:
            told = decode_tick(record.value)
            reference.hear(told) if isinstance(told, Word) else reference.tick(told)
            return [], [], 0
        if event_type(record.headers) == OVERRIDE_TYPE:
            reference.override(decode_override(record.value))
            return [], [], 0
        frame = decode(name, record.value, record.headers)
    except FrameError as error:
        return [], [error.code], 0
    codes = [row.code for row in bad_rows(frame.batch)]
    return readings_of(frame.batch, frame.flags), codes, micros(frame.received_at)


def _row(found: Expected, key: Key, values: dict[str, Any]) -> None:
    first = found.rows.setdefault(key, values)
    if first != values:
        found.conflicts.add((key, body(values)))


def measured(name: str, values: Values) -> Values:
    """Return the metrics of a reading, without what its device says of them: what is stored."""
    return {metric: values[metric] for metric in stream(name).metric_names}


def body(values: Values) -> str:
    """Return the values of a reading as one comparable text, missing ones left out."""
    return repr(sorted((k, v) for k, v in values.items() if v is not None))
