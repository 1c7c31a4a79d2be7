"""Each sensor's last reading, as one table of all streams.

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
from storage.copy import copy_table

STAGE = "stage_last"
_STAGE_COLUMNS: LiteralString = (
    "stream text, sensor text, observed_at timestamptz, received_at timestamptz,"
    " readings text, ord integer, alone boolean, whole boolean"
)
_UPDATE: LiteralString = (
    "UPDATE sensor_last t SET observed_at = s.observed_at, received_at = s.received_at, readings ="
    " CASE WHEN s.whole THEN s.readings::jsonb ELSE t.readings || s.readings::jsonb END"
    " FROM {stage} s WHERE s.alone AND t.stream = s.stream AND t.sensor = s.sensor"
    " AND t.observed_at < s.observed_at"
)
_INSERT: LiteralString = (
    "INSERT INTO sensor_last AS t (stream, sensor, observed_at, received_at, readings) {rows}"
    " ON CONFLICT (stream, sensor) DO UPDATE SET observed_at = excluded.observed_at,"
    " received_at = excluded.received_at, readings = t.readings || excluded.readings"
    " WHERE t.observed_at < excluded.observed_at"
)
_ALONE: LiteralString = (
    "SELECT stream, sensor, observed_at, received_at, readings::jsonb FROM {stage} WHERE alone"
)
_MERGED: LiteralString = (
    "SELECT s.stream, s.sensor, max(s.observed_at), max(s.received_at),"
    " jsonb_object_agg(item.key, item.value ORDER BY s.ord)"
    " FROM {stage} s LEFT JOIN sensor_last l USING (stream, sensor)"
    " CROSS JOIN LATERAL jsonb_each(s.readings::jsonb) item"
    " WHERE NOT s.alone AND s.observed_at > coalesce(l.observed_at, '-infinity')"
    " GROUP BY 1, 2"
)


def write_last(conn: Connection, found: list[pa.Table]) -> None:
    """Lay the readings that ``last_readings`` has picked over what is known."""
    rows, stage = pa.concat_tables(found), sql.Identifier(STAGE)
    # empty but for a second call in one transaction
    conn.execute(
        sql.SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {0} ({1}) ON COMMIT DELETE ROWS; DELETE FROM {0}"
        ).format(stage, sql.SQL(_STAGE_COLUMNS))
    )
    copy_table(conn, STAGE, rows)
    alone = pc.sum(rows.column("alone")).as_py()
    # an update of what is there costs half of an insert that finds a conflict
    if conn.execute(sql.SQL(_UPDATE).format(stage=stage)).rowcount < alone:
        _insert(conn, _ALONE)
    if alone < rows.num_rows:
        _insert(conn, _MERGED)


def _insert(conn: Connection, rows: LiteralString) -> None:
    chosen = sql.SQL(rows).format(stage=sql.Identifier(STAGE))
    conn.execute(sql.SQL(_INSERT).format(rows=chosen))


def last_readings(stream: Stream, rows: pa.Table) -> pa.Table:
    """Return the readings, in log order, that any fold over these rows can end with.

    One of each sensor when that carries every metric, else also the last of each metric.
    """
    rows = rows.combine_chunks()
    codes = rows.column("sensor").combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    times = rows.column("observed_at").combine_chunks().cast(pa.int64()).to_numpy()[order]
    first = np.flatnonzero(np.append(True, np.diff(codes[order]) != 0))
    chain = _newer_than_all_before(times, codes[order])
    at = np.where(chain, np.arange(len(order)), -1)
    newest = np.maximum.reduceat(at, first)
    picked, alone, whole = [newest], np.ones(len(first), bool), np.ones(len(first), bool)
    for name in stream.metric_names:
        valid = rows.column(name).combine_chunks().is_valid().to_numpy(zero_copy_only=False)
        last = np.maximum.reduceat(np.where(valid[order], at, -1), first)
        whole &= last == newest
        alone &= (last == newest) | (last < 0)
        picked.append(last)
    chosen = np.unique(np.concatenate(picked))
    chosen = chosen[chosen >= 0]
    sensor = np.searchsorted(first, chosen, side="right") - 1
    return _staged(stream, rows.take(pa.array(order[chosen])), alone[sensor], whole[sensor])


def _newer_than_all_before(times: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Tell which rows, sorted by sensor, are newer than all rows of their sensor before them."""
    _, rank = np.unique(times, return_inverse=True)
    # one rising scale for all sensors, so that one pass keeps the maximum of each
    scale = codes.astype(np.int64) * (len(times) + 1) + rank
    before = np.append(-1, np.maximum.accumulate(scale)[:-1])
    return scale > before


def _staged(stream: Stream, rows: pa.Table, alone: np.ndarray, whole: np.ndarray) -> pa.Table:
    number = rows.num_rows
    return pa.table(
        {
            "stream": pa.repeat(stream.name, number),
            "sensor": rows.column("sensor"),
            "observed_at": rows.column("observed_at"),
            "received_at": rows.column("received_at"),
            "readings": _as_json(rows, stream.metric_names),
            "ord": pa.array(np.arange(number, dtype=np.int32)),
            "alone": pa.array(alone),
            "whole": pa.array(whole),
        }
    )


def _as_json(rows: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    """Return each row's metrics as a JSON object; a metric without a value is left out."""
    items = [
        pc.fill_null(pc.binary_join_element_wise(f'"{name}":', text, ",", ""), "")
        for name in names
        for text in [rows.column(name).cast(pa.string())]
    ]
    joined = pc.binary_join_element_wise(*items, "")
    return pc.binary_join_element_wise("{", pc.utf8_rtrim(joined, characters=","), "}", "")
