"""Rollups of one day's minutes at once: the same values as ``storage.rollups`` sums in SQL."""

import numpy as np
import pyarrow as pa

from catalog.site import offset_us
from storage.history.rolling import US, Ints
from storage.rollups import DAY, HOUR

WIDTHS_US = {"15m": 15 * 60 * US, "1h": HOUR.seconds * US, "1d": DAY.days * 86_400 * US}
KEYS = 3
"""``sensor, window_start, revision`` come before the numbers of a window."""


def rollups(minutes: pa.Table) -> dict[str, pa.Table]:
    """Return the rollups by kind, each made of the one below it, as ``keep`` makes them.

    ``minutes`` are all of one local day, with the columns of ``aggregates_schema``, sorted by
    sensor and time.
    """
    made, finer = {}, minutes
    for kind, width_us in WIDTHS_US.items():
        finer = made[kind] = _coarser(finer, width_us)
    return made


def _coarser(rows: pa.Table, width_us: int) -> pa.Table:
    rows = rows.combine_chunks()
    sensors = _flat(rows, "sensor").dictionary_encode().indices.to_numpy()
    times = _flat(rows, "window_start").cast(pa.int64()).to_numpy()
    bucket = (times + offset_us()) // width_us * width_us - offset_us()
    begins = (sensors[1:] != sensors[:-1]) | (bucket[1:] != bucket[:-1])
    first = np.flatnonzero(np.append(True, begins))
    columns: list[pa.Array] = [
        _flat(rows, "sensor").take(pa.array(first)),
        pa.array(bucket[first]).cast(rows.schema.field("window_start").type),
        pa.array(np.ones(len(first), np.int32)),
    ]
    for field in list(rows.schema)[KEYS:]:
        x = _flat(rows, field.name).to_numpy(zero_copy_only=False)
        combined = _combined(field.name.rpartition("_")[2], x, first)
        columns.append(pa.array(combined, from_pandas=True).cast(field.type))
    return pa.Table.from_arrays(columns, schema=rows.schema)


def _combined(statistic: str, x: np.ndarray, first: Ints) -> np.ndarray:
    """Join the windows of each bucket, whose rows begin at ``first``; NaN is none."""
    match statistic:
        case "min":
            return np.fmin.reduceat(x, first)
        case "max":
            return np.fmax.reduceat(x, first)
        case "last":
            known = np.where(np.isnan(x), -1, np.arange(len(x)))
            last = np.maximum.reduceat(known, first)
            return np.where(last >= 0, x[last], np.nan)
        case "sum":
            return _summed(x, first)
        case _:  # n, good and used
            return np.add.reduceat(x, first)


def _summed(x: np.ndarray, first: Ints) -> np.ndarray:
    """Add one after the other, as SQL does: numpy's own sum adds in pairs, which differs in the
    last digit."""
    run = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(x))))
    known = ~np.isnan(x)
    total = np.bincount(run, np.where(known, x, 0.0))
    return np.where(np.logical_or.reduceat(known, first), total, np.nan)


def _flat(rows: pa.Table, name: str) -> pa.Array:
    column = rows.column(name).combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
