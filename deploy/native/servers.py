"""A disposable pair of servers, Kafka and TimescaleDB, on free ports in a folder of their own."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy import ports
from deploy.errors import DeployError
from deploy.native import kafka, postgres_files, timescale
from deploy.native.timescale import DISPOSABLE, Tuning
from deploy.paths import cache_dir
from deploy.ports import LOOPBACK
from deploy.process import Child, spawn
from deploy.progress_signs import of_server
from deploy.wait import wait_while_moving
from service.kafka_login import OPEN, Login

BROKER_PORTS = ("kafka", "controller")


@dataclass(frozen=True, slots=True)
class Servers:
    """Hold a running pair: addresses and the two processes."""

    bootstrap: str
    dsn: str
    broker: Child
    database: Child

    def stop(self) -> None:
        """Stop both by pid; the database by its fast shutdown."""
        with ThreadPoolExecutor(2) as pool:
            pool.submit(self.broker.stop, signal.SIGTERM, 20.0)
            pool.submit(self.database.stop, signal.SIGINT, 20.0)


def start_broker(
    folder: Path,
    jvm: Sequence[str] = (),
    more: Mapping[str, object] = kafka.NOTHING,
    cluster: str = "",
    who: Login = OPEN,
) -> tuple[str, Child]:
    """Start a broker in `folder`; return its bootstrap address and process.

    A folder used before keeps its data and, when they are free, its ports. `more` and `cluster`
    as in `kafka.prepare`; `who` asks whether it is ready.
    """
    libs = kafka.install(cache_dir())
    chosen = ports_of(folder, *BROKER_PORTS)
    config = kafka.prepare(libs, folder, chosen["kafka"], chosen["controller"], more, cluster)
    child = spawn("kafka", kafka.command(libs, config, jvm), folder / "kafka.log")
    bootstrap = f"{LOOPBACK}:{chosen['kafka']}"
    _await(child, lambda: kafka.ready(bootstrap, who))
    return bootstrap, child


def start_database(folder: Path, tuning: Tuning = DISPOSABLE) -> tuple[str, Child]:
    """Start a database server in `folder`; return the superuser's address and the process.

    A folder used before keeps its data, password and, when it is free, its port.
    """
    bin_dir = postgres_files.install(cache_dir())
    port = ports_of(folder, "postgres")["postgres"]
    password = stored_password(folder / "password")
    data = folder / "data"
    timescale.prepare(bin_dir, data, port, password, tuning)
    line = timescale.command(bin_dir, data)
    user = timescale.server_user()
    child = spawn("postgres", line, folder / "postgres.log", user=user, cwd=data)
    dsn = timescale.dsn(port, password)
    _await(child, lambda: timescale.ready(dsn))
    return dsn, child


def start(folder: Path, tuning: Tuning = DISPOSABLE) -> Servers:
    """Start both side by side; when one fails the other is stopped before the error is raised."""
    with ThreadPoolExecutor(2) as pool:
        broker = pool.submit(start_broker, folder / "kafka")
        database = pool.submit(start_database, folder / "postgres", tuning)
    failed = broker.exception() or database.exception()
    if failed is None:
        (bootstrap, kafka_child), (dsn, database_child) = broker.result(), database.result()
        return Servers(bootstrap, dsn, kafka_child, database_child)
    for future in (broker, database):
        if future.exception() is None:
            future.result()[1].stop()
    raise failed


def stored_password(path: Path, size: int = 24) -> str:
    """Return the password kept in `path` (mode 0600), made of `size` bytes at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(size))
    return path.read_text().strip()


def ports_of(folder: Path, *names: str) -> dict[str, int]:
    """Return the ports of a folder's server: those of its last start when they are free."""
    memory = folder / "ports.json"
    chosen = ports.choose(dict.fromkeys(names, 0), ports.load(memory))
    ports.save(memory, chosen)
    return chosen


def _await(child: Child, answers: Callable[[], bool]) -> None:
    try:
        condition = lambda: child.ensure_running() and answers()  # noqa: E731
        signs = lambda: of_server(child.name, {child.name: child.pid})  # noqa: E731
        wait_while_moving(condition, signs, lambda: f"{child.name} answering", every_s=0.05)
    except DeployError:
        child.stop()
        raise
