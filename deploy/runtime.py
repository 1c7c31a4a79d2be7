"""Where Kafka and TimescaleDB come from: servers that exist, or our own on this machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from deploy.native import kafka, postgres_files, timescale
from deploy.native.servers import stored_password
from deploy.paths import ROOT, Layout, cache_dir
from deploy.plan import Process
from deploy.ports import LOOPBACK
from deploy.wait import wait_until
from storage.views.reader import ensure_reader

READY_S = 90.0
DATABASE = "cityops"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where broker and database answer."""

    kafka: str
    dsn: str


class Runtime(Protocol):
    """One way to have Kafka and TimescaleDB."""

    name: str

    def prepare(self) -> list[Process]:
        """Install what is missing; return the server processes to supervise."""
        ...

    def connect(self) -> Addresses:
        """Wait until both answer, make the database, and return the addresses."""
        ...


class ExternalRuntime:
    """Servers named in the environment: CITYOPS_KAFKA and CITYOPS_DSN."""

    name = "external"

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def prepare(self) -> list[Process]:
        """Return nothing: these servers are somebody else's."""
        return []

    def connect(self) -> Addresses:
        """Return the given addresses once both answer."""
        wait_until(lambda: kafka.ready(self._addresses.kafka), READY_S, "Kafka answering")
        wait_until(lambda: timescale.ready(self._addresses.dsn), READY_S, "PostgreSQL answering")
        return self._addresses


class NativeRuntime:
    """Kafka and TimescaleDB as supervised processes on loopback."""

    name = "native"

    def __init__(self, layout: Layout, ports: dict[str, int]) -> None:
        self._layout = layout
        self._ports = ports

    def prepare(self) -> list[Process]:
        """Install both and write their configurations."""
        libs = kafka.install(cache_dir())
        folder = self._layout.state / "kafka"
        config = kafka.prepare(libs, folder, self._ports["kafka"], self._ports["controller"])
        bin_dir = postgres_files.install(cache_dir())
        data = database_folder(self._layout)
        data.parent.mkdir(parents=True, exist_ok=True)
        data.parent.chmod(0o755)
        password = stored_password(self._layout.secrets / "postgres")
        port = self._ports["postgres"]
        timescale.prepare(bin_dir, data, port, password, timescale.PLATFORM)
        line, user = timescale.command(bin_dir, data), timescale.server_user()
        return [
            Process("kafka", tuple(kafka.command(libs, config)), server=True),
            Process("postgres", tuple(line), user=user, folder=str(data), server=True),
        ]

    def connect(self) -> Addresses:
        """Wait for both; make our role and database the first time."""
        bootstrap = f"{LOOPBACK}:{self._ports['kafka']}"
        admin = timescale.dsn(
            self._ports["postgres"], stored_password(self._layout.secrets / "postgres")
        )
        wait_until(lambda: timescale.ready(admin), READY_S, "TimescaleDB answering")
        password = stored_password(self._layout.secrets / "cityops")
        make_database(admin, password)
        wait_until(lambda: kafka.ready(bootstrap), READY_S, "Kafka answering")
        dsn = timescale.dsn(self._ports["postgres"], password, DATABASE, DATABASE)
        return Addresses(bootstrap, dsn)


def choose_runtime(layout: Layout, ports: dict[str, int]) -> Runtime:
    """Return the external runtime when both addresses are given, else the native one."""
    given = Addresses(os.environ.get("CITYOPS_KAFKA", ""), os.environ.get("CITYOPS_DSN", ""))
    if given.kafka and given.dsn:
        return ExternalRuntime(given)
    return NativeRuntime(layout, ports)


def database_folder(layout: Layout) -> Path:
    """Return where the cluster lives: under the state folder, or /var/lib when that is closed.

    As root the server runs as another user, which may not enter e.g. root's home.
    """
    layout.state.mkdir(parents=True, exist_ok=True)
    if timescale.reachable(layout.state, timescale.server_user()):
        return layout.state / "postgres" / "data"
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return Path("/var/lib/cityops") / mark / "data"


def make_database(admin_dsn: str, password: str) -> None:
    """Create role and database ``cityops`` with the extension; safe to repeat."""
    with psycopg.connect(admin_dsn, autocommit=True) as conn:
        role = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE]).fetchone()
        if role is None:
            conn.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(DATABASE), sql.Literal(password)
                )
            )
        found = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            name = sql.Identifier(DATABASE)
            conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
    with psycopg.connect(admin_dsn, dbname=DATABASE, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        ensure_reader(conn)  # our own role may not make roles
