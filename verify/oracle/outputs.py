"""What the platform put out, in the reference's own words: from Arrow batches to plain sets."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from catalog.contracts import Transition
from catalog.frames import bad_rows
from verify.oracle.reference import Flag, Reading, WindowKey
from verify.oracle.rules import micros

Row = dict[str, Any]


def readings_of(batch: pa.RecordBatch, flags: Any = None) -> list[Reading]:
    """Return the readings of a frame that keep the contract, in order.

    ``flags`` is what devices say of their own values, a row for each reading, 0 for nothing.
    """
    skip = {row.index for row in bad_rows(batch)}
    times = batch.column("observed_at").cast(pa.int64()).to_pylist()
    rows = batch.drop_columns(["observed_at"]).to_pylist()
    for row, said in zip(rows, [] if flags is None else flags.tolist(), strict=False):
        metrics = [name for name in row if name != "sensor"]
        row |= {f"{m}_flag": flag for m, flag in zip(metrics, said, strict=True) if flag}
    return [
        (row.pop("sensor"), at, row)
        for number, (row, at) in enumerate(zip(rows, times, strict=True))
        if number not in skip
    ]


def windows_of(stream: str, batch: pa.RecordBatch) -> Iterable[tuple[WindowKey, Row]]:
    """Return the window rows of an aggregates batch by their key."""
    starts = batch.column("window_start").cast(pa.int64()).to_pylist()
    rows = batch.drop_columns(["window_start"]).to_pylist()
    for row, start in zip(rows, starts, strict=True):
        yield (stream, row.pop("sensor"), start, row.pop("revision")), row


def flags_of(batch: pa.RecordBatch) -> Iterable[Flag]:
    """Return the flags of a flags batch."""
    names = ("stream", "sensor", "metric", "test", "flag", "value")
    columns = {name: batch.column(name).to_pylist() for name in names}
    columns["at"] = batch.column("observed_at").cast(pa.int64()).to_pylist()
    order = ("stream", "sensor", "at", "metric", "test", "flag", "value")
    yield from zip(*(columns[name] for name in order), strict=True)


def plain(transition: Transition) -> Row:
    """Return a transition as the judge compares it: all but the worker's clock."""
    names = (n for n in transition.__struct_fields__ if n != "produced_at")
    row = {name: getattr(transition, name) for name in names}
    row["observed_at"] = micros(transition.observed_at)
    return row
