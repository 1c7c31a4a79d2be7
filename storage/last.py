"""Each sensor's last reading, in a table per stream under the parent ``sensor_last``.

It is the fold over the log of the readings that were newer than all before them: each takes the
time over and lays its metrics over those known. So it does not depend on how the log is cut into
batches, and a reading that carries some of its stream's metrics keeps the others.
"""

from typing import LiteralString

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection, sql

from catalog.model import Stream
from storage.copy import stage
from storage.tables import last_table

_TIMES = ("observed_at", "received_at")
_UPDATE: LiteralString = (
    "UPDATE {table} t SET {over_stage} FROM {stage} s"
    " WHERE s.alone AND t.sensor = s.sensor AND t.observed_at < s.observed_at"
)
_BY_INDEX: LiteralString = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
"""Until the end of the transaction. The planner thinks a stage seven times as long as it is, and
would read the whole table for a few thousand sensors of a hundred thousand."""
_INSERT: LiteralString = "INSERT INTO {table} AS t (sensor, {times}, {metrics}) "
_ALONE: LiteralString = "SELECT sensor, {times}, {metrics} FROM {stage} WHERE alone"
_MERGED: LiteralString = (
    "SELECT s.sensor, max(s.observed_at), max(s.received_at), {newest} FROM {stage} s"
    " LEFT JOIN {table} l ON l.sensor = s.sensor"
    " WHERE NOT s.alone AND s.observed_at > coalesce(l.observed_at, '-infinity') GROUP BY 1"
)
_CONFLICT: LiteralString = (
    " ON CONFLICT (sensor) DO UPDATE SET {over_excluded} WHERE t.observed_at < excluded.observed_at"
)


def write_last(conn: Connection, stream: Stream, found: pa.Table) -> None:
    """Lay the readings that ``last_readings`` has picked over what is known."""
    lines = _statements(stream)
    lines["stage"] = stage(conn, last_table(stream.name), found, ord="integer", alone="boolean")
    alone = pc.sum(found.column("alone")).as_py()
    conn.execute(_BY_INDEX)
    # an update of what is there costs half of an insert that finds a conflict
    if conn.execute(sql.SQL(_UPDATE).format(**lines)).rowcount < alone:
        conn.execute(sql.SQL(_INSERT + _ALONE + _CONFLICT).format(**lines))
    if alone < found.num_rows:
        conn.execute(sql.SQL(_INSERT + _MERGED + _CONFLICT).format(**lines))


def _statements(stream: Stream) -> dict[str, sql.Composable]:
    metrics = [sql.Identifier(name) for name in stream.metric_names]

    def listed(line: LiteralString, names: list[sql.Identifier]) -> list[sql.Composable]:
        return [sql.SQL(line).format(name) for name in names]

    def over(source: LiteralString) -> sql.Composable:
        times = [sql.Identifier(name) for name in _TIMES]
        sets = listed("{0} = " + source + ".{0}", times)
        sets += listed("{0} = coalesce(" + source + ".{0}, t.{0})", metrics)
        return sql.SQL(", ").join(sets)

    newest = "(array_agg(s.{0} ORDER BY s.ord DESC) FILTER (WHERE s.{0} IS NOT NULL))[1]"
    return {
        "table": sql.Identifier(last_table(stream.name)),
        "times": sql.SQL(", ").join(map(sql.Identifier, _TIMES)),
        "metrics": sql.SQL(", ").join(metrics),
        "newest": sql.SQL(", ").join(listed(newest, metrics)),
        "over_stage": over("s"),
        "over_excluded": over("excluded"),
    }


def last_readings(stream: Stream, rows: pa.Table) -> pa.Table:
    """Return the readings that any fold over these rows can end with; both in key order.

    One of each sensor when that carries every metric, else also the last of each metric.
    """
    rows = rows.combine_chunks()
    codes = rows.column("sensor").combine_chunks().dictionary_encode().indices.to_numpy()
    times = rows.column("observed_at").combine_chunks().cast(pa.int64()).to_numpy()
    first = np.flatnonzero(np.append(True, np.diff(codes) != 0))
    at = np.where(_newer_than_all_before(times, codes), np.arange(len(times)), -1)
    newest = np.maximum.reduceat(at, first)
    picked, alone = [newest], np.ones(len(first), bool)
    for name in stream.metric_names:
        if not rows.column(name).null_count:
            continue
        valid = rows.column(name).combine_chunks().is_valid().to_numpy(zero_copy_only=False)
        last = np.maximum.reduceat(np.where(valid, at, -1), first)
        alone &= (last == newest) | (last < 0)
        picked.append(last)
    chosen = np.unique(np.concatenate(picked))
    chosen = chosen[chosen >= 0]
    sensor = np.searchsorted(first, chosen, side="right") - 1
    kept = rows.select(["sensor", *_TIMES, *stream.metric_names]).take(pa.array(chosen))
    number = pa.array(np.arange(len(chosen), dtype=np.int32))
    return kept.append_column("ord", number).append_column("alone", pa.array(alone[sensor]))


def _newer_than_all_before(times: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Tell which rows, sorted by sensor, are newer than all rows of their sensor before them."""
    step, same = np.diff(times), codes[1:] == codes[:-1]
    if not (same & (step < 0)).any():
        return np.append(True, ~same | (step > 0))
    _, rank = np.unique(times, return_inverse=True)
    # one rising scale for all sensors, so that one pass keeps the maximum of each
    scale = codes.astype(np.int64) * (len(times) + 1) + rank
    before = np.append(-1, np.maximum.accumulate(scale)[:-1])
    return scale > before
