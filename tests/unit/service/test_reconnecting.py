"""One loop waits for the database, tells why, and begins anew after a fault of ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection

from service import reconnecting
from service.reconnecting import keep_connected

AWAY = psycopg.OperationalError("connection refused\nIs the server running?")


class Database:
    """Connections that are refused as often as told."""

    def __init__(self, refusals: int) -> None:
        self.refusals, self.given, self.names = refusals, 0, set[tuple[str, str]]()

    @contextmanager
    def connect(self, dsn: str, name: str, *, autocommit: bool) -> Iterator[None]:
        self.names.add((dsn, name))
        assert autocommit
        if self.refusals:
            self.refusals -= 1
            raise AWAY
        self.given += 1
        yield None


def run(
    monkeypatch: pytest.MonkeyPatch, database: Database, faults: list[Exception]
) -> tuple[list[str], int]:
    monkeypatch.setattr(reconnecting, "connect", database.connect)
    stop, told, done = threading.Event(), list[str](), 0

    def work(_: Connection) -> None:
        nonlocal done
        if faults:
            raise faults.pop(0)
        done += 1
        stop.set()

    keep_connected("dsn", "keep", work, stop, told.append, retry_s=0.001, fault_s=0.001)
    return told, done


def test_a_database_that_is_away_is_waited_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(refusals=3)
    told, done = run(monkeypatch, database, [])
    assert told == ["waits for PostgreSQL: connection refused"] * 3
    assert (done, database.given, database.names) == (1, 1, {("dsn", "keep")})


def test_a_connection_that_breaks_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(refusals=0)
    told, done = run(monkeypatch, database, [psycopg.errors.AdminShutdown("shutting down")])
    assert told == ["waits for PostgreSQL: shutting down"]
    assert (done, database.given) == (1, 2)


def test_a_fault_of_ours_is_told_and_does_not_end_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(refusals=0)
    faults = [psycopg.errors.UndefinedTable("no table x"), KeyError("rule")]
    told, done = run(monkeypatch, database, faults)
    assert told == ["a round failed: no table x", "a round failed: 'rule'"]
    assert (done, database.given) == (1, 3)
