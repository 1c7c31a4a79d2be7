"""Migrations on a real server: idempotent, complete, and clear where TimescaleDB is missing."""

import psycopg
import pytest

from catalog.errors import FatalError
from catalog.registry import streams
from catalog.sensors import sensors
from storage.migrate import FOLDER, migrate

KINDS = ("readings", "aggregates", "rollup_15m", "rollup_1h", "rollup_1d")


def test_migrating_twice_changes_nothing(empty_dsn: str) -> None:
    assert migrate(empty_dsn) == sorted(file.name for file in FOLDER.glob("*.sql"))
    assert migrate(empty_dsn) == []


def test_every_stream_has_its_hypertables_and_sensors(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT hypertable_name FROM timescaledb_information.hypertables")
        tables = {name for (name,) in rows}
        found = conn.execute("SELECT count(*) FROM sensors WHERE status = 'registered'").fetchone()
    expected = {f"{kind}_{name}" for name in streams() for kind in KINDS}
    assert expected <= tables
    assert found == (len(sensors()),)


def test_a_changed_migration_is_refused(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("UPDATE schema_migrations SET checksum = 'other'")
    with pytest.raises(FatalError, match="new file"):
        migrate(dsn)


def test_plain_postgresql_is_refused_with_what_to_do(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute("DROP EXTENSION timescaledb")
    monkeypatch.setattr("storage.migrate.EXTENSION", "timescaledb_is_not_here")
    with pytest.raises(FatalError, match="postgresql-17-timescaledb"):
        migrate(empty_dsn)


def test_migrating_again_does_not_wait_for_a_reader(dsn: str) -> None:
    with psycopg.connect(dsn) as reader:
        reader.execute("SELECT count(*) FROM aggregates_noise, readings_noise, sensors")
        assert migrate(dsn) == []  # else: statement timeout


def test_what_was_acknowledged_before_it_became_worse_is_not_after_the_upgrade(
    empty_dsn: str,
) -> None:
    files = sorted(FOLDER.glob("*.sql"))
    (upgrade,) = (file for file in files if file.name.endswith("_acknowledged_levels.sql"))
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        for file in files[: files.index(upgrade)]:
            conn.execute(file.read_text().encode())
        for episode, now in (("worse", 1), ("better", 4)):
            conn.execute(
                "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
                " raised_at, changed_at, acked_at, acked_by) VALUES (%s, 'noise.night', 'noise',"
                " %s, 'active', %s, 1, now(), now(), '2026-11-24 04:00Z', 'li')",
                [episode, episode, now],
            )
            for severity, minute in ((3, 0), (now, 9)):
                conn.execute(
                    "INSERT INTO transitions (id, episode, rule, stream, sensor, kind, severity,"
                    " observed_at, produced_at, recorded_at) VALUES (%s, %s, 'noise.night',"
                    " 'noise', 'n', 'changed', %s, now(), now(),"
                    " '2026-11-24 03:55Z'::timestamptz + make_interval(mins => %s))",
                    [f"{episode}{minute}", episode, severity, minute],
                )
        conn.execute(upgrade.read_text().encode())
        found = conn.execute("SELECT id, acked_by, acked_severity FROM episodes ORDER BY id")
        assert found.fetchall() == [("better", "li", 3), ("worse", None, None)]
        acts = conn.execute("SELECT episode, who, act FROM episode_acts").fetchall()
        assert acts == [("worse", "cityops", "ack_lapsed")]
