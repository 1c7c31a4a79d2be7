"""How readings lie in the database: the same rows into tables that differ in one thing each.

``python -m benchmarks layout`` prints COPY speed, database CPU and bytes per reading of every
variant, and the time of two panel queries; ``docs/decisions/`` draws on it.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection

from benchmarks.measure import cpu_seconds
from benchmarks.records import batches, declared
from benchmarks.stand import Place, Stand, open_place
from storage.batch import in_key_order
from storage.copy import copy_table

ROWS = 500_000
SENSORS = 2_000
COPY_BATCHES = 10
"""So many batches are one transaction: 50 000 readings, 25 of each sensor."""
ASKED = 20
TABLE = "layout"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to lay readings out; the others are what the platform does."""

    name: str
    key: str = "text"
    value: str = "double precision"
    chunk: str = "1 day"
    index: str = "UNIQUE INDEX ON layout (sensor, observed_at)"
    by_key: bool = True


VARIANTS = (
    Variant("as it is: text key, double, a chunk a day"),
    Variant("in the order they come", by_key=False),
    Variant("integer key", key="integer"),
    Variant("real values", value="real"),
    Variant("integer key and real values", key="integer", value="real"),
    Variant("a chunk an hour", chunk="1 hour"),
    Variant("a chunk a week", chunk="7 days"),
    Variant("key (observed_at, sensor)", index="UNIQUE INDEX ON layout (observed_at, sensor)"),
    Variant("no index at all", index=""),
)


def run(stand: Stand, share: float) -> list[dict[str, Any]]:
    """Fill and ask every variant; two days of readings a minute apart."""
    rows = round(ROWS * share)
    found = []
    for variant in VARIANTS:
        with open_place(stand) as place:
            found.append({"variant": variant.name, **_measure(stand, place, variant, rows)})
            print(json.dumps(found[-1]), flush=True)
    return found


def _measure(stand: Stand, place: Place, variant: Variant, rows: int) -> dict[str, Any]:
    ready = list(_tables(variant, rows))
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        _create(conn, variant)
        before, begun = cpu_seconds(stand.servers.database.pid), time.monotonic()
        for table in ready:
            with conn.transaction():
                copy_table(conn, TABLE, table)
        took = time.monotonic() - begun
        conn.execute("CHECKPOINT")
        cpu = cpu_seconds(stand.servers.database.pid) - before
        one = conn.execute(
            "SELECT sum(total_bytes), count(*) FROM hypertable_detailed_size('layout'),"
            " timescaledb_information.chunks WHERE hypertable_name = 'layout'"
        ).fetchone()
        size, chunks = one or (0, 1)
        return {
            "rows_per_s": round(rows / took),
            "cpu_s_per_million": round(cpu / rows * 1e6, 2),
            "bytes_per_reading": round(float(size) / max(chunks, 1) / rows, 1),
            "one_sensor_ms": _asked(conn, variant, rows, "sensor = {0}"),
            "all_sensors_last_10_min_ms": _asked(
                conn, variant, rows, "observed_at > {1} - interval '10 minutes'"
            ),
        }


def _create(conn: Connection, variant: Variant) -> None:
    metrics = ", ".join(f"{name} {variant.value}" for name in declared().metric_names)
    statements = [
        f"CREATE TABLE {TABLE} (sensor {variant.key} NOT NULL, observed_at timestamptz NOT NULL,"
        f" received_at timestamptz NOT NULL, {metrics})",
        f"CREATE {variant.index}" if variant.index else "",
        f"SELECT create_hypertable('{TABLE}', by_range('observed_at', INTERVAL '{variant.chunk}'),"
        " create_default_indexes => false)",
    ]
    for statement in filter(None, statements):
        conn.execute(statement.encode())


def _tables(variant: Variant, rows: int) -> Iterator[pa.Table]:
    """Yield the readings as the sink would COPY them, a minute apart."""
    parts = list(batches(rows, SENSORS))
    for begin in range(0, len(parts), COPY_BATCHES):
        some = parts[begin : begin + COPY_BATCHES]
        table = in_key_order(some) if variant.by_key else pa.Table.from_batches(some)
        at = table.column("observed_at").cast(pa.int64()).to_numpy()
        first = parts[0].column("observed_at").cast(pa.int64())[0].as_py()
        spread = pa.array(first + (at - first) * 60).cast(table.schema.field("observed_at").type)
        table = table.set_column(1, "observed_at", spread).append_column("received_at", spread)
        if variant.key == "integer":
            numbers = pc.utf8_slice_codeunits(table.column("sensor"), 6).cast(pa.int32())
            table = table.set_column(0, "sensor", numbers)
        if variant.value == "real":
            for name in declared().metric_names:
                place = table.schema.get_field_index(name)
                table = table.set_column(place, name, table.column(name).cast(pa.float32()))
        yield table


def _asked(conn: Connection, variant: Variant, rows: int, where: str) -> float:
    """Return the median milliseconds of a panel's query: a mean by quarter of an hour."""
    last = conn.execute(f"SELECT max(observed_at) FROM {TABLE}".encode()).fetchone()
    took = []
    for number in range(ASKED):
        sensor = number * 97 % SENSORS
        name = str(sensor) if variant.key == "integer" else f"'bench-{sensor:06d}'"
        asked = where.format(name, f"'{last[0] if last else ''}'::timestamptz")
        query = (
            f"SELECT time_bucket('15 minutes', observed_at) AS at, avg(pm25) FROM {TABLE}"
            f" WHERE {asked} GROUP BY at ORDER BY at"
        )
        begun = time.monotonic()
        conn.execute(query.encode()).fetchall()
        took.append((time.monotonic() - begun) * 1000)
    return round(float(np.median(took)), 2)
