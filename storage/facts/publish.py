"""Minutes of facts onto the topics of their stream, from the outbox, at least once.

The first telling of a minute is a reading: rules, quality and forecasts see it as any other. Each
telling is a window with its revision, so tables and rollups follow corrections however late; the
worker puts out no windows of these streams.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from kafka import KafkaProducer
from psycopg import Connection

from catalog.contracts import AGGREGATES_TYPE, COUNTED, STATISTICS, aggregates_schema
from catalog.errors import TransientError
from catalog.frames import encode, frame_headers, readings_schema
from catalog.model import Stream
from catalog.registry import facts, stream
from catalog.topics import aggregates_topic, readings_topic, shard_key, shard_of
from service.postgres import now_of

SEND = 2_000
ACK_S = 20.0


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute as it was told: thing, beginning, revision, tallies by name."""

    thing: str
    minute: datetime
    revision: int
    tallies: dict[str, int | None]


def publish(conn: Connection, producer: KafkaProducer, prefix: str) -> int:
    """Send what lies in the outbox, oldest first, and take out what Kafka has acknowledged.

    Returns how many minutes were sent; KafkaError when one was not acknowledged: they all stay.
    """
    rows = conn.execute(
        "SELECT id, kind, thing, minute, revision, tallies FROM fact_outbox ORDER BY id LIMIT %s",
        [SEND],
    ).fetchall()
    if not rows:
        return 0
    now, sent = now_of(conn), []
    for (kind, shard), minutes in _sorted(rows).items():
        declared = stream(facts()[kind].stream)
        for topic, value, headers in messages(declared, prefix, minutes, now):
            sent.append(_send(producer, topic, shard, value, headers))
    for future in sent:
        future.get(timeout=ACK_S)
    conn.execute("DELETE FROM fact_outbox WHERE id = ANY(%s)", [[row[0] for row in rows]])
    return len(rows)


def _send(producer: KafkaProducer, topic: str, shard: int, value: bytes, headers: Any) -> Any:
    try:
        return producer.send(
            topic, value=value, key=shard_key(shard), partition=shard, headers=headers
        )
    except ValueError as error:  # a partition that a broker just started does not tell of yet
        raise TransientError(str(error), code="kafka", stage="storing") from error


def _sorted(rows: list[Any]) -> dict[tuple[str, int], list[Minute]]:
    """Return minutes by kind and shard; those of kinds that are declared no more are dropped."""
    found: dict[tuple[str, int], list[Minute]] = defaultdict(list)
    for _, kind, *minute in rows:
        if kind in facts():
            found[kind, shard_of(minute[0])].append(Minute(*minute))
    return found


def messages(
    declared: Stream, prefix: str, minutes: list[Minute], now: datetime
) -> Iterator[tuple[str, bytes, Any]]:
    """Yield (topic, value, headers) of these minutes of one shard."""
    first = [minute for minute in minutes if minute.revision == 1]
    if first:
        topic = readings_topic(prefix, declared.name)
        yield topic, encode(readings(declared, first)), frame_headers(declared, "facts", now)
    headers = [("ce_specversion", b"1.0"), ("ce_type", AGGREGATES_TYPE.encode())]
    yield aggregates_topic(prefix, declared.name), encode(windows(declared, minutes)), headers


def readings(declared: Stream, minutes: list[Minute]) -> pa.RecordBatch:
    """Return minutes as readings, each at the beginning of its minute."""
    columns: list[Any] = [[m.thing for m in minutes], [m.minute for m in minutes]]
    columns += [[m.tallies.get(name) for m in minutes] for name in declared.metric_names]
    schema = readings_schema(declared)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def windows(declared: Stream, minutes: list[Minute]) -> pa.RecordBatch:
    """Return minutes as windows of one reading each, derived quantities computed."""
    schema = aggregates_schema(declared)
    values = _quantities(declared, minutes)
    columns: list[Any] = [
        [m.thing for m in minutes],
        [m.minute for m in minutes],
        [m.revision for m in minutes],
        [1] * len(minutes),
    ]
    for name in declared.aggregate_names:
        there = np.isfinite(values[name])
        for statistic in STATISTICS:
            columns.append(there.astype(np.int32) if statistic in COUNTED else values[name])
    arrays = [pa.array(c, f.type, from_pandas=True) for c, f in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _quantities(declared: Stream, minutes: list[Minute]) -> dict[str, np.ndarray]:
    none = float("nan")
    values = {
        name: np.array([none if (v := m.tallies.get(name)) is None else v for m in minutes], float)
        for name in declared.metric_names
    }
    at = np.array([int(m.minute.timestamp()) * 1_000_000 for m in minutes], np.int64)
    for item in declared.derived:
        with np.errstate(all="ignore"):
            made = np.asarray(item.by({n: values[n] for n in item.of}, at), float)
        values[item.name] = np.where(np.isfinite(made), made, none)
    return values
