"""What the tests of alerts share: a scripted receiver, transitions, a database to look into."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import Connection
from pydantic import SecretStr

from alerts.delivery.guard import Guard
from alerts.delivery.outbox import lock_writers
from alerts.delivery.receivers import Receiver, new_secret, register
from alerts.delivery.vault import open_vault
from alerts.episode.episodes import Change, apply
from alerts.routing.notify import Notifier
from alerts.scheduler import Keeper, tick
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from catalog.contracts import Transition
from storage import audit
from tests.support.servers import Spawner


@dataclass
class Place:
    """A console with a key of each role, and what it stands on."""

    dsn: str
    folder: Path
    spawn: Spawner
    clients: dict[str, httpx.Client]

    def call(self, role: str, method: str, path: str, **more: Any) -> httpx.Response:
        """Call ``/api/v1`` + path, or another version's full path, as a role."""
        full = path if path.startswith("/api/") else "/api/v1" + path
        return self.clients[role].request(method, full, **more)

    def audits(self, what: str) -> list[audit.Entry]:
        with psycopg.connect(self.dsn) as conn:
            return audit.entries(conn, search=what)


DROP = 0
"""In a script: the receiver reads the message and closes the connection without an answer."""
DRIP = -1
"""In a script: the receiver answers, but its headers never come to an end."""
START = datetime(2026, 11, 24, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)  # Tuesday noon in Chengdu
SECRET = new_secret()


@dataclass
class Stub:
    """A receiver that keeps every request and answers by script (204 when the script is over)."""

    port: int
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    answer: bytes = b""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def serving(port: int = 0) -> Iterator[Stub]:
    """Serve a stub on a loopback port, a free one unless it is given."""
    made = Stub(0)
    made.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {k.lower(): v for k, v in self.headers.items()}
            made.got.append((headers, body))
            made.paths.append(self.path)
            status, extra = made.script.pop(0) if made.script else (204, {})
            made.hold.wait(60)
            if status == DROP:
                self.close_connection = True
                return  # read, and gone without an answer
            if status == DRIP:
                self.close_connection = True
                self._drip()
                return
            if made.answer and status == 204:
                status = 200
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(made.answer)))
            self.end_headers()
            self.wfile.write(made.answer)

        def _drip(self) -> None:
            with suppress(OSError):
                self.connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
                while not made.over.wait(0.5):
                    self.connection.sendall(b"a")

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that was killed mid-request is part of these tests."""

    server = Server(("127.0.0.1", port), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.hold.set()
        made.over.set()
        server.shutdown()
        server.server_close()


def transition(number: int, kind: Any = "raised", severity: int = 2, **other: Any) -> Transition:
    """Return a transition of noise sensor ``n-<number>``."""
    given: dict[str, Any] = {
        "id": f"t-{number}-{kind}-{severity}",
        "episode": f"e-{number}",
        "rule": "noise.night",
        "stream": "noise",
        "sensor": f"n-{number}",
        "kind": kind,
        "severity": severity,
        "metric": "leq_20min",
        "value": 61.5,
        "threshold": 50.0,
        "observed_at": START + timedelta(seconds=number),
        "produced_at": START,
    }
    return Transition(**(given | other))


def of_sensor(stream: str, rule: str, sensor: str, n: int = 1, **other: Any) -> Transition:
    """Return the n-th raised transition of a sensor of the city."""
    kind = other.get("kind", "raised")
    own = {"stream": stream, "rule": f"{stream}.{rule}", "sensor": sensor, "metric": None}
    own |= {"value": None, "threshold": None, "episode": f"{stream}.{rule}/{sensor}/{n}"}
    own |= {"id": f"{stream}.{rule}/{sensor}/{n}/{kind}/{other.get('severity', 2)}"}
    return transition(n, **(own | other))


def add_receiver(dsn: str, state_dir: Path, stub: Stub, name: str = "duty", **filters: Any) -> None:
    """Register the stub as a receiver."""
    url = f"http://127.0.0.1:{stub.port}/"
    secret = {"secret": SecretStr(SECRET)} if filters.get("format") != "wecom" else {}
    everything = {"concerns": ["city", "maintenance"]}
    given = Receiver.model_validate({"name": name, "url": url} | everything | secret | filters)
    vault = open_vault(state_dir / "secrets.key")
    with psycopg.connect(dsn, autocommit=True) as conn:
        register(conn, given, Guard(["127.0.0.1"]), vault, "api")


def add_users(conn: Connection, *names: str) -> None:
    """Let these people log in, so that something can be given to them."""
    for name in names:
        conn.execute(
            "INSERT INTO console_users (name, role, password_hash) VALUES (%s, 'operator', '-')"
            " ON CONFLICT DO NOTHING",
            [name],
        )


def ask(dsn: str, query: str) -> list[Any]:
    """Return the rows of a query."""
    with psycopg.connect(dsn) as conn:
        return conn.execute(query.encode()).fetchall()


def do(dsn: str, statement: str) -> None:
    """Run one statement."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement.encode())


@dataclass
class Desk:
    """The engine's work without Kafka, with a clock of the test's own."""

    conn: Connection
    settings: AlertSettings
    notifier: Notifier
    now: datetime = NOW

    def take(self, *transitions: Transition) -> list[Change]:
        with self.conn.transaction():
            lock_writers(self.conn)
            made = [c for t in transitions if (c := apply(self.conn, t))]
            settle(self.conn, made, self.notifier, self.settings, self.now)
        return made

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)
        tick(self.conn, Keeper(self.settings, self.notifier), self.now)

    def said(self, receiver: str = "duty") -> list[str]:
        rows = self.conn.execute(
            "SELECT o.kind, o.events FROM outbox o JOIN receivers r ON r.id = o.receiver"
            " WHERE r.name = %s ORDER BY receiver_seq",
            [receiver],
        )
        return [kind if events == 1 else f"{kind} {events}" for kind, events in rows]
