"""Migrations on a real server: idempotent, complete, and clear where TimescaleDB is missing."""

import psycopg
import pytest

from catalog.city.sensors import sensors
from catalog.registry import streams
from service.errors import FatalError
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
