"""Where Kafka and TimescaleDB come from: servers that exist, containers, or our own processes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy import kafka_access
from deploy.docker import Compose, compose_answers
from deploy.errors import DeployError
from deploy.native import kafka, postgres_files, timescale
from deploy.native.servers import stored_password
from deploy.paths import ROOT, Layout, cache_dir
from deploy.plan import Process
from deploy.ports import LOOPBACK
from deploy.progress_signs import Lives, of_server
from deploy.rights import ADMIN, database_secret
from deploy.wait import wait_while_moving
from service.disk import disks
from service.kafka_login import Login, login
from storage.roles import NONE, ROLES, ensure_roles, role_of
from storage.views.reader import ensure_reader

DATABASE = "cityops"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where broker and database answer, and who may make users there, when it is we.

    `admin` is a role of the database, `kafka_secrets` the folder with the passwords of the users of
    a broker where we may make them; without it everybody is to Kafka whom the environment names.
    `kafka_admin` makes those users, where it is not the administrator of that folder.
    """

    kafka: str
    dsn: str
    admin: str = ""
    kafka_secrets: Path | None = None
    kafka_admin: Login | None = None

    def dsn_of(self, process: str, secrets: Path) -> str:
        """Return the address at which a process is its own role; empty for one that needs none.

        Where we may make no roles, and for a process without a line, it is the owner's.
        """
        if process in NONE:
            return ""
        if not self.admin or process not in ROLES:
            return self.dsn
        password = stored_password(secrets / database_secret(process))
        return make_conninfo(self.dsn, user=role_of(process), password=password)

    def kafka_login(self) -> Login:
        """Return who we are to the broker."""
        if self.kafka_admin or not self.kafka_secrets:
            return self.kafka_admin or login()
        return kafka_access.administrator(self.kafka_secrets)


class Runtime(Protocol):
    """One way to have Kafka and TimescaleDB."""

    name: str

    def prepare(self) -> list[Process]:
        """Install what is missing; return the server processes to supervise."""
        ...

    def planned(self) -> Addresses:
        """Return the addresses that the servers will have."""
        ...


def connect(runtime: Runtime, layout: Layout) -> Addresses:
    """Wait until both servers answer, make role and database where we may, return where.

    Servers of our own are waited for as long as they work, those of others for a minute.
    """
    found, lives = runtime.planned(), Lives(layout)
    known = found.admin or found.dsn

    def wait(name: str, ready: Callable[[], bool], what: str) -> None:
        signs = lambda: of_server(name, lives.check())  # noqa: E731
        wait_while_moving(ready, signs, lambda: f"{what}{shortage(layout)}")

    who = found.kafka_login()
    wait("kafka", lambda: kafka.ready(found.kafka, who), f"Kafka answering at {found.kafka}")
    at = f"PostgreSQL answering at {where(known)}"
    wait("postgres", lambda: timescale.ready(known), at)
    if found.kafka_secrets:
        kafka_access.grant(found.kafka, found.kafka_secrets, who=who)
    if found.admin:
        make_database(found.admin, str(conninfo_to_dict(found.dsn)["password"]), layout.secrets)
    return found


def where(dsn: str) -> str:
    """Return host and port of a database address, without its secrets."""
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"


class ExternalRuntime:
    """Servers named in the environment.

    CITYOPS_KAFKA and either CITYOPS_DSN, the database that is to be used, or CITYOPS_ADMIN_DSN
    (password in CITYOPS_ADMIN_PASSWORD_FILE), a role that may make our own role and database.
    CITYOPS_KAFKA_ADMIN_PASSWORD_FILE holds the password of Kafka's user `admin`, who may make users
    and rules there (by PLAIN, as in a broker of our own): every process then gets its own.
    """

    name = "external"

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def prepare(self) -> list[Process]:
        """Return nothing: these servers are somebody else's."""
        return []

    def planned(self) -> Addresses:
        """Return the given addresses."""
        return self._addresses


class ComposeRuntime:
    """Kafka and TimescaleDB as containers on loopback."""

    name = "compose"

    def __init__(self, layout: Layout, ports: dict[str, int]) -> None:
        self._layout = layout
        self._ports = ports

    def prepare(self) -> list[Process]:
        """Start the containers; the engine supervises them."""
        stored_password(self._layout.secrets / "postgres")
        kafka_access.write_container_settings(self._ports["kafka"], self._layout.secrets)
        Compose(self._layout).up(self._ports)
        return []

    def planned(self) -> Addresses:
        """Return where the containers' ports are published."""
        return _closed_on_loopback(self._layout, self._ports)


