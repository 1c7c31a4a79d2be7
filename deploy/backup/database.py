"""The database's side of backup and restore: the fitting pg_dump and pg_restore, rows, roles."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.errors import DeployError
from deploy.native import postgres_files
from deploy.paths import cache_dir

CHUNK = 2**20
PATIENT = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC"
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.deptype = 'e') ORDER BY 1"""
ROLES = "SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' AND NOT rolsuper ORDER BY 1"


@contextmanager
def snapshot(dsn: str) -> Iterator[tuple[Connection, str]]:
    """Give a connection that sees one moment, and the name by which pg_dump sees the same one."""
    with psycopg.connect(dsn, options=PATIENT) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        yield conn, str(_value(conn, "SELECT pg_export_snapshot()"))


def rows_of(conn: Connection) -> dict[str, int]:
    """Return table → rows, of every table of ours."""
    names = [row[0] for row in conn.execute(TABLES)]
    count = sql.SQL("SELECT count(*) FROM public.{}")
    return {name: _value(conn, count.format(sql.Identifier(name))) for name in names}


def roles_of(conn: Connection) -> list[str]:
    """Return the roles that tables may belong or be granted to."""
    return [row[0] for row in conn.execute(ROLES.encode())]


def versions(conn: Connection) -> tuple[str, str]:
    """Return the versions of PostgreSQL and TimescaleDB."""
    extension = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
    return str(_value(conn, "SHOW server_version")), str(_value(conn, extension))


def dump(dsn: str, seen: str, out: Any) -> None:
    """Write a dump of what the snapshot `seen` shows."""
    line = [str(tool("pg_dump", dsn)), "--format=custom", "--compress=zstd:3", "--no-password"]
    address, env = _apart(dsn)
    _run([*line, f"--snapshot={seen}", f"--dbname={address}"], env, out=out)


def load(dsn: str, dumped: IO[bytes]) -> None:
    """Restore a dump into an empty database that has the extension, as TimescaleDB demands.

    `dsn` is of a role that may switch TimescaleDB into its restoring mode: a superuser's.
    """
    line = [str(tool("pg_restore", dsn)), "--format=custom", "--exit-on-error", "--no-password"]
    address, env = _apart(dsn)
    with psycopg.connect(dsn, autocommit=True, options=PATIENT) as conn:
        try:
            conn.execute("SELECT timescaledb_pre_restore()")
        except psycopg.errors.InsufficientPrivilege as error:
            raise DeployError(
                "this role may not restore a TimescaleDB: name a superuser in CITYOPS_ADMIN_DSN"
            ) from error
        try:
            _run([*line, f"--dbname={address}"], env, given=dumped)
        finally:  # until then every insert fails
            conn.execute("SELECT timescaledb_post_restore()")
    with psycopg.connect(dsn, autocommit=True, options=PATIENT) as conn:
        conn.execute("ANALYZE")


def ensure_roles(conn: Connection, names: list[str]) -> None:
    """Create the roles that are missing, without a login: a start gives each its own."""
    known = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
    for name in names:
        if name not in known:
            conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def require_timescaledb(conn: Connection, version: str) -> None:
    """Raise DeployError unless TimescaleDB has exactly this version, on which a dump depends."""
    if (here := versions(conn)[1]) != version:
        raise DeployError(
            f"the backup is of TimescaleDB {version}, this server has {here}: restore on a server"
            f" with {version}, then ALTER EXTENSION timescaledb UPDATE there and back up again"
        )


def tool(name: str, dsn: str) -> Path:
    """Return a pg_dump or pg_restore that is not older than the server at `dsn`."""
    with psycopg.connect(dsn) as conn:
        major = conn.info.server_version // 10_000
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not any(postgres_files.needed(cache_dir())):
        folders.insert(0, postgres_files.install(cache_dir()))
    tried = [folder / name for folder in folders]
    if found := shutil.which(name):
        tried.append(Path(found))
    for program in tried:
        if os.access(program, os.X_OK) and _major(program) >= major:
            return program
    raise DeployError(
        f"no {name} of version {major} or newer is here: install postgresql-client-{major}"
    )


def _major(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else 0


def _apart(dsn: str) -> tuple[str, dict[str, str]]:
    """Return the address without its password, and an environment that has it."""
    parts: dict[str, Any] = dict(conninfo_to_dict(dsn))
    password = str(parts.pop("password", "") or "")
    env = os.environ | ({"PGPASSWORD": password} if password else {})
    return make_conninfo("", **parts), env | {"PGOPTIONS": PATIENT}


def _run(
    line: list[str], env: dict[str, str], out: Any = None, given: IO[bytes] | None = None
) -> None:
    with tempfile.TemporaryFile() as said:
        pipe = subprocess.PIPE
        with subprocess.Popen(line, env=env, stdin=pipe, stdout=pipe, stderr=said) as process:
            try:
                _pass(process, out, given)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-2000:]
            raise DeployError(f"{Path(line[0]).name} failed:\n{words}")


def _pass(process: subprocess.Popen[bytes], out: Any, given: IO[bytes] | None) -> None:
    assert process.stdin and process.stdout
    with contextlib.suppress(BrokenPipeError):  # it ended early and says why
        if given is not None:
            shutil.copyfileobj(given, process.stdin, CHUNK)
        process.stdin.close()
    if out is not None:
        shutil.copyfileobj(process.stdout, out, CHUNK)


def _value(conn: Connection, query: Any) -> Any:
    row = conn.execute(query).fetchone()
    return row[0] if row else None
