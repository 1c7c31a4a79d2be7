"""Make a backup of the running platform, in one moment of the database, into one file."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy import ports
from deploy.backup import database, files
from deploy.backup.archive import DUMP, Manifest, written
from deploy.backup.names import MANUAL, STAMP, folder
from deploy.errors import DeployError
from deploy.native import kafka
from deploy.native.cache import locked
from deploy.paths import Layout, make_private
from deploy.progress import step
from deploy.runtime import choose_runtime
from service.disk import GIB
from service.kafka_login import Login

SPARE_BYTES = 256 * 2**20


def back_up(layout: Layout, address: dict[str, str], kind: str = MANUAL) -> Path:
    """Write a backup and return its file (mode 0600); `address` is what `make env` knows."""
    dsn = administrator(layout, address["CITYOPS_DSN"])
    where = make_private(folder(layout))
    target = where / f"{kind}-{datetime.now(UTC).strftime(STAMP)}.zip"
    with locked(where / ".lock"), database.snapshot(dsn) as (conn, seen):
        for broken in where.glob(".*.part"):  # of one that was killed
            broken.unlink()
        row = conn.execute("SELECT pg_database_size(current_database())").fetchone()
        _require_room(target.parent, row[0] if row else 0)
        server, extension = database.versions(conn)
        manifest = Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server=server,
            timescaledb=extension,
            kafka_cluster=kafka.cluster_of(address["CITYOPS_KAFKA"], Login.of(address)),
            state=str(layout.state),
            tables=database.rows_of(conn),
            roles=database.roles_of(conn),
        )
        with step("backing up the database"), written(target) as writer:
            with writer.member(DUMP) as out:
                database.dump(dsn, seen, out)
            files.save(layout, writer)
            writer.close(manifest)
    return target


def administrator(layout: Layout, dsn: str) -> str:
    """Return the address of the platform's database for the role that may do most here."""
    admin = choose_runtime(layout, ports.load(layout.ports_file)).planned().admin
    database_name = conninfo_to_dict(dsn)["dbname"]
    return make_conninfo(admin, dbname=database_name) if admin else dsn


def _require_room(target: Path, size: int) -> None:
    """Raise DeployError unless a dump as large as the database, the worst case, has room."""
    free = shutil.disk_usage(target).free
    if free < size + SPARE_BYTES:
        raise DeployError(
            f"no room for a backup in {target}: {free / GIB:.1f} GiB free, the database has"
            f" {size / GIB:.1f} GiB; name another folder in CITYOPS_BACKUP_DIR"
        )
