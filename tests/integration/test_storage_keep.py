"""Rollups and retention on a real TimescaleDB: exact, corrected when late, never over a gap."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import Connection

from catalog.contracts import aggregates_schema
from catalog.registry import stream
from storage.batch import Batch
from storage.keep import keep_once, roll_up
from storage.migrate import migrate
from storage.retention import KeepSettings, drop_old
from storage.rollups import refresh
from storage.write import write
from tests.support.servers import Spawner, outer_environment, wait_until

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # of the local day, UTC+8
SETTINGS = KeepSettings()

Minute = tuple[str, datetime, float]
COLUMNS = "leq_db_n, leq_db_good, leq_db_sum, leq_db_min, leq_db_max, leq_db_last"


def minutes_batch(minutes: Iterable[Minute], revision: int) -> pa.RecordBatch:
    """Return noise minutes with two good readings each: the value and the value plus one."""
    schema = aggregates_schema(stream("noise"))
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for sensor, at, value in minutes:
        row = {
            **{"sensor": sensor, "window_start": at, "revision": revision, "n": 3},
            **{"leq_db_n": 3, "leq_db_good": 2, "leq_db_sum": 2 * value + 1},
            **{"leq_db_min": value, "leq_db_max": value + 1, "leq_db_last": value + 0.5},
        }
        for name, cells in columns.items():
            cells.append(row.get(name))
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def store(conn: Connection, minutes: Iterable[Minute], revision: int = 1) -> None:
    """Store minutes as the sink does: one transaction."""
    with conn.transaction():
        write(conn, Batch(aggregates={"noise": [minutes_batch(minutes, revision)]}))


def rows(conn: Connection, kind: str) -> list[tuple[Any, ...]]:
    return conn.execute(
        f"SELECT sensor, window_start, n, {COLUMNS} FROM rollup_{kind}_noise ORDER BY 1, 2".encode()
    ).fetchall()


def revisions(conn: Connection, kind: str) -> list[int]:
    found = conn.execute(f"SELECT revision FROM rollup_{kind}_noise ORDER BY window_start".encode())
    return [revision for (revision,) in found.fetchall()]


def number(conn: Connection, table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    return row[0] if row else -1


def expected(minutes: list[Minute], length: timedelta) -> list[tuple[Any, ...]]:
    """Compute rollups in the plainest way, with buckets counted from a local midnight."""
    buckets: dict[tuple[str, datetime], list[Minute]] = {}
    for minute in sorted(minutes):
        start = MIDNIGHT + (minute[1] - MIDNIGHT) // length * length
        buckets.setdefault((minute[0], start), []).append(minute)
    table: list[tuple[Any, ...]] = []
    for (sensor, start), inside in sorted(buckets.items()):
        values, count = [value for _, _, value in inside], len(inside)
        sums = sum(2 * value + 1 for value in values)
        extremes = (min(values), max(values) + 1, values[-1] + 0.5)
        table.append((sensor, start, 3 * count, 3 * count, 2 * count, sums, *extremes))
    return table


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC") as conn:
        yield conn


def test_rollups_are_the_sums_of_the_minutes_over_a_local_midnight(conn: Connection) -> None:
    first = MIDNIGHT - timedelta(minutes=100)
    minutes = [
        (sensor, first + timedelta(minutes=n), float((n * 37 + len(sensor)) % 91))
        for sensor in ("n-1", "n-22")
        for n in range(200)
        if n % 13
    ]
    store(conn, minutes)
    assert roll_up(conn).refused == 0
    for kind, length in {"15m": 15, "1h": 60, "1d": 1440}.items():
        assert rows(conn, kind) == expected(minutes, timedelta(minutes=length)), kind
    assert len(rows(conn, "1d")) == 4
    assert number(conn, "rollup_dirty") == 0


def test_a_late_correction_raises_the_revision_and_a_repeat_does_not(conn: Connection) -> None:
    minutes = [("n-1", MIDNIGHT + timedelta(minutes=n), 50.0) for n in range(60)]
    store(conn, minutes)
    roll_up(conn)
    store(conn, minutes)
    assert roll_up(conn).written == {"15m": 0, "1h": 0, "1d": 0}
    assert revisions(conn, "15m") == [1, 1, 1, 1]
    corrected = [("n-1", MIDNIGHT + timedelta(minutes=20), 75.0)]
    store(conn, corrected, revision=2)
    roll_up(conn)
    assert revisions(conn, "15m") == [1, 2, 1, 1]
    assert revisions(conn, "1h") == revisions(conn, "1d") == [2]
    whole = [m for m in minutes if m[1] != corrected[0][1]] + corrected
    assert rows(conn, "1d") == expected(whole, timedelta(days=1))


def test_a_rollback_leaves_the_marks_and_a_mark_made_meanwhile_stays(
    dsn: str, conn: Connection
) -> None:
    store(conn, [("n-1", MIDNIGHT, 50.0)])
    with psycopg.connect(dsn) as other:
        refresh(other)
        other.rollback()
        assert (number(conn, "rollup_dirty"), number(conn, "rollup_15m_noise")) == (1, 0)
        refresh(other)
        assert refresh(conn).marks == 0, "one at a time"
        store(conn, [("n-1", MIDNIGHT, 60.0)], revision=2)
        other.commit()
    assert number(conn, "rollup_dirty") == 1
    roll_up(conn)
    assert rows(conn, "1d") == expected([("n-1", MIDNIGHT, 60.0)], timedelta(days=1))


@pytest.mark.chaos
def test_kill_9_in_the_middle_leaves_marks_and_the_next_keep_ends_it(
    dsn: str, conn: Connection, spawn: Spawner
) -> None:
    minutes = [("n-1", MIDNIGHT + timedelta(minutes=n), 40.0 + n) for n in range(90)]
    store(conn, minutes)
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cityops keep'"
        " AND datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(dsn) as blocker:
        blocker.execute("LOCK TABLE rollup_1d_noise IN ACCESS EXCLUSIVE MODE")
        keep = spawn("storage", "keep")
        wait_until(lambda: (conn.execute(waits).fetchone() or (0,))[0] == 1, 30.0, "keep at work")
        keep.kill9()
    assert number(conn, "rollup_dirty") == 2
    assert number(conn, "rollup_15m_noise") == 0
    spawn("storage", "keep")
    wait_until(lambda: number(conn, "rollup_dirty") == 0, 30.0, "marks worked off")
    assert rows(conn, "1h") == expected(minutes, timedelta(hours=1))


def test_old_minutes_go_their_rollups_stay_and_are_closed(conn: Connection) -> None:
    old = [("n-1", NOW - timedelta(days=400, minutes=n), 50.0) for n in range(30)]
    new = [("n-1", NOW - timedelta(days=300), 50.0)]
    store(conn, old + new)
    kept = keep_once(conn, SETTINGS, NOW)
    assert kept.dropped["1m"] == 1
    assert number(conn, "aggregates_noise") == 1
    before = {kind: rows(conn, kind) for kind in ("15m", "1h", "1d")}
    assert sum(row[2] for row in before["1d"]) == 31 * 3
    store(conn, [(old[0][0], old[0][1], 99.0)], revision=2)
    assert roll_up(conn).refused == 1
    # what was dropped stays dropped: a longer retention later opens nothing
    longer = SETTINGS.model_copy(update={"keep_1m_days": 3650})
    store(conn, [(old[0][0], old[0][1], 98.0)], revision=3)
    assert keep_once(conn, longer, NOW).refused == 1
    assert {kind: rows(conn, kind) for kind in before} == before


def test_nothing_goes_that_an_open_mark_still_needs(conn: Connection) -> None:
    store(conn, [("n-1", NOW - timedelta(days=500), 50.0)])
    assert drop_old(conn, SETTINGS, NOW)["1m"] == 0
    assert number(conn, "aggregates_noise") == 1
    assert keep_once(conn, SETTINGS, NOW).dropped["1m"] == 1
    assert len(rows(conn, "1d")) == 1


def test_zero_days_means_for_ever(conn: Connection) -> None:
    store(conn, [("n-1", NOW - timedelta(days=9000), 50.0)])
    forever = SETTINGS.model_copy(
        update={f"keep_{k}_days": 0 for k in ("1m", "15m", "1h", "forecasts")}
    )
    assert set(keep_once(conn, forever, NOW).dropped) == {"raw"}
    assert number(conn, "aggregates_noise") == 1


def test_minutes_from_before_the_rollups_are_marked_by_the_migration(
    dsn: str, conn: Connection
) -> None:
    minutes = [("n-1", MIDNIGHT + timedelta(minutes=n), 50.0) for n in range(90)]
    store(conn, minutes)
    conn.execute("DROP TABLE rollup_dirty, retention_cuts")
    conn.execute("DELETE FROM schema_migrations WHERE name = '0003_rollups.sql'")
    assert migrate(dsn) == ["0003_rollups.sql"]
    roll_up(conn)
    assert rows(conn, "1h") == expected(minutes, timedelta(hours=1))


def test_once_says_what_was_done(dsn: str, conn: Connection) -> None:
    store(conn, [("n-1", datetime.now(UTC).replace(second=0, microsecond=0), 50.0)])
    done = subprocess.run(
        [sys.executable, "-m", "storage", "keep", "--once"],
        env={**outer_environment(), "CITYOPS_DSN": dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("1 marks worked off, 3 rollups written, 0 refused")
