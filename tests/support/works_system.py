"""The system ``works`` switched on for one test, and people who act on its repairs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from catalog import declared, registry
from catalog.lifecycle import registry as lifecycles
from catalog.thing.registry import placed, things
from records.context import Context, Grant
from tests.support.repair import FOLDER

NOW = datetime(2026, 9, 30, 2, tzinfo=UTC)  # Wednesday 10:00 in Chengdu, the day before the holiday


@contextmanager
def works_declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process know the system, as if it lay in ``CITYOPS_SYSTEMS_PATH``."""
    caches = (declared.system_folders, registry.systems, lifecycles.records, things, placed)
    monkeypatch.setenv("CITYOPS_SYSTEMS_PATH", str(FOLDER))
    for cached in caches:
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


@dataclass
class Clock:
    """A database clock that a test sets."""

    at: datetime = NOW

    def __call__(self, conn: Connection) -> datetime:
        return self.at

    def forward(self, **more: float) -> datetime:
        self.at += timedelta(**more)
        return self.at


@dataclass
class People:
    """Contexts of those who act on repairs, all by one clock."""

    conn: Connection
    clock: Clock = field(default_factory=Clock)

    def desk(self, name: str = "wang") -> Context:
        return Context(self.conn, name, "api", "operator", now=self.clock)

    def chief(self) -> Context:
        return Context(self.conn, "li", "page", "admin", now=self.clock)

    def viewer(self) -> Context:
        return Context(self.conn, "guest", "page", "viewer", now=self.clock)

    def firm(self, name: str) -> Context:
        grants = (Grant("works", "firm", name),)
        return Context(self.conn, f"firm-{name}", "api", "viewer", grants, now=self.clock)

    def citizen(self) -> Context:
        return Context(self.conn, "citizen", "public", now=self.clock)

    def engine(self) -> Context:
        return Context(self.conn, "cityops", "engine", now=self.clock)
