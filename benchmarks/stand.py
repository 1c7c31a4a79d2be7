"""The test stand: own servers with the platform's settings, a database and topics per contender."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict

from benchmarks.records import STREAM, declared
from catalog.registry import streams
from catalog.topics import PARTITIONS, all_topics
from deploy import kafka_access, vitals
from deploy.native import servers
from deploy.native.timescale import PLATFORM
from deploy.paths import ROOT
from deploy.ports import LOOPBACK, free_port
from deploy.process import Child, spawn
from deploy.rights import SHELL
from deploy.wait import wait_until
from service.kafka import ensure_topics
from storage.migrate import migrate
from storage.tables import readings_table

PEER_PYTHON = ROOT / "benchmarks" / ".venv" / "bin" / "python"
START_DEADLINE_S = 60.0


@dataclass(slots=True)
class Stand:
    """Servers and the processes started on them."""

    servers: servers.Servers
    folder: Path
    children: list[Child] = field(default_factory=list)
    secrets: Path | None = None
    """Passwords of the broker's users, when it asks for a name."""

    def login(self, user: str) -> dict[str, str]:
        """Return the variables by which a process is somebody to the broker."""
        return kafka_access.environment(user, self.secrets) if self.secrets else {}

    def place(self) -> "Place":
        """Return a fresh migrated database and a topic prefix nobody else uses."""
        name = f"bench_{secrets.token_hex(4)}"
        with psycopg.connect(self.servers.dsn, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}".encode())
        given = conninfo_to_dict(self.servers.dsn)
        account = f"{given['user']}:{given['password']}"
        dsn = f"postgresql://{account}@{given['host']}:{given['port']}/{name}"
        migrate(dsn)
        if self.secrets:
            kafka_access.grant(self.servers.bootstrap, self.secrets, prefix=name)
            os.environ.update(self.login(SHELL))
        ensure_topics(self.servers.bootstrap, all_topics(name, tuple(streams())))
        for variable in self.login(SHELL):
            del os.environ[variable]
        return Place(self, name, dsn)

    def pids(self) -> dict[str, int]:
        """Return the servers' process ids."""
        return {"kafka": self.servers.broker.pid, "postgres": self.servers.database.pid}


@dataclass(frozen=True, slots=True)
class Running:
    """One of our processes with its health port."""

    child: Child
    port: int

    def health(self) -> dict[str, Any]:
        """Return what ``/health`` says, well or unwell; empty while nothing answers."""
        return vitals.ask(self.port)

    def rows(self) -> int:
        """Return the readings handled so far."""
        return self.health().get("rows_total") or 0

    def metric(self, sample: str) -> float:
        """Return the sum of a sample that ``/metrics`` tells."""
        text = httpx.get(f"http://{LOOPBACK}:{self.port}/metrics").text
        families = text_string_to_metric_families(text)
        return sum(s.value for family in families for s in family.samples if s.name == sample)


@dataclass(slots=True)
class Place:
    """One contender's database and topics, and how to start processes there."""

    stand: Stand
    prefix: str
    dsn: str
    started: list[Child] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Return the environment of every process of this place."""
        outer = {k: v for k, v in os.environ.items() if not k.startswith("CITYOPS_")}
        return outer | {
            "CITYOPS_KAFKA": self.stand.servers.bootstrap,
            "CITYOPS_DSN": self.dsn,
            "CITYOPS_TOPIC_PREFIX": self.prefix,
            "CITYOPS_STATE_DIR": str(self.stand.folder / self.prefix),
            "PYTHONPATH": str(ROOT),
        }

    def start(self, *arguments: str, **extra: str) -> Running:
        """Start ``python -m …`` of ours and wait until it is healthy."""
        port, name = free_port(), arguments[-1]
        env = self.environment() | {"CITYOPS_PROCESS": name, "CITYOPS_METRICS_PORT": str(port)}
        env |= self.stand.login(name) | extra
        child = self._spawn(name, [sys.executable, "-m", *arguments], env)
        running = Running(child, port)
        well = lambda: child.ensure_running() and running.health().get("healthy")  # noqa: E731
        wait_until(well, START_DEADLINE_S, f"{name} healthy")
        return running

    def peer(self, script: str, *arguments: str, own_python: bool) -> Child:
        """Start a peer; with ``own_python`` in the peers' own virtual environment."""
        python = str(PEER_PYTHON) if own_python else sys.executable
        line = [python, "-m", f"benchmarks.peers.{script}", *arguments]
        return self._spawn(script, line, self.environment())

    def producer(self, *arguments: str, own_python: bool = False) -> "Producing":
        """Start a producer and wait until its readings are made."""
        python = str(PEER_PYTHON) if own_python else sys.executable
        handle = subprocess.Popen(
            [python, "-m", "benchmarks.producers", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment() | self.stand.login("city"),
            cwd=ROOT,
            text=True,
        )
        return Producing(handle)

    def table(self, name: str) -> str:
        """Make a hypertable with the columns and key of the readings; return its name."""
        source = readings_table(STREAM)
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            for line in (
                f"CREATE TABLE {name} (LIKE {source})",
                f"ALTER TABLE {name} ALTER received_at SET DEFAULT now()",
                f"CREATE UNIQUE INDEX ON {name} (sensor, observed_at)",
                f"SELECT create_hypertable('{name}', by_range('observed_at', INTERVAL '1 day'),"
                " create_default_indexes => false)",
            ):
                conn.execute(line.encode())
        return name

    def topic(self, name: str) -> str:
        """Make a topic with as many partitions as ours."""
        topic = f"{self.prefix}.{name}"
        ensure_topics(self.stand.servers.bootstrap, [topic])
        return topic

    def count(self, table: str) -> int:
        """Return the rows of a table."""
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        return row[0] if row else 0

    def close(self) -> None:
        """Stop what was started here and drop the database."""
        for child in reversed(self.started):
            child.stop(patience_s=5.0)
        with psycopg.connect(self.stand.servers.dsn, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {self.prefix} WITH (FORCE)".encode())

    def _spawn(self, name: str, line: list[str], env: dict[str, str]) -> Child:
        log = self.stand.folder / f"{self.prefix}-{name}.log"
        child = spawn(name, line, log, env=env, cwd=ROOT)
        self.started.append(child)
        return child


@dataclass(slots=True)
class Producing:
    """A producer that has its readings ready."""

    handle: subprocess.Popen[str]

    def __post_init__(self) -> None:
        assert self.handle.stdout is not None
        if self.handle.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the producer left with code {self.handle.wait()}")

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self.handle.pid

    def go(self) -> None:
        """Let it send."""
        assert self.handle.stdin is not None
        self.handle.stdin.write("\n")
        self.handle.stdin.flush()

    def result(self) -> dict[str, float]:
        """Wait for its end; return ``started`` and ``acked`` (epoch s) and ``readings``."""
        assert self.handle.stdout is not None
        return json.loads(self.handle.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.handle.kill()
        self.handle.communicate()


@contextmanager
def open_stand() -> Iterator[Stand]:
    """Start the servers; they and their data are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cityops-bench-"))
    folder.chmod(0o755)
    try:
        stand = Stand(servers.start(folder, PLATFORM), folder)
        try:
            yield stand
        finally:
            stand.servers.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_place(stand: Stand) -> Iterator[Place]:
    """Give a place; what was started there is stopped at the end."""
    place = stand.place()
    try:
        yield place
    finally:
        place.close()


def metrics_argument() -> str:
    """Return the metric columns, as the peers take them."""
    return ",".join(declared().metric_names)


__all__ = ["PARTITIONS", "Place", "Producing", "Running", "Stand", "open_place", "open_stand"]
