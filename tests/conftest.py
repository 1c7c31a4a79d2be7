"""Fixtures shared by all rooms.

| fixture | what a test gets |
|---|---|
| `kafka` | bootstrap address of a real broker |
| `topic_prefix` | a prefix nobody else uses; topics with it are deleted after the test |
| `database_server` | superuser's address of a real TimescaleDB |
| `dsn` | a fresh database with all migrations applied |
| `empty_dsn` | a fresh database with only the extension |
| `spawn` | starts `python -m ROOM …` and waits until it is healthy |
| `own_servers` | servers of this test alone, to kill and start again |

The two servers are started once per run and shared by its workers (`tests/support/shared.py`), or
named by
CITYOPS_TEST_KAFKA and CITYOPS_TEST_DSN.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.databases import Databases
from tests.support.servers import OwnServers, Spawner, native_folder
from tests.support.shared import Shared
from tests.support.shared_servers import make_database, make_kafka
from tests.support.topics import delete_topics, unique_prefix

# how long one example takes says how busy the machine is
settings.register_profile("any time", deadline=None)
settings.load_profile("any time")

SHARED = pytest.StashKey[Shared]()
FIRST = ("e2e", "chaos", "console", "integration", "property")
"""Folders whose tests take longest: begun first, so that the workers end together."""


def pytest_configure(config: pytest.Config) -> None:
    """Give this process the folder that all workers of the run share."""
    given = getattr(config, "workerinput", {}).get("shared")
    config.stash[SHARED] = Shared(Path(given)) if given else Shared.new()
    if not given:  # a run that is told to end (a job's time limit) still ends its servers
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Name the shared folder to a new worker of pytest-xdist."""
    node.workerinput["shared"] = str(node.config.stash[SHARED].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the run shared; workers leave that to the run's own process."""
    if hasattr(config, "workerinput"):
        return
    shared = config.stash[SHARED]
    if given := os.environ.get("CITYOPS_TEST_DSN"):
        Databases(given, shared).drop_templates()
    shared.end()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files to the workers, and the pages of the console together."""
    from tests.support.workers import ByFile

    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones."""
    items.sort(key=lambda item: next((i for i, n in enumerate(FIRST) if n in item.path.parts), 9))


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Shared:
    """What all workers of this run share."""
    return pytestconfig.stash[SHARED]


@pytest.fixture(scope="session")
def kafka(shared: Shared) -> str:
    """Bootstrap address of a real Kafka broker."""
    return os.environ.get("CITYOPS_TEST_KAFKA") or shared.once("kafka", lambda: make_kafka(shared))


@pytest.fixture(scope="session")
def database_server(shared: Shared) -> str:
    """Superuser's address of a real TimescaleDB server."""
    given = os.environ.get("CITYOPS_TEST_DSN")
    return given or shared.once("database", lambda: make_database(shared))


@pytest.fixture(scope="session")
def databases(database_server: str, shared: Shared) -> Databases:
    """Maker of databases on the test server; its templates are dropped at the end of the run."""
    return Databases(database_server, shared)


@pytest.fixture
def empty_dsn(databases: Databases) -> Iterator[str]:
    """Address of a fresh database with the TimescaleDB extension and no tables."""
    with databases.fresh(migrated=False) as dsn:
        yield dsn


@pytest.fixture
def dsn(databases: Databases) -> Iterator[str]:
    """Address of a fresh database with every migration applied."""
    with databases.fresh(migrated=True) as dsn:
        yield dsn


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """First part of every topic name of this test."""
    prefix = unique_prefix()
    bootstrap = request.getfixturevalue("kafka") if "kafka" in request.fixturenames else None
    yield prefix
    if bootstrap is not None:
        delete_topics(bootstrap, prefix)


@pytest.fixture
def spawn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spawner]:
    """Starter of our processes; it passes on `kafka`, `dsn` and `topic_prefix` if requested."""
    variables = {
        "kafka": "CITYOPS_KAFKA",
        "dsn": "CITYOPS_DSN",
        "topic_prefix": "CITYOPS_TOPIC_PREFIX",
    }
    wanted = [name for name in variables if name in request.fixturenames]
    base = {variables[name]: str(request.getfixturevalue(name)) for name in wanted}
    with Spawner(tmp_path, base).stopping() as spawner:
        yield spawner


@pytest.fixture
def own_servers() -> Iterator[OwnServers]:
    """Servers of this test alone, not started yet."""
    with native_folder() as folder:
        own = OwnServers(folder)
        yield own
        own.stop()
