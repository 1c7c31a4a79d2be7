"""Refusals are counted for the audit log: none is lost, and no flood of them fills it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import psycopg

from service.refusals import MOST_KEPT, MOST_ROWS, Refusals


class Log:
    """Stands for a database: keeps what is written of who, what, target and detail."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, dict[str, Any]]] = []
        self.away = False

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        if self.away:
            raise psycopg.OperationalError("away")
        yield cast(psycopg.Connection, self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def execute(self, _: str, values: list[Any]) -> None:
        who, what, target, _, detail = values
        self.rows.append((who, what, target, detail.obj))

    def count(self, what: str) -> int:
        return sum(detail["count"] for _, kind, _, detail in self.rows if kind == what)


def refusals(log: Log) -> Refusals:
    return Refusals(log.connection, lambda: datetime(2026, 11, 30, tzinfo=UTC))


def test_a_flood_from_many_addresses_is_a_few_rows_with_its_whole_count() -> None:
    log = Log()
    counted = refusals(log)
    for number in range(5_000):
        counted.note("ingest.401", "", f"198.51.{number // 256}.{number % 256}")
    counted.note("ingest.403", "key noise", "203.0.113.1", "weather")
    counted.flush()
    assert log.count("ingest.401") == 5_000
    assert len(log.rows) == MOST_ROWS + 1 + 1  # those, the rest of the kind, and the other kind
    assert ("key noise", "ingest.403", "weather") in [row[:3] for row in log.rows]
    counted.flush()
    assert len(log.rows) == MOST_ROWS + 2  # nothing new, nothing written


def test_what_cannot_be_written_waits_and_takes_no_more_memory() -> None:
    log = Log()
    counted = refusals(log)
    log.away = True
    for round_ in range(3):
        for number in range(MOST_KEPT + 50):
            counted.note("ingest.401", "", f"{round_}.{number}")
        counted.flush()
        assert len(counted._counts["ingest.401"]) == MOST_KEPT + 1
    log.away = False
    counted.flush()
    assert log.count("ingest.401") == 3 * (MOST_KEPT + 50)
