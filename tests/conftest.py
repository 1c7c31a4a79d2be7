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

The first two servers are started once per session, or named by CITYOPS_TEST_KAFKA and
CITYOPS_TEST_DSN.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.errors import MissingPackagesError
from deploy.native import kafka as kafka_server
from deploy.native import timescale
from deploy.native.servers import start_broker, start_database
from deploy.ports import LOOPBACK, free_port
from tests.databases import Databases
from tests.servers import OwnServers, Spawner, container, docker_answers, native_folder
from tests.topics import delete_topics, unique_prefix


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap address of a real Kafka broker."""
    if given := os.environ.get("CITYOPS_TEST_KAFKA"):
        yield given
        return
    with native_folder() as folder:
        try:
            bootstrap, child = start_broker(folder)
        except MissingPackagesError as error:
            yield from _kafka_container(error)
            return
        yield bootstrap
        child.stop(patience_s=5.0)


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """Superuser's address of a real TimescaleDB server."""
    if given := os.environ.get("CITYOPS_TEST_DSN"):
        yield given
        return
    with native_folder() as folder:
        try:
            dsn, child = start_database(folder)
        except MissingPackagesError as error:
            yield from _database_container(error)
            return
        yield dsn
        child.stop(patience_s=5.0)


@pytest.fixture(scope="session")
def databases(database_server: str) -> Iterator[Databases]:
    """Maker of databases on the test server; all it made are dropped at the end."""
    maker = Databases(database_server)
    yield maker
    maker.drop_all()


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
    spawner = Spawner(tmp_path, base)
    yield spawner
    spawner.stop_all()


@pytest.fixture
def own_servers() -> Iterator[OwnServers]:
    """Servers of this test alone, not started yet."""
    with native_folder() as folder:
        own = OwnServers(folder)
        yield own
        own.stop()


def _kafka_container(why: MissingPackagesError) -> Iterator[str]:
    if not docker_answers():
        raise why
    port = free_port()
    env = {
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
    }
    bootstrap = f"{LOOPBACK}:{port}"
    image = f"apache/kafka:{kafka_server.VERSION}"
    with container(image, 9092, port, env, lambda: kafka_server.ready(bootstrap)):
        yield bootstrap


def _database_container(why: MissingPackagesError) -> Iterator[str]:
    if not docker_answers():
        raise why
    port = free_port()
    dsn = timescale.dsn(port, "test-only")
    env = {"POSTGRES_PASSWORD": "test-only"}
    image = "timescale/timescaledb:2.19.3-pg17"
    with container(image, 5432, port, env, lambda: timescale.ready(dsn)):
        yield dsn
