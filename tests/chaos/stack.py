"""The platform under chaos: its own servers and processes, each started again when it ends."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from catalog.topics import all_topics
from deploy.paths import ROOT
from deploy.ports import LOOPBACK, free_port
from deploy.process import Child, spawn
from service.kafka import ensure_topics
from storage.api_keys import add_key
from tests.chaos.disks import small_disks
from tests.chaos.ledger import STREAMS, Ledger
from tests.chaos.proxy import Proxy
from tests.oracle.judge import Judge
from tests.servers import OwnServers, native_folder, outer_environment, wait_until

PREFIX = "chaos"
MEMBERS = {
    "gateway": ("ingest", "gateway"),
    "sink": ("storage", "sink"),
    "worker": ("streams", "worker"),
    "alerts": ("alerts", "engine"),
}


@dataclass
class Stack:
    """Servers, the proxy before the database, and members that are kept alive."""

    own: OwnServers
    folder: Path
    without: str = ""
    """Name of the guard that is taken out of every process (see ``guards``)."""
    members: dict[str, Child] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
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
        self.proxy = Proxy(LOOPBACK, int(str(port)))
        gateway = f"http://{LOOPBACK}:{free_port()}"
        self._base = outer_environment() | {
            "CITYOPS_KAFKA": kafka,
            "CITYOPS_DSN": make_conninfo(self.dsn, port=str(self.proxy.port)),
            "CITYOPS_TOPIC_PREFIX": PREFIX,
            "CITYOPS_GATEWAY": gateway,
            "CITYOPS_STATE_DIR": str(self.folder),
        }
        self._run("storage", "migrate")
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            key = add_key(conn, "chaos", ["ingest:*"])
        ensure_topics(kafka, all_topics(PREFIX, STREAMS))
        for name in MEMBERS:
            self.add(name)
        threading.Thread(target=self._keep, name="keeper", daemon=True).start()
        self.ledger = Ledger(gateway, key, kafka, PREFIX, seed)
        self.judge = Judge(kafka, self.dsn, PREFIX, STREAMS)

    def add(self, name: str) -> None:
        """Start a member; ``sink-2`` is a second sink."""
        kind, _, number = name.partition("-")
        own = {"CITYOPS_PROCESS": name, "CITYOPS_METRICS_PORT": str(free_port())}
        own["CITYOPS_WORKER_INSTANCE"] = number or "1"
        with self._lock:
            self._env[name] = self._base | own | {"CITYOPS_STATE_DIR": str(self.folder / name)}
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
        self.proxy.close()

    def _spawn(self, name: str, kind: str) -> Child:
        room = MEMBERS[kind]
        before = ["-m", "tests.chaos.guards", self.without] if self.without else ["-m"]
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

    def _run(self, *arguments: str) -> None:
        line = [sys.executable, "-m", *arguments]
        child = spawn("migrate", line, self.folder / "migrate.log", env=self._base, cwd=ROOT)
        assert child.handle.wait(60) == 0, (self.folder / "migrate.log").read_text()

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
def running_stack(seed: int, without: str = "", *, disks: bool = False) -> Iterator[Stack]:
    """Give a started stack whose data flows; everything is stopped and removed at the end.

    With ``disks`` each server has a small one of its own.
    """
    with native_folder() as folder, small_disks(folder) if disks else nullcontext():
        own = OwnServers(folder)
        stack = Stack(own, folder / "members", without)
        try:
            stack.start(seed)
            stack.ledger.start()
            wait_until(lambda: stack.stored(0), 60.0, "the first row")
            yield stack
        finally:
            if hasattr(stack, "ledger"):
                stack.ledger.stop()
            if hasattr(stack, "proxy"):
                stack.stop()
            own.stop()
