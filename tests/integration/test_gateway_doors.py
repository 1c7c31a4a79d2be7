"""Who comes to the gateway's doors: by HTTPS, and those who are refused."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from deploy.ports import free_port
from storage import audit
from storage.api_keys import add_key
from tests.support.certificates import certificate
from tests.support.databases import Databases
from tests.support.servers import Spawner, wait_until
from tests.support.topics import delete_topics, unique_prefix

NOISE = "/v1/streams/noise/readings"


@dataclass(frozen=True)
class Place:
    """A gateway, its address for HTTPS, a key for one stream, and clients that trust it."""

    client: httpx.Client
    secure: httpx.Client
    keys: dict[str, str]
    dsn: str


@pytest.fixture(scope="module")
def place(
    kafka: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    prefix, folder = unique_prefix(), tmp_path_factory.mktemp("doors")
    pair = certificate(folder)
    plain, secure = f"http://127.0.0.1:{free_port()}", f"https://127.0.0.1:{free_port()}"
    own = {"CITYOPS_GATEWAY": plain, "CITYOPS_GATEWAY_TLS": secure, **pair.environment()}
    own["CITYOPS_REFUSALS_EVERY_S"] = "0.5"
    trust = ssl.create_default_context(cafile=str(pair.chain))
    with databases.fresh(migrated=True) as dsn:
        base = {"CITYOPS_KAFKA": kafka, "CITYOPS_DSN": dsn, "CITYOPS_TOPIC_PREFIX": prefix}
        with psycopg.connect(dsn, autocommit=True) as conn:
            keys = {"noise": add_key(conn, "noise", ["ingest:noise"])}
        with (
            Spawner(folder, base).stopping() as spawn,
            httpx.Client(base_url=plain, timeout=30) as client,
            httpx.Client(base_url=secure, timeout=30, verify=trust) as safe,
        ):
            spawn("ingest", "gateway", env=own)
            loaded = lambda: client.post(NOISE, json={}).status_code == 401  # noqa: E731
            wait_until(loaded, 20.0, "keys loaded")
            yield Place(client, safe, keys, dsn)
    delete_topics(kafka, prefix)


def test_readings_are_taken_by_https(place: Place) -> None:
    reading = {"sensor": "n-1", "observed_at": datetime.now(UTC).isoformat(), "leq_db": 50}
    key = {"Authorization": f"Bearer {place.keys['noise']}"}
    send = lambda: place.secure.post(NOISE, json={"readings": [reading]}, headers=key)  # noqa: E731
    # a busy broker's 503 asks for the same again, as clients do
    wait_until(lambda: send().status_code != 503, 60.0, "the broker acknowledges")
    answer = send()
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})


def test_refused_calls_are_in_the_audit_log_counted_by_address(
    place: Place,
) -> None:
    source = {"X-Forwarded-For": "198.51.100.9"}  # as a proxy on this machine tells it
    for number in range(40):
        stranger = source | {"Authorization": f"Bearer ck_{number:05}-guess"}
        assert place.client.post(NOISE, json={}, headers=stranger).status_code == 401
    scoped = source | {"Authorization": f"Bearer {place.keys['noise']}"}
    weather = "/v1/streams/weather/readings"
    assert place.client.post(weather, json={}, headers=scoped).status_code == 403
    with psycopg.connect(place.dsn, autocommit=True) as conn:

        def refused(what: str) -> list[audit.Entry]:
            found = audit.entries(conn, search=what, limit=1000)
            return [e for e in found if e.detail.get("address") == "198.51.100.9"]

        wait_until(lambda: bool(refused("ingest.403")), 30.0, "the refusal recorded")
        counts = lambda: sum(e.detail["count"] for e in refused("ingest.401"))  # noqa: E731
        wait_until(lambda: counts() == 40, 30.0, "all refusals recorded")
        (denied,) = refused("ingest.403")
        assert (denied.who, denied.target, denied.result) == ("key noise", "weather", "refused")
        strangers = refused("ingest.401")
        assert {e.who for e in strangers} == {"unknown"}
        assert strangers[-1].target == "noise, key ck_00000"
        assert len(strangers) < 20  # a row for each flush, not for each try
