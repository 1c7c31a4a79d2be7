"""Fixtures of the tests of what walls and pages show: a city with a history."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import Connection

from tests.support.databases import Databases
from tests.support.history import Past, write_history


@pytest.fixture(scope="package")
def now() -> datetime:
    """The end of the history: when these tests begin."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="package")
def quiet(databases: Databases, now: datetime) -> Iterator[str]:
    """Address of a city with seven hours behind it and no alert."""
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn) as conn:
            conn.execute("SET LOCAL synchronous_commit = off")
            write_history(conn, Past(now, 0.5, 7.0, 7.0, 7.0))
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("ANALYZE")
        yield dsn


@pytest.fixture
def city(quiet: str) -> Iterator[Connection]:
    """A transaction in that city in which every sensor has just been heard; undone afterwards."""
    with psycopg.connect(quiet) as conn:
        conn.execute("UPDATE sensor_last SET observed_at = now() - interval '2 seconds'")
        yield conn
        conn.rollback()
