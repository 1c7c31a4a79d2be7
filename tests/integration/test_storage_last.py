"""``sensor_last`` is the fold over the log, however the log is cut into batches."""

import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from catalog.frames import readings_schema
from catalog.registry import stream
from storage.batch import Batch, in_key_order
from storage.history.files import received
from storage.migrate import FOLDER, HISTORY, migrate
from storage.write import write
from tests.support.databases import Databases

START = datetime(2026, 11, 24, tzinfo=UTC)
STREAM = stream("water_supply")
Row = dict[str, Any]


def random_log(seed: int, count: int = 60) -> list[Row]:
    """Return readings of three sensors, out of order, each with some metrics; keys once."""
    rng, seen, log = random.Random(seed), set(), []
    while len(log) < count:
        key = (f"w-{rng.randrange(3)}", rng.randrange(80))
        if key not in seen:
            seen.add(key)
            row: Row = {"sensor": key[0], "observed_at": START + timedelta(seconds=key[1])}
            chosen = rng.sample(STREAM.metric_names, rng.randint(1, len(STREAM.metric_names)))
            log.append(row | {name: rng.randrange(1000) / 8 for name in chosen})
    return log


def folded(log: list[Row]) -> dict[str, tuple[datetime, dict[str, float]]]:
    """Return what is known of each sensor after the log, reading by reading."""
    last: dict[str, tuple[datetime, dict[str, float]]] = {}
    for row in log:
        metrics = {k: v for k, v in row.items() if k not in ("sensor", "observed_at")}
        before = last.get(row["sensor"])
        if before is None:
            last[row["sensor"]] = (row["observed_at"], metrics)
        elif row["observed_at"] > before[0]:
            last[row["sensor"]] = (row["observed_at"], before[1] | metrics)
    return last


def store(conn: psycopg.Connection, rows: list[Row]) -> None:
    schema = readings_schema(STREAM)
    columns = {name: [row.get(name) for row in rows] for name in schema.names}
    batch = received(pa.RecordBatch.from_pydict(columns, schema=schema), START)
    with conn.transaction():
        write(conn, Batch(readings={STREAM.name: in_key_order([batch])}))


@pytest.mark.parametrize("longest", [1, 7, 60])
def test_however_the_log_is_cut(dsn: str, longest: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for seed in range(6):
            conn.execute("TRUNCATE sensor_last")
            conn.execute("DELETE FROM readings_water_supply")
            log, rng, at = random_log(seed), random.Random(seed), 0
            while at < len(log):
                size = rng.randint(1, longest)
                store(conn, log[at : at + size])
                at += size
            rows = conn.execute(
                "SELECT sensor, observed_at, dash.last_values(stream, sensor) FROM sensor_last"
            ).fetchall()
            assert {sensor: (at, values) for sensor, at, values in rows} == folded(log), seed


def test_numbers_keep_every_digit_and_a_stale_copy_changes_nothing(dsn: str) -> None:
    values = {"pressure": 0.1 + 0.2, "flow": 1e-17, "chlorine": 123456789.123456789}
    names = STREAM.metric_names[:3]
    row: Row = {"sensor": "w-1", "observed_at": START} | dict(
        zip(names, values.values(), strict=True)
    )
    with psycopg.connect(dsn, autocommit=True) as conn:
        store(conn, [row])
        store(conn, [row | {names[0]: 7.0}])
        last = conn.execute(f"SELECT {', '.join(names)} FROM last_water_supply".encode()).fetchone()
    assert last == tuple(row[name] for name in names)


def test_values_kept_as_json_move_to_their_columns(databases: Databases) -> None:
    with databases.fresh(migrated=False) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            conn.execute(HISTORY)
            for file in sorted(FOLDER.glob("000[1-4]_*.sql")):
                checksum = hashlib.sha256(file.read_bytes()).hexdigest()
                conn.execute(file.read_bytes())
                conn.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
                    [file.name, checksum],
                )
            conn.execute(
                "INSERT INTO sensor_last VALUES"
                " ('noise', 'n-1', %(at)s, %(at)s, '{\"leq_db\": 51.5, \"gone\": 1}'),"
                " ('weather', 'w-1', %(at)s, %(at)s, '{\"temperature_c\": -3}')",
                {"at": START},
            )
        migrate(dsn)
        with psycopg.connect(dsn) as conn:
            found = conn.execute(
                "SELECT stream, sensor, observed_at, dash.last_values(stream, sensor)"
                " FROM sensor_last ORDER BY 1"
            ).fetchall()
    assert found == [
        ("noise", "n-1", START, {"leq_db": 51.5, "gone": 1}),
        ("weather", "w-1", START, {"temperature_c": -3}),
    ]