class NativeRuntime:
    """Kafka and TimescaleDB as supervised processes on loopback."""

    name = "native"

    def __init__(self, layout: Layout, ports: dict[str, int]) -> None:
        self._layout = layout
        self._ports = ports

    def prepare(self) -> list[Process]:
        """Install both and write their configurations."""
        libs = kafka.install(cache_dir())
        folder, at = self._layout.state / "kafka", (self._ports["kafka"], self._ports["controller"])
        closed = kafka_access.settings(*at, self._layout.secrets)
        config = kafka.prepare(libs, folder, *at, closed)
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

    def planned(self) -> Addresses:
        """Return where our processes listen."""
        return _closed_on_loopback(self._layout, self._ports)


def choose_runtime(layout: Layout, ports: dict[str, int]) -> Runtime:
    """Return compose when an engine answers, else native; CITYOPS_RUNTIME asks for one by name.

    Servers of somebody else are used only when CITYOPS_RUNTIME=external says so: addresses that
    were left in a shell must not make this platform join another's servers.
    """
    given, wish = _given(layout), os.environ.get("CITYOPS_RUNTIME", "")
    if wish not in ("", "native", "compose", "external"):
        raise DeployError(f"CITYOPS_RUNTIME is native, compose or external, not {wish!r}")
    if wish == "external" and given is None:
        raise DeployError(
            "CITYOPS_RUNTIME=external needs CITYOPS_KAFKA and CITYOPS_DSN; those that make env put"
            " into this shell belong to a platform and do not count"
        )
    if given and not wish:
        raise DeployError(
            "CITYOPS_KAFKA and CITYOPS_DSN are set. To run on these servers:"
            " CITYOPS_RUNTIME=external. To run on servers of our own:"
            " unset CITYOPS_KAFKA CITYOPS_DSN CITYOPS_ADMIN_DSN"
        )
    if given and wish == "external":
        return ExternalRuntime(given)
    if wish == "compose" or (not wish and compose_answers()):
        return ComposeRuntime(layout, ports)
    return NativeRuntime(layout, ports)


def _given(layout: Layout) -> Addresses | None:
    bootstrap, dsn = os.environ.get("CITYOPS_KAFKA", ""), os.environ.get("CITYOPS_DSN", "")
    admin = os.environ.get("CITYOPS_ADMIN_DSN", "")
    if file := os.environ.get("CITYOPS_ADMIN_PASSWORD_FILE"):
        admin = make_conninfo(admin, password=Path(file).read_text().strip())
    if admin and not dsn:
        own = {"user": DATABASE, "dbname": DATABASE, "password": _own_password(layout)}
        dsn = make_conninfo(admin, **own)
    who = _kafka_admin()
    users = layout.secrets if who else None
    return Addresses(bootstrap, dsn, admin, users, who) if bootstrap and dsn else None


def _kafka_admin() -> Login | None:
    """Return the named administrator of Kafka; None when no password of one is named."""
    file = os.environ.get("CITYOPS_KAFKA_ADMIN_PASSWORD_FILE", "")
    return Login(ADMIN, Path(file).read_text().strip(), "PLAIN") if file else None


def _closed_on_loopback(layout: Layout, ports: dict[str, int]) -> Addresses:
    port = ports["postgres"]
    return Addresses(
        f"{LOOPBACK}:{ports['kafka']}",
        timescale.dsn(port, _own_password(layout), DATABASE, DATABASE),
        timescale.dsn(port, stored_password(layout.secrets / "postgres")),
        layout.secrets,
    )


def _own_password(layout: Layout) -> str:
    return stored_password(layout.secrets / DATABASE)


def disks_of(layout: Layout) -> list[Path]:
    """Return the folders of this platform whose disks must not fill."""
    return [layout.state, database_folder(layout)]


def shortage(layout: Layout) -> str:
    """Return a sentence about disks that are full or nearly so; empty when none is."""
    low = [disk.words() for disk in disks(disks_of(layout)) if disk.low]
    return f" (a disk is full or nearly so: {'; '.join(low)})" if low else ""


def database_folder(layout: Layout) -> Path:
    """Return where the cluster lives: under the state folder, or /var/lib when that is closed.

    As root the server runs as another user, which may not enter e.g. root's home.
    """
    layout.state.mkdir(parents=True, exist_ok=True)
    if timescale.reachable(layout.state, timescale.server_user()):
        return layout.state / "postgres" / "data"
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return Path("/var/lib/cityops") / mark / "data"


def make_database(admin_dsn: str, password: str, secrets: Path) -> None:
    """Create database ``cityops``, its owner and a role a process; safe to repeat."""
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
        ensure_roles(conn, {p: stored_password(secrets / database_secret(p)) for p in ROLES})
