"""Restore a backup into a platform that does not run: database, files, and the place in the log."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy import ports, supervisor
from deploy.backup import database, files
from deploy.backup.archive import DUMP, Manifest, opened, verify
from deploy.backup.names import STAMP
from deploy.errors import DeployError
from deploy.native import kafka
from deploy.paths import Layout, make_private
from deploy.plan import port_wishes
from deploy.progress import say, step
from deploy.runtime import Addresses, choose_runtime, connect, make_database
from storage.anchors import Anchors

LOG_PLACES = ("consumer_offsets", "checkpoints")
ANOTHER_LOG = "由备份恢复，消息日志已更换，重新判定 restored from a backup onto another log"


def restore(layout: Layout, file: Path, replace: bool = False) -> Manifest:
    """Restore `file`; with `replace` what is here is put aside, without it that is refused.

    The servers run only meanwhile. Raises DeployError when anything differs from the backup.
    """
    if supervisor.running_pid(layout):
        raise DeployError("the platform runs: make stop first")
    with opened(file) as (archive, manifest):
        with step("checking the backup"):
            verify(archive, manifest)
        chosen = ports.choose(port_wishes(), ports.load(layout.ports_file))
        make_private(layout.secrets)
        make_private(layout.logs)
        ports.save(layout.ports_file, chosen)
        runtime = choose_runtime(layout, chosen)
        servers = runtime.prepare()
        layout.supervisor_conf.touch(mode=0o600)
        layout.supervisor_conf.write_text(supervisor.render(layout, servers, {}))
        with step(f"starting servers ({runtime.name})"):
            supervisor.start(layout)
        try:
            found = connect(runtime, layout)
            _prepare(layout, found, manifest, replace)
            with step("restoring the database"), archive.open(DUMP) as dumped:
                database.load(_admin(found), dumped)  # pyright: ignore[reportArgumentType]
            _compare(found, manifest)
            files.put_back(layout, archive, manifest)
            with psycopg.connect(_admin(found)) as conn:
                Anchors(layout.state).cut(conn)  # they are younger than the rows
            _begin_with_log(layout, found, manifest)
        finally:
            supervisor.stop(layout)
    return manifest


def _admin(found: Addresses) -> str:
    name = conninfo_to_dict(found.dsn)["dbname"]
    return make_conninfo(found.admin or found.dsn, dbname=name)


def _prepare(layout: Layout, found: Addresses, manifest: Manifest, replace: bool) -> None:
    """Give an empty database; what is in the present one is kept under another name."""
    with psycopg.connect(_admin(found), autocommit=True) as conn:
        used = conn.execute("SELECT to_regclass('public.schema_migrations')").fetchone()
    if used and used[0]:
        if not replace:
            raise DeployError(
                "this platform has data of its own. To put it aside and restore:"
                " make restore FILE=… REPLACE=1"
            )
        _put_aside(layout, found)
    with psycopg.connect(_admin(found), autocommit=True) as conn:
        database.require_timescaledb(conn, manifest.timescaledb)
        database.ensure_roles(conn, manifest.roles)


def _put_aside(layout: Layout, found: Addresses) -> None:
    """Rename the present database, move our files beside it, make an empty database."""
    if not found.admin:
        raise DeployError("only an administrator may replace a database: CITYOPS_ADMIN_DSN")
    parts, stamp = conninfo_to_dict(found.dsn), datetime.now(UTC).strftime(STAMP)
    name, aside = str(parts["dbname"]), f"{parts['dbname']}_before_{stamp.lower()}"
    with psycopg.connect(found.admin, autocommit=True) as conn:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        rename = rename.format(sql.Identifier(name), sql.Identifier(aside))
        for left in reversed(range(20)):  # TimescaleDB's scheduler connects again and again
            conn.execute(end, [name])
            try:
                conn.execute(rename)
                break
            except psycopg.errors.ObjectInUse:
                if not left:
                    raise
    kept = make_private(layout.state / f"before-{stamp}")
    for file, path in files.found(layout).items():
        if path.is_relative_to(layout.state):
            target = kept / file
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(path, target)
    make_database(found.admin, str(parts["password"]), layout.secrets)
    say(f"what was here is put aside: database {aside}, files in {kept}")


def _compare(found: Addresses, manifest: Manifest) -> None:
    """Raise DeployError unless every table has the rows that the backup counted."""
    with psycopg.connect(_admin(found), options=database.PATIENT) as conn:
        here = database.rows_of(conn)
    wrong = [
        f"{name}: {here.get(name)} rows, {count} in the backup"
        for name, count in manifest.tables.items()
        if here.get(name) != count
    ]
    if wrong:
        raise DeployError("the restored database differs: " + "; ".join(wrong))


def _begin_with_log(layout: Layout, found: Addresses, manifest: Manifest) -> None:
    """Where this broker's log is another than the backup's, begin with it.

    Offsets of the one mean nothing in the other. With the same log everything goes on where it
    was at the backup: what came since is read again, and each row is stored once.
    """
    if kafka.cluster_of(found.kafka, found.kafka_login()) == manifest.kafka_cluster:
        say("the log is the backup's own: what it holds since then is read again at the start")
        return
    with psycopg.connect(_admin(found)) as conn:
        for table in LOG_PLACES:
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    ended = _end_alerts(layout, _admin(found))
    say(
        "the log is another than the backup's: it is read from its beginning at the start;"
        f" {ended} alerts were open at the backup and are ended, what still holds is raised again"
    )


def _end_alerts(layout: Layout, dsn: str) -> int:
    """End what the worker will know nothing of; receivers are told at the start."""
    # imported here: no other command of this package needs the alerts
    from alerts.delivery.links import links_of
    from alerts.routing.notify import Notifier
    from alerts.routing.routes import read_routes
    from alerts.settings import AlertSettings
    from alerts.sources.ending import end_evaluated
    from service.postgres import now_of

    settings = AlertSettings()
    if layout.routes_file.exists():
        settings = settings.model_copy(update={"routes_file": layout.routes_file})
    notifier = Notifier(read_routes(settings.routes_file), links_of(settings))
    ended = 0
    with psycopg.connect(dsn, autocommit=True) as conn:
        while True:
            with conn.transaction():
                piece = end_evaluated(conn, notifier, settings, now_of(conn), ANOTHER_LOG)
            ended += piece
            if not piece:
                return ended
