"""``storage load``: files of history become readings, minutes and rollups, once."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from catalog.frames import readings_schema
from catalog.registry import stream
from deploy.paths import ROOT
from simulators.backfill import Plan, fleets, write
from storage.__main__ import app
from storage.batch import Batch
from storage.history.files import HistoryFile, stream_of
from storage.history.load import Loaded, load_file
from storage.history.room import table_bytes
from storage.keep import roll_up
from storage.rollups import mark_dirty
from storage.write import Written
from storage.write import write as store
from tests.support.frames import START, noise_batch
from tests.support.servers import outer_environment

Rows = list[tuple[str, float, float]]
TABLES = ("last", "readings", "aggregates", "rollup_15m", "rollup_1h", "rollup_1d")


def load(dsn: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "storage", "load", *map(str, arguments)],
        env={**outer_environment(), "CITYOPS_DSN": dsn, "COLUMNS": "200"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def take(dsn: str, path: Path) -> Loaded:
    """Load one file in this process."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        file = HistoryFile(path, stream_of(path))
        return load_file(conn, file, datetime.now(UTC), lambda *_: None, threading.Event())


def contents(dsn: str, *names: str) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that loading may touch."""
    tables = ["sensors", "dead_letters"]
    tables += [f"{table}_{name}" for name in names for table in TABLES]
    with psycopg.connect(dsn) as conn:
        return {
            t: sorted(conn.execute(f"SELECT t::text FROM {t} t".encode()).fetchall())
            for t in tables
        }


def file_of(folder: Path, batches: list[Rows], name: str = "noise", readings: int = 0) -> Path:
    told = {"stream": name, "readings": str(readings)}
    schema = readings_schema(stream("noise")).with_metadata(told)
    path = folder / "noise.arrows"
    with pa.ipc.new_stream(str(path), schema) as out:
        for rows in batches:
            out.write_batch(noise_batch(rows).replace_schema_metadata({"stream": name}))
    return path


def test_history_becomes_rows_minutes_and_rollups_and_again_changes_nothing(
    dsn: str, tmp_path: Path
) -> None:
    until = datetime(2026, 11, 23, 18, 0, tzinfo=UTC).timestamp()  # two hours into a local day
    plan, expected = Plan(0.2, until, sensors=6, names=("noise", "weather")), 0
    for fleet in fleets(plan):
        expected += write(plan, fleet, tmp_path, lambda _: None)[1]
    done = load(dsn, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{expected:,} readings, " in done.stdout
    first = contents(dsn, "noise", "weather")
    assert len(first["readings_noise"]) + len(first["readings_weather"]) == expected
    assert (
        len(first["rollup_1d_noise"]) == sum("noise" in str(row) for row in first["last_noise"]) * 2
    )
    _rollups_are_those_of_keep(dsn, "noise", "weather")
    assert " GB in the tables" in done.stderr
    again = load(dsn, tmp_path, "--jobs", 1, "--remove")
    assert "0 readings, 0 minutes and 0 rollups stored" in again.stdout, again.stderr
    assert contents(dsn, "noise", "weather") == first
    assert not list(tmp_path.iterdir())


def _rollups_are_those_of_keep(dsn: str, *names: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for name in names:
            keys = conn.execute(f"SELECT sensor, window_start FROM aggregates_{name}".encode())
            sensors, starts = zip(*keys.fetchall(), strict=True)
            mark_dirty(conn, name, pa.table({"sensor": sensors, "window_start": starts}))
        kept = roll_up(conn)
    assert kept.marks > 0
    assert kept.written == {"15m": 0, "1h": 0, "1d": 0}


def test_other_minutes_of_a_day_are_added_to_its_rollups(dsn: str, tmp_path: Path) -> None:
    take(dsn, file_of(tmp_path, [[("n-1", 0, 50.1), ("n-1", 60, 52.3), ("n-2", 0, 40)]]))
    done = take(dsn, file_of(tmp_path, [[("n-1", 120, 0.7), ("n-3", 0, 60)]]))
    assert (done.minutes, done.rollups) == (2, 6)
    _rollups_are_those_of_keep(dsn, "noise")


def test_a_day_too_large_for_one_transaction_has_the_same_rollups(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.history.load.MOST_HELD_BYTES", 0)
    batches: list[Rows] = [[("n-1", 60 * n, 50.1 + n), ("n-2", 60 * n, 40)] for n in range(4)]
    done = take(dsn, file_of(tmp_path, batches))
    assert (done.readings, done.minutes, done.rollups) == (8, 8, 6)
    _rollups_are_those_of_keep(dsn, "noise")


def test_a_day_that_meets_the_sink_is_stored_at_a_next_try(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = iter([psycopg.errors.DeadlockDetected(), psycopg.errors.DeadlockDetected(), None])

    def met(conn: psycopg.Connection, batch: Batch) -> Written:
        written = store(conn, batch)
        if error := next(tries):
            raise error
        return written

    monkeypatch.setattr("storage.history.load.write", met)
    done = take(dsn, file_of(tmp_path, [[("n-1", 0, 50), ("n-1", 60, 52)]]))
    assert (done.readings, done.duplicates, done.minutes, done.rollups) == (2, 0, 2, 3)
    assert len(contents(dsn, "noise")["readings_noise"]) == 2


def test_a_gap_is_filled_and_the_fuller_minute_stays(dsn: str, tmp_path: Path) -> None:
    take(dsn, file_of(tmp_path, [[("n-1", 0, 50), ("n-1", 130, 52)]]))
    whole: Rows = [("n-1", 0, 50), ("n-1", 20, 60), ("n-1", 70, 51), ("n-1", 130, 52)]
    done = take(dsn, file_of(tmp_path, [whole]))
    assert (done.readings, done.duplicates, done.minutes) == (2, 2, 2)
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "SELECT n, leq_db_max FROM aggregates_noise ORDER BY window_start"
        ).fetchall()
    assert rows == [(2, 60), (1, 51), (1, 52)]


def test_bad_and_contradicting_readings_are_dead_letters_once(dsn: str, tmp_path: Path) -> None:
    take(dsn, file_of(tmp_path, [[("n-1", 0, 50)]]))
    rows = [("n-1", 0, 99), ("n\x00l", 1, 50), ("n-1", 2, float("nan")), ("n-1", 3, 53)]
    counted = [take(dsn, file_of(tmp_path, [rows])) for _ in range(2)]
    assert [(done.readings, done.conflicts, done.letters) for done in counted] == [
        (1, 1, 3),
        (0, 1, 0),
    ]
    with psycopg.connect(dsn) as conn:
        codes = conn.execute("SELECT code FROM dead_letters ORDER BY code").fetchall()
        stored = conn.execute("SELECT leq_db FROM readings_noise ORDER BY 1").fetchall()
    assert [code for (code,) in codes] == ["conflict", "not_finite", "sensor"]
    assert stored == [(50,), (53,)]


def test_sensors_last_reading_is_known_and_not_set_back(dsn: str, tmp_path: Path) -> None:
    take(dsn, file_of(tmp_path, [[("n-1", 0, 50), ("n-1", 90, 51)]]))
    take(dsn, file_of(tmp_path, [[("n-1", 30, 70)]]))
    with psycopg.connect(dsn) as conn:
        last = conn.execute("SELECT observed_at, leq_db FROM last_noise").fetchall()
    assert last == [(START + timedelta(seconds=90), 51)]


def test_history_that_does_not_fit_is_not_begun(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_of(tmp_path, [[("n-1", 0, 50)]], readings=10**9)
    monkeypatch.setenv("CITYOPS_DSN", dsn)
    monkeypatch.setattr("storage.history.room.free_bytes", lambda _: 10**11)
    done = CliRunner().invoke(app, ["load", str(file)])
    assert done.exit_code == 1
    size = table_bytes(stream("noise"), 10**9) / 1e9
    assert f"1,000,000,000 readings: about {size:.1f} GB in the tables of 100.0 GB" in done.stderr
    assert "✗ the database's disk lacks room for them" in done.stderr
    assert not contents(dsn, "noise")["readings_noise"]


def test_a_wrong_file_is_told_in_one_line(tmp_path: Path) -> None:
    done = load("postgresql://127.0.0.1:1/none", file_of(tmp_path, [], "nose"))
    assert done.returncode == 1
    assert done.stderr.startswith("✗ noise.arrows: stream 'nose' is not declared; known: air_qu")
    assert "Traceback" not in done.stderr


def test_history_ends_where_the_live_data_begins(dsn: str, tmp_path: Path) -> None:
    """Up to now it would contradict the readings of the city that runs: same keys, other values."""
    now = datetime.now(UTC).replace(microsecond=0)
    live, replayed = now - timedelta(minutes=40), now - timedelta(days=900)
    running = Plan(40 / 1440, now.timestamp(), sensors=6, names=("noise",))
    (fleet,) = fleets(running)
    take(dsn, write(running, fleet, tmp_path, lambda _: None)[0])
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "UPDATE readings_noise SET received_at = observed_at + interval '1 second',"
            " leq_db = leq_db + 0.7"
        )
        conn.execute(
            "INSERT INTO readings_noise (sensor, observed_at, received_at, leq_db)"
            " SELECT DISTINCT sensor, %s::timestamptz, now(), 55 FROM readings_noise",
            [replayed],
        )
    said = CliRunner().invoke(app, ["live-since"], env={"CITYOPS_DSN": dsn})
    until = datetime.fromisoformat(said.stdout.strip())
    assert live - timedelta(minutes=2) <= until < live
    for end, contradicts in ((until, False), (now, True)):
        plan = Plan(0.05, end.timestamp(), sensors=6, names=("noise",))
        (fleet,) = fleets(plan)
        path, _ = write(plan, fleet, tmp_path, lambda _: None)
        done = take(dsn, path)
        assert bool(done.letters) == contradicts


def test_without_live_data_history_ends_now(dsn: str) -> None:
    said = CliRunner().invoke(app, ["live-since"], env={"CITYOPS_DSN": dsn})
    assert said.stdout.strip() == "now"
