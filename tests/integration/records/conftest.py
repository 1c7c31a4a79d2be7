"""The system ``works``, a database, and people who act on its records."""

from collections.abc import Iterator

import pytest
from psycopg import Connection

from records.plans.devices import Fleet
from records.verify import verify_log, verify_states
from service.postgres import connect
from simulators.signs import Signs
from tests.support.sign_city import City
from tests.support.works_system import Clock, People, works_declared


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


@pytest.fixture
def sign_city(conn: Connection) -> Iterator[City]:
    """A city with signs on the wire; at the end its log is replayed and compared."""
    clock = Clock()
    signs = Signs(lambda: clock.at.timestamp())
    address, stop = signs.serve()
    fleet = Fleet(f"sign={address}")
    made = City(conn, signs, fleet, clock)
    made.measure()
    yield made
    fleet.close()
    stop()
    assert [f.what for f in (*verify_log(conn), *verify_states(conn, "sign_message"))] == []
