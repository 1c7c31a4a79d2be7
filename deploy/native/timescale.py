"""PostgreSQL with TimescaleDB on loopback, run as a user that is not root."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from deploy.errors import DeployError
from deploy.process import user_group

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Tuning:
    """Say how much memory the server takes and whether it survives a power cut."""

    shared_buffers_mb: int = 512
    max_wal_size_mb: int = 4096
    fsync: bool = True


PLATFORM = Tuning()
# Disposable servers lose nothing by a process kill without fsync; only a power cut could hurt.
DISPOSABLE = Tuning(shared_buffers_mb=256, max_wal_size_mb=2048, fsync=False)


def server_user() -> str | None:
    """Return the user the server runs as: None for oneself, else an unprivileged account."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise DeployError("PostgreSQL refuses to run as root and there is no user to run it as")


def reachable(folder: Path, user: str | None) -> bool:
    """Tell whether `user` may enter `folder`."""
    if user is None:
        return os.access(folder, os.X_OK)
    done = _as(user, ["test", "-x", str(folder)])
    return done.returncode == 0


def prepare(bin_dir: Path, data: Path, port: int, password: str, tuning: Tuning) -> None:
    """Create the cluster in `data` once and write its configuration.

    The password of the superuser is set at creation; later calls keep it.
    """
    user = server_user()
    if not (data / "PG_VERSION").exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _give(data, user)
        if not reachable(data, user):
            raise DeployError(f"user {user} cannot enter {data}; choose another state folder")
        _initdb(bin_dir, data, user, password)
    config = data / "postgresql.auto.conf"
    config.write_text(settings(port, tuning))
    _give(config, user)


def _initdb(bin_dir: Path, data: Path, user: str | None, password: str) -> None:
    line = [str(bin_dir / "initdb"), "-D", str(data), "-U", SUPERUSER, "--encoding=UTF8"]
    line += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    with tempfile.NamedTemporaryFile("w", prefix="cityops-") as secret:  # mode 0600
        secret.write(password + "\n")
        secret.flush()
        _give(Path(secret.name), user)
        line += ["--auth=scram-sha-256", f"--pwfile={secret.name}", "--no-instructions"]
        done = _as(user, line)
    if done.returncode:
        raise DeployError(f"initdb failed in {data}:\n{(done.stdout + done.stderr)[-2000:]}")


def settings(port: int, tuning: Tuning) -> str:
    """Return the server's settings as lines of its configuration file."""
    chosen: dict[str, object] = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "max_connections": 100,
        "shared_buffers": f"{tuning.shared_buffers_mb}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": f"{tuning.max_wal_size_mb}MB",
        "min_wal_size": "256MB",
        "wal_compression": "lz4",
        "checkpoint_timeout": "10min",
        "fsync": "on" if tuning.fsync else "off",
        "synchronous_commit": "on",
        "random_page_cost": 1.1,
        "jit": "off",
        # a query over many chunks locks each of them
        "max_locks_per_transaction": 256,
        "max_worker_processes": 8,
        "max_parallel_workers": 2,
        "max_parallel_workers_per_gather": 1,
        "autovacuum_max_workers": 2,
        "shared_preload_libraries": "timescaledb",
        "timescaledb.license": "apache",
        "timescaledb.telemetry_level": "off",
        "timescaledb.max_background_workers": 4,
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_min_messages": "warning",
        "log_line_prefix": "%m [%p] %a ",
        "idle_in_transaction_session_timeout": "5min",
    }
    return "".join(f"{name} = '{value}'\n" for name, value in chosen.items())


def command(bin_dir: Path, data: Path) -> list[str]:
    """Return the command line of the server; run it as `server_user()`."""
    return [str(bin_dir / "postgres"), "-D", str(data)]


def dsn(port: int, password: str, database: str = "postgres", user: str = SUPERUSER) -> str:
    """Return the address of a database of the local server."""
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"


def ready(address: str) -> bool:
    """Tell whether the server answers a query."""
    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _as(user: str | None, line: list[str]) -> subprocess.CompletedProcess[str]:
    account: dict[str, Any] = {}
    if user is not None:
        account = {"user": user, "group": user_group(user), "extra_groups": []}
    return subprocess.run(line, capture_output=True, text=True, timeout=120, cwd="/", **account)
