"""The gateway on real Kafka and a real database: 202 means stored, 4xx means nothing was."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pytest
from kafka.structs import TopicPartition

from catalog.registry import made_of_facts, streams
from catalog.topics import readings_topic
from deploy.ports import free_port
from ingest.describe import example
from service.kafka import consumer
from storage.api_keys import add_key
from tests.support.databases import Databases
from tests.support.servers import OwnServers, Spawner, wait_until
from tests.support.topics import delete_topics, unique_prefix

NOISE = "/v1/streams/noise/readings"


def now() -> str:
    return datetime.now(UTC).isoformat()


def add_keys(dsn: str) -> dict[str, str]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return {
            "all": add_key(conn, "all", ["ingest:*"]),
            "noise": add_key(conn, "noise", ["ingest:noise"]),
        }


@pytest.fixture
def keys(dsn: str) -> dict[str, str]:
    return add_keys(dsn)


def start(spawn: Spawner, **env: str) -> str:
    url = f"http://127.0.0.1:{free_port()}"
    spawn("ingest", "gateway", env={"CITYOPS_GATEWAY": url, **env})
    wait_until(lambda: httpx.post(f"{url}{NOISE}", json={}).status_code != 503, 20.0, "keys loaded")
    return url


@dataclass(frozen=True)
class Place:
    """One gateway, the keys it knows and the prefix of its topics."""

    url: str
    keys: dict[str, str]
    prefix: str


@pytest.fixture(scope="module")
def place(
    kafka: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """The gateway of all tests that need nothing of their own."""
    prefix = unique_prefix()
    with databases.fresh(migrated=True) as dsn:
        base = {"CITYOPS_KAFKA": kafka, "CITYOPS_DSN": dsn, "CITYOPS_TOPIC_PREFIX": prefix}
        keys = add_keys(dsn)
        with Spawner(tmp_path_factory.mktemp("gateway"), base).stopping() as spawn:
            yield Place(start(spawn), keys, prefix)
    delete_topics(kafka, prefix)


@pytest.fixture
def client(place: Place) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {place.keys['all']}"}
    with httpx.Client(base_url=place.url, headers=headers, timeout=30) as made:
        yield made


def frames_on_topic(kafka: str, prefix: str) -> int:
    reader = consumer(kafka, "test", f"{prefix}.test")
    try:
        topic = readings_topic(prefix, "noise")
        places = [TopicPartition(topic, p) for p in reader.partitions_for_topic(topic) or ()]
        return sum(reader.end_offsets(places).values())
    finally:
        reader.close()


def test_an_example_of_every_stream_is_accepted(client: httpx.Client) -> None:
    for stream in streams().values():
        if stream.name in made_of_facts():
            continue
        body = example(stream)
        body["readings"][0]["observed_at"] = now()
        answer = client.post(f"/v1/streams/{stream.name}/readings", json=body)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1}), answer.text


def test_accepted_readings_are_on_the_topic(client: httpx.Client, kafka: str, place: Place) -> None:
    before = frames_on_topic(kafka, place.prefix)
    readings = [{"sensor": f"n-{i}", "observed_at": now(), "leq_db": 50} for i in range(100)]
    answer = client.post(NOISE, json={"readings": readings})
    assert answer.json() == {"accepted": 100}
    assert 1 <= frames_on_topic(kafka, place.prefix) - before <= 4


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"sensor": "n-1", "observed_at": now(), "leq_db": "loud"}, "leq_db", "type"),
    ({"sensor": "n-1", "observed_at": now(), "speed": 1}, "speed", "unknown"),
    ({"sensor": "n-1", "observed_at": "2026-11-24T08:00:00", "leq_db": 1}, "observed_at", "time"),
    ({"sensor": "n-1", "leq_db": 1}, "observed_at", "required"),
    ({"observed_at": now(), "leq_db": 1}, "sensor", "required"),
    ({"sensor": "", "observed_at": now(), "leq_db": 1}, "sensor", "sensor"),
    ({"sensor": "n-1", "observed_at": now()}, "*", "no_metric"),
    (
        {
            "sensor": "n-1",
            "observed_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            "leq_db": 1,
        },
        "observed_at",
        "future",
    ),
]


@pytest.mark.parametrize(("reading", "field", "rule"), FAULTS)
def test_a_fault_is_named_and_nothing_is_stored(
    client: httpx.Client,
    kafka: str,
    place: Place,
    reading: dict[str, Any],
    field: str,
    rule: str,
) -> None:
    before = frames_on_topic(kafka, place.prefix)
    good = {"sensor": "n-9", "observed_at": now(), "leq_db": 50}
    answer = client.post(NOISE, json={"readings": [good, reading]})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    errors = [(e["item"], e["field"], e["rule"]) for e in answer.json()["errors"]]
    assert errors == [(1, field, rule)]
    assert frames_on_topic(kafka, place.prefix) == before


def test_all_faults_come_at_once(client: httpx.Client) -> None:
    readings = [
        {"sensor": "n-1", "observed_at": "yesterday", "leq_db": "x", "y": 1},
        {"sensor": 7, "observed_at": now(), "leq_db": 1},
    ]
    answer = client.post(NOISE, json={"readings": readings})
    found = {(e["item"], e["field"]) for e in answer.json()["errors"]}
    assert found == {(0, "observed_at"), (0, "leq_db"), (0, "y"), (1, "sensor")}


def test_nan_too_many_and_too_large_are_refused(client: httpx.Client) -> None:
    body = f'{{"readings":[{{"sensor":"n-1","observed_at":"{now()}","leq_db":NaN}}]}}'
    nan = client.post(NOISE, content=body)
    assert nan.status_code == 422
    assert nan.json()["errors"][0]["rule"] == "not_finite"
    reading = {"sensor": "n-1", "observed_at": now(), "leq_db": 1}
    many = client.post(NOISE, json={"readings": [reading] * 5001})
    assert many.json()["errors"][0]["rule"] == "count"
    assert client.post(NOISE, content=b" " * (2 * 2**20 + 1)).status_code == 413
    assert client.post(NOISE, content=b"{").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status", "kind"),
    [
        ("POST", NOISE, {}, b"[" * 100_000, 400, "contract"),
        ("POST", NOISE, {}, b'{"readings":[{"sensor":"\xff"}]}', 400, "contract"),
        ("POST", NOISE, {"Content-Encoding": "gzip"}, b"\x1f\x8b", 415, "encoding"),
        ("POST", NOISE, {"Content-Type": "text/csv"}, b"a,b", 415, "content_type"),
        ("PUT", NOISE, {}, b"{}", 405, "method"),
        ("GET", "/elsewhere", {}, b"", 404, "path"),
    ],
)
def test_whatever_is_wrong_is_told_as_a_problem(
    client: httpx.Client,
    method: str,
    path: str,
    headers: dict[str, str],
    content: bytes,
    status: int,
    kind: str,
) -> None:
    answer = client.request(method, path, headers=headers, content=content)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:cityops:{kind}")


def test_unknown_stream_is_404_and_names_the_known(client: httpx.Client) -> None:
    answer = client.post("/v1/streams/tides/readings", json={})
    assert answer.status_code == 404
    assert "air_quality" in answer.json()["detail"]


def test_arrow_bodies_follow_the_same_rules(client: httpx.Client) -> None:
    def post(columns: dict[str, Any]) -> httpx.Response:
        sink = pa.BufferOutputStream()
        table = pa.table(columns)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
        return client.post(NOISE, content=sink.getvalue().to_pybytes(), headers=headers)

    at = [datetime.now(UTC)]
    assert post({"sensor": ["a"], "observed_at": at, "leq_db": [50.0]}).status_code == 202
    unknown = post({"sensor": ["a"], "observed_at": at, "speed": [50.0]})
    assert unknown.json()["errors"][0]["field"] == "speed"
    naive = post({"sensor": ["a"], "observed_at": [datetime(2026, 1, 1)], "leq_db": [1.0]})
    assert naive.json()["errors"][0]["rule"] == "time_zone"


def test_keys_are_needed_and_scoped(client: httpx.Client, place: Place) -> None:
    body = {"readings": [{"sensor": "n-1", "observed_at": now(), "leq_db": 1}]}
    assert client.post(NOISE, json=body, headers={"Authorization": ""}).status_code == 401
    scoped = {"Authorization": f"Bearer {place.keys['noise']}"}
    assert client.post(NOISE, json=body, headers=scoped).status_code == 202
    assert client.post("/v1/streams/weather/readings", json=body, headers=scoped).status_code == 403


def test_a_logger_that_ends_sending_after_its_request_gets_the_answer(place: Place) -> None:
    for number in range(20):
        reading = {"sensor": f"logger-{number}", "observed_at": now(), "leq_db": 50}
        with httpx.Client() as made:
            whole = made.build_request(
                "POST",
                place.url + NOISE,
                json={"readings": [reading]},
                headers={"Authorization": f"Bearer {place.keys['all']}"},
            )
        head = "".join(f"{name}: {value}\r\n" for name, value in whole.headers.items())
        host, port = whole.url.host, whole.url.port or 80
        with socket.create_connection((host, port), timeout=20) as wire:
            wire.sendall(f"POST {NOISE} HTTP/1.1\r\n{head}\r\n".encode() + whole.content)
            wire.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: wire.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 202"), answer
        assert answer.endswith(b'{"accepted":1}')


def test_strict_sends_unknown_sensors_to_the_dead_letters(
    kafka: str, dsn: str, topic_prefix: str, spawn: Spawner, keys: dict[str, str]
) -> None:
    url = start(spawn, CITYOPS_REGISTER="strict")
    spawn("storage", "sink")
    readings = [
        {"sensor": "stranger", "observed_at": now(), "leq_db": 50},
        {"sensor": "noise-510104-01", "observed_at": now(), "leq_db": 51},
    ]
    headers = {"Authorization": f"Bearer {keys['all']}"}
    answer = httpx.post(url + NOISE, json={"readings": readings}, headers=headers, timeout=30)
    assert answer.json() == {"accepted": 2, "dead_lettered": 1}

    def stored() -> tuple[list[Any], list[Any]]:
        with psycopg.connect(dsn) as conn:
            rows = conn.execute("SELECT sensor FROM readings_noise").fetchall()
            letters = conn.execute("SELECT code, readings FROM dead_letters").fetchall()
        return rows, letters

    wait_until(lambda: all(stored()), 30.0, "a row and a dead letter")
    rows, letters = stored()
    assert rows == [("noise-510104-01",)]
    assert [(code, r[0]["sensor"]) for code, r in letters] == [("unknown_sensor", "stranger")]


@pytest.mark.chaos
def test_a_broker_that_is_away_gives_503_with_retry_after(
    dsn: str, keys: dict[str, str], own_servers: OwnServers, spawn: Spawner
) -> None:
    url = start(spawn, CITYOPS_KAFKA=own_servers.start_broker())
    body = {"readings": [{"sensor": "n-1", "observed_at": now(), "leq_db": 1}]}
    headers = {"Authorization": f"Bearer {keys['all']}"}
    assert httpx.post(url + NOISE, json=body, headers=headers, timeout=30).status_code == 202
    assert own_servers.broker is not None
    own_servers.broker.kill9()
    answer = httpx.post(url + NOISE, json=body, headers=headers, timeout=40)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
