"""The platform under chaos: its own servers and processes, each started again when it ends."""

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from catalog.topics import all_topics
from deploy.paths import ROOT
from deploy.ports import LOOPBACK, free_port
from deploy.process import Child, spawn
from deploy.wait import wait_until
from service.kafka import ensure_topics
from storage.api_keys import add_key
from verify.chaos.backwards import watch_offsets
from verify.chaos.disks import small_disks
from verify.chaos.ledger import STREAMS, Ledger
from verify.chaos.proxy import Proxy
from verify.chaos.servers import ChaosServers
from verify.oracle.judge import Judge
from verify.servers import native_folder, outer_environment

PREFIX = "chaos"
FLOW_S = 90.0
"""How long to wait at most until data flows again."""
MEMBERS = {
    "gateway": ("ingest", "gateway"),
    "sink": ("storage", "sink"),
    "worker": ("streams", "worker"),
    "alerts": ("alerts", "engine"),
}
BY_STRIKES = {"facts": ("storage", "facts"), "records": ("records", "run")}
"""Members that only the strike adds which is about them."""


@dataclass
class Stack:
    """Servers, the proxies before them, and members that are kept alive."""

    own: ChaosServers
    folder: Path
    without: str = ""
    """Name of the guard that is taken out of every process (see ``guards``)."""
    members: dict[str, Child] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    next_start: dict[str, str] = field(default_factory=dict)
    """Name of the switch (see ``guards``) that a member gets at its next start only."""
    gone: tuple[int, int] = (0, 0)
    """From which to which accepted reading everything is gone: it came after both copies."""
    _env: dict[str, dict[str, str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, seed: int) -> None:
        """Start servers and members; ``ledger`` and ``judge`` are then ready to use."""
        kafka, server = self.own.start_broker(), self.own.start_database()
        self.dsn = make_conninfo(server, dbname="chaos")
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute("CREATE DATABASE chaos")
        port = conninfo_to_dict(self.dsn)["port"]
        self.to_database = Proxy(LOOPBACK, int(str(port)))
        gateway = f"http://{LOOPBACK}:{free_port()}"
        self._base = outer_environment() | {
            "CITYOPS_KAFKA": self.own.for_members(),
            "CITYOPS_DSN": make_conninfo(self.dsn, port=str(self.to_database.port)),
            "CITYOPS_TOPIC_PREFIX": PREFIX,
            "CITYOPS_GATEWAY": gateway,
            "CITYOPS_STATE_DIR": str(self.folder),
        }
        self.run("storage", "migrate")
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            key = add_key(conn, "chaos", ["ingest:*"])
            watch_offsets(conn)
        ensure_topics(kafka, all_topics(PREFIX, STREAMS))
        for name in MEMBERS:
            self.add(name)
        threading.Thread(target=self._keep, name="keeper", daemon=True).start()
        self.ledger = Ledger(gateway, key, kafka, PREFIX, seed)
        self.judge = Judge(kafka, self.dsn, PREFIX, STREAMS)

    def add(self, name: str, more: Mapping[str, str] | None = None) -> None:
        """Start a member, told ``more`` than the others; ``sink-2`` is a second sink."""
        kind, _, number = name.partition("-")
        own = {"CITYOPS_PROCESS": name, "CITYOPS_METRICS_PORT": str(free_port())}
        own["CITYOPS_WORKER_INSTANCE"] = number or "1"
        with self._lock:
            self._env[name] = self._base | own | {"CITYOPS_STATE_DIR": str(self.folder / name)}
            self._env[name] |= more or {}
            self.members[name] = self._spawn(name, kind)

    def remove(self, name: str) -> None:
        """Stop a member for good, in an orderly way."""
        with self._lock:
            child = self.members.pop(name)
        child.stop()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a member and all it started."""
        self.members[name].signal_group(number)

    def stop(self) -> None:
        """Stop the members; the servers are their owner's."""
        self._stop.set()
        with self._lock:
            for child in self.members.values():
                child.stop()
        self.to_database.close()

    def _spawn(self, name: str, kind: str) -> Child:
        room = (MEMBERS | BY_STRIKES)[kind]
        switch = self.next_start.pop(name, self.without)
        before = ["-m", "verify.chaos.guards", switch] if switch else ["-m"]
        line = [sys.executable, *before, *room]
        return spawn(name, line, self.folder / f"{name}.log", env=self._env[name], cwd=ROOT)

    def _keep(self) -> None:
        """Start again what has ended, as the supervisor does."""
        while not self._stop.wait(0.3):
            with self._lock:
                for name, child in list(self.members.items()):
                    if not child.running() and not self._stop.is_set():
                        self.restarts[name] = self.restarts.get(name, 0) + 1
                        self.members[name] = self._spawn(name, name.partition("-")[0])

    def run(self, *arguments: str) -> None:
        """Run a command of ours to its end."""
        line = [sys.executable, "-m", *arguments]
        child = spawn("migrate", line, self.folder / "migrate.log", env=self._base, cwd=ROOT)
        assert child.handle.wait(60) == 0, (self.folder / "migrate.log").read_text()

    def metrics(self, name: str, metric: str) -> dict[str, float]:
        """Return a metric of a member by its labels; empty while it does not answer."""
        with suppress(httpx.HTTPError):
            text = httpx.get(f"{self._vitals(name)}/metrics", timeout=2.0).text
            samples = (s for f in text_string_to_metric_families(text) for s in f.samples)
            return {
                ",".join(sample.labels.values()): sample.value
                for sample in samples
                if sample.name == metric
            }
        return {}

    def healthy(self, name: str) -> bool:
        """Tell whether a member says that it is well."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self._vitals(name)}/health", timeout=2.0).status_code == 200
        return False

    def reason(self, name: str) -> str:
        """Return why a member is unwell, in its own words; empty while it does not answer."""
        with suppress(httpx.HTTPError):
            said = httpx.get(f"{self._vitals(name)}/health", timeout=2.0).json()
            return str(said.get("reason") or "")
        return ""

    def _vitals(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self._env[name]['CITYOPS_METRICS_PORT']}"

    def stored(self, after: int) -> bool:
        """Tell whether a reading that was accepted after the first ``after`` ones is a row."""
        fresh = self.ledger.accepted[after:]
        if not fresh:
            return False
        name, reading = fresh[-1]
        query = f"SELECT 1 FROM readings_{name} WHERE sensor = %s AND observed_at = %s"
        with suppress(psycopg.OperationalError), psycopg.connect(self.dsn) as conn:
            key = [reading["sensor"], reading["observed_at"]]
            return conn.execute(query.encode(), key).fetchone() is not None
        return False

    def await_rows(self, deadline_s: float = FLOW_S) -> None:
        """Wait until a reading accepted from now on is a row."""
        known = len(self.ledger.accepted)
        wait_until(lambda: self.stored(known), deadline_s, "a new reading as a row")

    def judged(self, since: float) -> bool:
        """Tell whether the worker has stored a checkpoint since a time (epoch seconds)."""
        query = b"SELECT max(updated_at) > to_timestamp(%s) FROM checkpoints"
        with suppress(psycopg.OperationalError), psycopg.connect(self.dsn) as conn:
            row = conn.execute(query, [since]).fetchone()
            return bool(row and row[0])
        return False

    def settle(self, deadline_s: float) -> None:
        """Pause the ledger and wait until everything issued has gone all the way."""
        self.ledger.pause()
        self.judge.settle(deadline_s)


@contextmanager
def running_stack(
    seed: int, without: str = "", *, disks: bool = False, brokers: int = 1
) -> Iterator[Stack]:
    """Give a started stack whose data flows; everything is stopped and removed at the end.

    With ``disks`` each server has a small one of its own.
    """
    with native_folder() as folder, small_disks(folder) if disks else nullcontext():
        own = ChaosServers(folder, count=brokers)
        stack = Stack(own, folder / "members", without)
        try:
            stack.start(seed)
            stack.ledger.start()
            wait_until(lambda: stack.stored(0), 60.0, "the first row")
            yield stack
        finally:
            if hasattr(stack, "ledger"):
                stack.ledger.stop()
            if hasattr(stack, "to_database"):
                stack.stop()
            own.stop()
