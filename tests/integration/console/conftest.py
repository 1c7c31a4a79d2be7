"""Fixtures of the tests of who gets into the console."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from console import accounts
from console.roles import Role
from deploy.ports import free_port
from tests.support.certificates import Pair, certificate
from tests.support.console_client import PASSWORD
from tests.support.databases import Databases
from tests.support.servers import Spawner


@pytest.fixture(scope="package")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Pair]:
    """Address and certificate of the console's other door."""
    return f"https://127.0.0.1:{free_port()}", certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="package")
def place(
    databases: Databases, tls: tuple[str, Pair], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Address and database of one console for all tests of this folder."""
    with databases.fresh(migrated=True) as dsn:
        url = f"http://127.0.0.1:{free_port()}"
        base = {"CITYOPS_DSN": dsn, "CITYOPS_CONSOLE": url}
        base |= {"CITYOPS_CONSOLE_TLS": tls[0], **tls[1].environment()}
        with psycopg.connect(dsn, autocommit=True) as conn:
            for role in Role:
                accounts.add_user(conn, f"the-{role}", PASSWORD, role)
        with Spawner(tmp_path_factory.mktemp("console"), base).stopping() as spawner:
            spawner("console", name="console", deadline_s=100.0)
            yield url, dsn


@pytest.fixture
def client(place: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place[0], timeout=30) as made:
        yield made


@pytest.fixture
def conn(place: tuple[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(place[1], autocommit=True) as made:
        yield made
