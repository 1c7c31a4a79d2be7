"""The system ``works``, a database, and people who act on its records."""

from collections.abc import Iterator

import pytest
from psycopg import Connection

from service.postgres import connect
from tests.support.works_system import People, works_declared


@pytest.fixture(autouse=True)
def works(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The system outside the tree, known to this process."""
    with works_declared(monkeypatch):
        yield


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """A connection as all processes open it."""
    with connect(dsn, "test", autocommit=True) as conn:
        yield conn


@pytest.fixture
def people(conn: Connection) -> People:
    """Those who act, by a clock that stands at a working hour until a test moves it."""
    return People(conn)
