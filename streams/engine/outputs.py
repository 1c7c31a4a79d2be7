"""What one record of the log gives: window rows, flags and transitions."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from catalog.contracts import FLAGS_SCHEMA, Transition, aggregates_schema
from catalog.model import Stream

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(micros: int) -> datetime:
    """Return aware UTC of epoch microseconds."""
    return EPOCH + timedelta(microseconds=micros)


@dataclass(slots=True)
class Outputs:
    """Outputs in the order they arose; made into Arrow batches when they are sent."""

    stream: Stream
    names: list[str]
    windows: list[dict[str, np.ndarray]] = field(default_factory=list)
    flags: list[tuple[str, str, int, str, str, int, float]] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    late: int = 0

    def flag(self, slot: int, at: int, metric: str, test: str, flag: int, value: float) -> None:
        """Add one quality flag of the reading of a sensor at ``at`` (epoch µs)."""
        row = (self.stream.name, self.names[slot], at, metric, test, flag, value)
        self.flags.append(row)

    def aggregates_batch(self) -> pa.RecordBatch | None:
        """Return the window rows as one batch; None when there are none."""
        if not self.windows:
            return None
        joined = {k: np.concatenate([w[k] for w in self.windows]) for k in self.windows[0]}
        schema = aggregates_schema(self.stream)
        sensors = [self.names[slot] for slot in joined["slot"]]
        columns = [pa.array(sensors), *(pa.array(joined[name]) for name in schema.names[1:])]
        arrays = [_clean(c).cast(f.type) for c, f in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def flags_batch(self) -> pa.RecordBatch | None:
        """Return the flags as one batch; None when there are none."""
        if not self.flags:
            return None
        columns = zip(*self.flags, strict=True)
        arrays = [
            _clean(pa.array(list(c))).cast(f.type)
            for c, f in zip(columns, FLAGS_SCHEMA, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=FLAGS_SCHEMA)


def _clean(column: pa.Array) -> pa.Array:
    """Return the column with NaN as null."""
    if pa.types.is_floating(column.type):
        return pa.array(column.to_numpy(zero_copy_only=False), from_pandas=True)
    return column
