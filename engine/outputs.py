"""What one record of the log gives: window rows, flags, transitions, words to other shards."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from catalog.contracts import FLAGS_SCHEMA, STATISTICS, Transition, aggregates_schema
from catalog.model import Stream
from catalog.ticks import Word

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(micros: int) -> datetime:
    """Return aware UTC of epoch microseconds."""
    return EPOCH + timedelta(microseconds=micros)


def micros(at: datetime) -> int:
    """Return epoch microseconds of an aware time."""
    return (at - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class WindowRows:
    """Window rows ``[k]`` of one moment; each of ``STATISTICS`` is ``[k, A]`` in column order."""

    slots: np.ndarray
    starts: np.ndarray
    revisions: np.ndarray
    rows: np.ndarray
    statistics: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Failure:
    """Rule code that raised an error on one reading."""

    what: str
    sensor: str
    at: int
    error: str


@dataclass(slots=True)
class Outputs:
    """Outputs in the order they arose; made into Arrow batches when they are sent."""

    stream: Stream
    names: list[str]
    windows: list[WindowRows] = field(default_factory=list)
    flags: list[tuple[str, str, int, str, str, int, float]] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    late: int = 0

    def flag(self, slot: int, at: int, metric: str, test: str, flag: int, value: float) -> None:
        """Add one quality flag of the reading of a sensor at ``at`` (epoch µs)."""
        row = (self.stream.name, self.names[slot], at, metric, test, flag, value)
        self.flags.append(row)

    def fail(self, what: str, slot: int, at: int, error: Exception) -> None:
        """Add a failure of rule code ``what`` on the reading of a sensor at ``at`` (epoch µs)."""
        self.failures.append(Failure(what, self.names[slot], at, repr(error)))

    def aggregates_batch(self) -> pa.RecordBatch | None:
        """Return the window rows as one batch; None when there are none."""
        if not self.windows:
            return None
        parts, schema = self.windows, aggregates_schema(self.stream)
        slots = np.concatenate([w.slots for w in parts])
        starts = np.concatenate([w.starts for w in parts])
        columns = [
            pa.array([self.names[slot] for slot in slots.tolist()], schema.types[0]),
            pa.array(starts).view(schema.types[1]),
            pa.array(np.concatenate([w.revisions for w in parts])),
            pa.array(np.concatenate([w.rows for w in parts])),
        ]
        # column after column in memory, which is how Arrow wants them
        tables = {
            name: np.concatenate([w.statistics[name] for w in parts]).T.copy()
            for name in STATISTICS
        }
        for place in range(len(self.stream.aggregate_names)):
            columns += [pa.array(tables[name][place], from_pandas=True) for name in STATISTICS]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def flags_batch(self) -> pa.RecordBatch | None:
        """Return the flags as one batch; None when there are none."""
        if not self.flags:
            return None
        columns = zip(*self.flags, strict=True)
        arrays = [
            # NaN is null
            pa.array(list(column), field.type, from_pandas=True)
            for column, field in zip(columns, FLAGS_SCHEMA, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=FLAGS_SCHEMA)
