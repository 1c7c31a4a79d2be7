"""Logs of one partition, and what the engine and the reference make of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.frames import readings_schema
from catalog.model import Stream
from catalog.overrides import Override
from catalog.ticks import Tick, Word
from engine.outputs import Outputs
from engine.partition import PartitionEngine
from verify.oracle.outputs import Row, flags_of, plain, readings_of, windows_of
from verify.oracle.reference import Flag, Reading, Reference, Results, WindowKey

US = 1_000_000
START = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
NOW = datetime(2026, 11, 24, tzinfo=UTC)


Frame = tuple[Reading, ...]
"""Readings whose times are all believed."""


@dataclass(frozen=True)
class Received:
    """A frame that was received at ``at`` (epoch µs)."""

    readings: Frame
    at: int


Record = Frame | Received | Tick | Word | Override
Log = Sequence[Record]


@dataclass
class Seen:
    """Everything an engine put out, and its counters."""

    windows: dict[WindowKey, Row]
    flags: set[Flag]
    transitions: dict[str, Row]
    words: list[Word] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    late: int = 0


def frame_batch(stream: Stream, frame: Frame) -> pa.RecordBatch:
    """Return the readings of a frame as they travel."""
    schema = readings_schema(stream)
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for sensor, at, values in frame:
        columns["sensor"].append(sensor)
        columns["observed_at"].append(at)
        for name in stream.metric_names:
            columns[name].append(values.get(name))
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def frame_flags(stream: Stream, frame: Frame) -> NDArray[np.int8] | None:
    """Return what devices say of the values of a frame; None when they say nothing."""
    said = [[values.get(f"{m}_flag") or 0 for m in stream.metric_names] for _, _, values in frame]
    flags = np.array(said, np.int8)
    return flags if flags.any() else None


def run_engine(engine: PartitionEngine, log: Log) -> Seen:
    """Feed records to an engine and keep what it puts out."""
    seen = Seen({}, set(), {})
    for record in log:
        keep(seen, engine.state.stream, feed(engine, record))
    return seen


def feed(engine: PartitionEngine, record: Record) -> Outputs:
    """Feed one record to an engine."""
    if isinstance(record, Tick):
        return engine.tick(record, NOW)
    if isinstance(record, Word | Override):
        engine.hear(record) if isinstance(record, Word) else engine.override(record)
        return Outputs(engine.state.stream, engine.state.names)
    frame, received_at = unpacked(record)
    stream = engine.state.stream
    batch, flags = frame_batch(stream, frame), frame_flags(stream, frame)
    return engine.process(batch, NOW, received_at, flags)


def unpacked(record: Frame | Received) -> tuple[Frame, int | None]:
    """Return the readings of a frame, and when it was received if that is told."""
    return (record.readings, record.at) if isinstance(record, Received) else (record, None)


def keep(seen: Seen, stream: Stream, out: Outputs) -> None:
    """Add one record's outputs; a window revision is put out once."""
    if (batch := out.aggregates_batch()) is not None:
        for key, row in windows_of(stream.name, batch):
            assert key not in seen.windows, f"revision put out twice: {key}"
            seen.windows[key] = row
    if (batch := out.flags_batch()) is not None:
        seen.flags |= set(flags_of(batch))
    for transition in out.transitions:
        assert transition.id not in seen.transitions, f"transition put out twice: {transition}"
        seen.transitions[transition.id] = plain(transition)
    seen.words += out.words
    seen.accepted += out.accepted
    seen.duplicates += out.duplicates
    seen.late += out.late


def run_reference(stream: Stream, log: Log, shard: int = 0) -> Results:
    """Return what the plain reference makes of a log."""
    reference = Reference(stream, shard)
    for record in log:
        if isinstance(record, Tick):
            reference.tick(record)
        elif isinstance(record, Word):
            reference.hear(record)
        elif isinstance(record, Override):
            reference.override(record)
        else:
            frame, received_at = unpacked(record)
            batch, flags = frame_batch(stream, frame), frame_flags(stream, frame)
            reference.frame(readings_of(batch, flags), received_at)
    return reference.results
