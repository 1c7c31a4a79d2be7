"""Files of history: Arrow IPC streams that name their stream and keep the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from catalog.contracts import DeadLetter
from catalog.errors import FatalError
from catalog.frames import TIMESTAMP, bad_rows, readings_schema
from catalog.model import Stream
from catalog.registry import streams
from storage.batch import reading_letter
from storage.history.minutes import WINDOW_US
from storage.rollups import local_day

SUFFIX = ".arrows"
STREAM_KEY, READINGS_KEY = b"stream", b"readings"
Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


@dataclass(frozen=True, slots=True)
class Span:
    """Readings of whole minutes of one local day, sorted by sensor and time, and what is bad."""

    day: datetime
    readings: pa.RecordBatch
    letters: list[DeadLetter]
    at_byte: int


def find_files(given: list[Path]) -> list[Path]:
    """Return the files, a folder standing for its ``.arrows`` files; largest first."""
    found: list[Path] = []
    for path in given:
        inside = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not inside:
            raise _wrong(path, f"the folder holds no {SUFFIX} file; see simulators backfill")
        found += inside
    return sorted(set(found), key=lambda path: -path.stat().st_size if path.exists() else 0)


def stream_of(path: Path) -> Stream:
    """Return the stream that a file says it holds, its columns checked.

    ``FatalError`` code ``history_file`` says what is wrong with the file.
    """
    try:
        with path.open("rb") as file:
            schema = pa.ipc.open_stream(file).schema
    except (OSError, pa.ArrowException) as error:
        raise _wrong(path, f"no Arrow IPC stream file: {error}") from None
    name = (schema.metadata or {}).get(STREAM_KEY, b"").decode(errors="replace")
    if not name:
        raise _wrong(path, 'its schema metadata names no stream ({"stream": name})')
    if name not in streams():
        raise _wrong(path, f"stream {name!r} is not declared; known: {', '.join(streams())}")
    wanted = readings_schema(streams()[name])
    for column in schema:
        if column.name not in wanted.names:
            raise _wrong(path, f"{name} has no metric {column.name!r}")
        if column.type != wanted.field(column.name).type:
            kind = wanted.field(column.name).type
            raise _wrong(path, f"column {column.name!r} is {column.type}, not {kind}")
    if missing := {"sensor", "observed_at"} - set(schema.names):
        raise _wrong(path, f"no column {sorted(missing)[0]!r}")
    return streams()[name]


def readings_of(path: Path) -> int:
    """Return how many readings a file says it holds; 0 when it does not say."""
    with path.open("rb") as file:
        told = (pa.ipc.open_stream(file).schema.metadata or {}).get(READINGS_KEY, b"")
    return int(told) if told.isdigit() else 0


@dataclass(slots=True)
class HistoryFile:
    """One file, read from its begin to its end as spans; each holds what one batch completes."""

    path: Path
    stream: Stream
    _held: pa.RecordBatch = field(init=False)
    _letters: list[DeadLetter] = field(default_factory=list)
    _released_us: int = -(2**62)
    _row: int = 0

    def __post_init__(self) -> None:
        schema = readings_schema(self.stream)
        self._held = pa.RecordBatch.from_pydict({n: [] for n in schema.names}, schema=schema)

    def spans(self) -> Iterator[Span]:
        """Yield the spans; ``FatalError`` when the file breaks off or leaves the order of time."""
        try:
            with self.path.open("rb") as file, pa.ipc.open_stream(file) as reader:
                for batch in reader:
                    self._take(batch)
                    yield from self._release(file.tell(), whole=False)
                yield from self._release(file.tell(), whole=True)
        except pa.ArrowException as error:
            raise _wrong(self.path, f"breaks off after reading {self._row:,}: {error}") from None

    def _take(self, batch: pa.RecordBatch) -> None:
        rows = _shaped(batch, self.stream)
        if bad := bad_rows(rows):
            for row in bad:
                identity = f"load/{self.path.name}/{self._row + row.index}"
                reading = rows.slice(row.index, 1)
                given = (self.stream.name, reading, row.code, row.reason, identity)
                self._letters.append(reading_letter(*given))
            keep = np.ones(rows.num_rows, bool)
            keep[[row.index for row in bad]] = False
            rows = rows.filter(pa.array(keep))
        times = _times(rows)
        if len(times) and times.min() < self._released_us:
            raise _wrong(
                self.path,
                f"the order of time is broken between readings {self._row + 1:,} and"
                f" {self._row + batch.num_rows:,}: sort the file by observed_at",
            )
        self._row += batch.num_rows
        self._held = _joined(self._held, rows)

    def _release(self, at_byte: int, *, whole: bool) -> Iterator[Span]:
        """Yield what is complete: everything before the newest minute, or all at the end."""
        times = _times(self._held)
        end = 2**62 if whole or not len(times) else int(times.max()) // WINDOW_US * WINDOW_US
        ready, self._held = _split(self._held, times < end)
        self._released_us = max(self._released_us, end) if len(times) else self._released_us
        letters, self._letters = self._letters, []
        if not ready.num_rows and letters:
            yield Span(local_day(letters[0].at), ready, letters, at_byte)
        while ready.num_rows:
            day = local_day(ready.column("observed_at")[_times(ready).argmin()].as_py())
            ends = int(local_day(day + timedelta(hours=36)).timestamp()) * 1_000_000
            inside, ready = _split(ready, _times(ready) < ends)
            yield Span(day, _sorted(inside), letters, at_byte)
            letters = []


def _shaped(batch: pa.RecordBatch, stream: Stream) -> pa.RecordBatch:
    """Return the batch in the stream's own schema; a metric that is not there is null."""
    schema, given = readings_schema(stream), set(batch.schema.names)
    columns = [
        batch.column(f.name) if f.name in given else pa.nulls(batch.num_rows, f.type)
        for f in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _sorted(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Sort by sensor and time: the order of the tables' keys, so neighbours go in together."""
    codes = rows.column("sensor").dictionary_encode().indices.to_numpy()
    return rows.take(pa.array(np.lexsort((_times(rows), codes))))


def _split(rows: pa.RecordBatch, mask: np.ndarray) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    if mask.all():
        return rows, rows.slice(0, 0)
    return rows.filter(pa.array(mask)), rows.filter(pa.array(~mask))


def _joined(first: pa.RecordBatch, second: pa.RecordBatch) -> pa.RecordBatch:
    if not first.num_rows:
        return second
    return pa.concat_batches([first, second])


def _times(rows: pa.RecordBatch) -> np.ndarray:
    return rows.column("observed_at").cast(pa.int64()).to_numpy()


def by_sensor(rows: pa.Table) -> pa.Table:
    """Put the sensors in the order of their names; each one's rows stay in the order they have."""
    names = rows.column("sensor").combine_chunks().dictionary_encode()
    rank = np.argsort(np.argsort(names.dictionary.to_numpy(zero_copy_only=False)))
    order = np.argsort(rank.astype(np.int32)[names.indices.to_numpy()], kind="stable")
    return rows.take(pa.array(order))


def received(rows: Rows, at: datetime) -> Rows:
    """Return the readings with the time at which the platform took them."""
    column = pa.repeat(pa.scalar(at, TIMESTAMP), rows.num_rows)
    return rows.append_column(pa.field("received_at", TIMESTAMP, nullable=False), column)


def _wrong(path: Path, reason: str) -> FatalError:
    return FatalError(f"{path.name}: {reason}", code="history_file", stage="storing")
