"""Alerts on real Kafka, TimescaleDB and HTTP: one episode, one signed webhook, nothing lost."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import psycopg
import pytest
from kafka import KafkaProducer
from pydantic import SecretStr
from standardwebhooks import Webhook

from alerts.receivers import Receiver, new_secret, register
from catalog.contracts import Transition, encode_json
from catalog.registry import streams
from catalog.topics import all_topics, shard_key, shard_of, transitions_topic
from service.kafka import ensure_topics, producer
from tests.servers import Spawner, wait_until

START = datetime(2026, 11, 24, tzinfo=UTC)
SECRET = new_secret()


@dataclass
class Stub:
    """A receiver that keeps every request and answers by script (204 when the script is over)."""

    port: int
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub(0)
    made.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {k.lower(): v for k, v in self.headers.items()}
            made.got.append((headers, body))
            status, extra = made.script.pop(0) if made.script else (204, {})
            made.hold.wait(60)
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that was killed mid-request is part of these tests."""

    server = Server(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    made.hold.set()
    server.shutdown()
    server.server_close()


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


def transition(number: int, kind: Any = "raised", severity: int = 2) -> Transition:
    return Transition(
        id=f"t-{number}-{kind}-{severity}",
        episode=f"e-{number}",
        rule="noise.night",
        stream="noise",
        sensor=f"n-{number}",
        kind=kind,
        severity=severity,
        metric="leq_20min",
        value=61.5,
        threshold=50.0,
        observed_at=START + timedelta(seconds=number),
        produced_at=START,
    )


def add_receiver(dsn: str, stub: Stub, name: str = "duty", **filters: Any) -> None:
    url = f"http://127.0.0.1:{stub.port}/"
    given = Receiver(name=name, url=url, secret=SecretStr(SECRET), **filters)
    with psycopg.connect(dsn, autocommit=True) as conn:
        register(conn, given, ["127.0.0.1"], "api")


def ask(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(query.encode()).fetchall()


def start(spawn: Spawner) -> None:
    spawn("alerts", "engine")
    spawn("alerts", "deliver")


def test_an_alert_is_told_once_signed_and_readable(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    add_receiver(dsn, stub)
    start(spawn)
    send(transition(1), transition(1), transition(1, "changed", 1), transition(1, "cleared", 1))
    wait_until(lambda: len(stub.got) >= 3, 30.0, "three webhooks")
    events = [Webhook(SECRET).verify(body, headers) for headers, body in stub.got]
    assert [e["type"] for e in events] == ["alert.raised", "alert.changed", "alert.cleared"]
    first = events[0]["data"]
    assert first["title"]["zh"] == "夜间噪声超标"
    assert (first["value"], first["threshold"], first["unit"]) == (61.5, 50.0, "dB(A)")
    assert len(set(stub.ids())) == 3
    episodes = ask(dsn, "SELECT status, severity, peak_severity, cleared_at FROM episodes")
    assert episodes == [("cleared", 1, 1, START + timedelta(seconds=1))]
    assert ask(dsn, "SELECT count(*) FROM transitions") == [(3,)]


def test_filters_keep_what_a_receiver_does_not_want(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    add_receiver(dsn, stub, "water", domains=["water"])
    add_receiver(dsn, stub, "red-only", min_severity=1)
    start(spawn)
    send(transition(1, severity=2), transition(2, severity=1))
    wait_until(lambda: ask(dsn, "SELECT count(*) FROM episodes") == [(2,)], 30.0, "episodes")
    wait_until(lambda: len(stub.got) == 1, 30.0, "one webhook")
    assert ask(dsn, "SELECT episode FROM outbox") == [("e-2",)]


def test_a_second_open_episode_of_a_subject_becomes_a_dead_letter(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    spawn("alerts", "engine")
    other = msgspec.structs.replace(transition(1), id="t-other", episode="e-other")
    send(transition(1), other, transition(2))
    wait_until(lambda: ask(dsn, "SELECT count(*) FROM episodes") == [(2,)], 30.0, "episodes")
    wait_until(lambda: ask(dsn, "SELECT code FROM dead_letters") == [("database",)], 30.0, "letter")


def test_failures_are_tried_again_in_order_with_the_same_id(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    add_receiver(dsn, stub)
    stub.script = [(500, {}), (302, {"Location": f"http://127.0.0.1:{stub.port}/other"})]
    start(spawn)
    send(transition(1), transition(1, "cleared"))
    for failures in (1, 2):
        query = (
            f"SELECT count(*) FROM deliveries WHERE error IS NOT NULL HAVING count(*) = {failures}"
        )
        wait_until(lambda q=query: bool(ask(dsn, q)), 30.0, f"{failures} failures")
        with psycopg.connect(dsn, autocommit=True) as conn:  # do not wait for the schedule
            conn.execute("UPDATE outbox SET next_attempt_at = now()")
    wait_until(lambda: len(stub.got) == 4, 30.0, "both delivered")
    ids = stub.ids()
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert len({body for _, body in stub.got[:3]}) == 1
    done = "SELECT attempts FROM outbox WHERE delivered_at IS NOT NULL ORDER BY seq"
    wait_until(lambda: ask(dsn, done) == [(3,), (1,)], 30.0, "delivered marks")


def test_gone_disables_the_receiver_and_says_why(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    add_receiver(dsn, stub)
    stub.script = [(410, {})]
    start(spawn)
    send(transition(1))
    query = "SELECT disabled_reason FROM receivers WHERE NOT enabled"
    wait_until(lambda: bool(ask(dsn, query)), 30.0, "disabled")
    assert "410" in ask(dsn, query)[0][0]


@pytest.mark.chaos
def test_kill_9_between_post_and_mark_sends_the_same_message_again(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    add_receiver(dsn, stub)
    spawn("alerts", "engine")
    deliver = spawn("alerts", "deliver")
    stub.hold.clear()
    send(transition(1))
    wait_until(lambda: len(stub.got) == 1, 30.0, "the first post")
    deliver.kill9()
    stub.hold.set()
    spawn("alerts", "deliver")
    wait_until(lambda: len(stub.got) == 2, 30.0, "the second post")
    assert stub.got[0][1] == stub.got[1][1]
    assert stub.ids()[0] == stub.ids()[1]
    assert ask(dsn, "SELECT count(*) FROM episodes") == [(1,)]


@pytest.mark.chaos
def test_kill_9_of_the_engine_doubles_and_loses_nothing(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner
) -> None:
    add_receiver(dsn, stub)
    engine = spawn("alerts", "engine")
    for block in range(3):
        send(*(transition(n) for n in range(block * 100, block * 100 + 100)))
        done = f"SELECT count(*) FROM transitions HAVING count(*) > {block * 100}"
        wait_until(lambda q=done: bool(ask(dsn, q)), 60.0, "progress")
        engine.kill9()
        engine = spawn("alerts", "engine")
    whole = [(300, 300)]
    query = "SELECT count(*), count(DISTINCT sensor) FROM episodes"
    wait_until(lambda: ask(dsn, query) == whole, 30.0, "every episode")
    assert ask(dsn, "SELECT count(*), count(DISTINCT transition) FROM outbox") == whole
