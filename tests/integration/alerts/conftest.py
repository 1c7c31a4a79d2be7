"""Fixtures of the alerts' integration tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from kafka import KafkaProducer
from psycopg import Connection

from alerts.delivery.links import links_of
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES, AlertSettings
from catalog.contracts import Transition, encode_json
from catalog.registry import streams
from catalog.topics import all_topics, shard_key, shard_of, transitions_topic
from deploy.ports import free_port
from service.kafka import ensure_topics, producer
from storage.api_keys import add_key
from tests.support.alerting import Desk, Place, Stub, add_receiver, serving
from tests.support.databases import Databases
from tests.support.servers import Spawner


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as made:
        yield made


@pytest.fixture
def send(kafka: str, topic_prefix: str) -> Iterator[Any]:
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    made: KafkaProducer = producer(kafka, "test")

    def put(*transitions: Transition) -> None:
        for t in transitions:
            shard = shard_of(t.sensor)
            topic = transitions_topic(topic_prefix)
            made.send(topic, value=encode_json(t), key=shard_key(shard), partition=shard)
        made.flush(timeout=10)

    yield put
    made.close(timeout=5)


@pytest.fixture(scope="package")
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A console for all tests of this folder, with a key of each role."""
    folder = tmp_path_factory.mktemp("place")
    with databases.fresh(migrated=True) as dsn:
        url = f"http://127.0.0.1:{free_port()}"
        hosts = json.dumps(["127.0.0.1", "duty.example.cn"])
        base = {"CITYOPS_DSN": dsn, "CITYOPS_CONSOLE": url, "CITYOPS_WEBHOOK_HOSTS": hosts}
        clients: dict[str, httpx.Client] = {}
        with psycopg.connect(dsn, autocommit=True) as conn:
            for role in ("viewer", "operator", "admin"):
                bearer = {"Authorization": f"Bearer {add_key(conn, role, [f'api:{role}'])}"}
                clients[role] = httpx.Client(base_url=url, headers=bearer, timeout=30)
        with Spawner(folder, base).stopping() as spawner:
            spawner("console", name="console", deadline_s=60.0)
            yield Place(dsn, folder, spawner, clients)
        for client in clients.values():
            client.close()


@pytest.fixture
def conn(place: Place) -> Iterator[Connection]:
    """Connection to the place's database; what a test leaves open is ended after it."""
    with psycopg.connect(place.dsn, autocommit=True) as made:
        yield made
        made.execute(
            "UPDATE episodes SET cleared_at = now(), status = 'cleared' WHERE cleared_at IS NULL"
        )
        made.execute("DELETE FROM silences")


@pytest.fixture
def desk(dsn: str, tmp_path: Path) -> Iterator[Desk]:
    add_receiver(dsn, tmp_path, Stub(9), "duty")
    settings = AlertSettings(state_dir=tmp_path)
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield Desk(conn, settings, Notifier(read_routes(DEFAULT_ROUTES), links_of(settings)))
