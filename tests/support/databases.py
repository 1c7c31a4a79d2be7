"""Fresh databases for the tests, copied from a template that is migrated once per run."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from deploy.wait import wait_until
from storage.roles import ROLES, ensure_roles
from storage.views.reader import ensure_reader
from tests.support.least import ROLE_PASSWORD
from tests.support.shared import Made, Shared


@dataclass(frozen=True, slots=True)
class Databases:
    """Make and drop databases of one server."""

    server: str
    shared: Shared

    @contextmanager
    def fresh(self, *, migrated: bool) -> Iterator[str]:
        """Give the address of a new database, dropped at the end."""
        template = self.shared.once(_note(migrated), lambda: self._make_template(migrated))
        name = f"t{uuid.uuid4().hex[:12]}"
        wait_until(lambda: self._copied(name, template), 20.0, f"copy of {template}")
        try:
            yield self.address(name)
        finally:
            self.drop(name)

    def address(self, database: str) -> str:
        """Return the address of `database`."""
        parts = conninfo_to_dict(self.server)
        account = f"{parts['user']}:{parts['password']}" if "password" in parts else parts["user"]
        return f"postgresql://{account}@{parts['host']}:{parts['port']}/{database}"

    def drop(self, name: str) -> None:
        """Drop a database, ending connections that are still open."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def drop_templates(self) -> None:
        """Drop the templates of this run."""
        for template in filter(None, (self.shared.found(_note(m)) for m in (True, False))):
            self.drop(template)

    def _make_template(self, migrated: bool) -> Made:
        name = f"template_{uuid.uuid4().hex[:12]}"
        self._run("CREATE DATABASE {} TEMPLATE template0", name)
        address = self.address(name)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        if migrated:
            from storage.migrate import migrate

            with psycopg.connect(address, autocommit=True) as connection:
                ensure_reader(connection)
                ensure_roles(connection, dict.fromkeys(ROLES, ROLE_PASSWORD))
            migrate(address)
        # TimescaleDB's scheduler connects to every database that allows it, and a database in
        # use cannot be copied
        self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        self._disconnect(name)
        return Made(name)

    def _copied(self, name: str, template: str) -> bool:
        try:
            self._run(f"CREATE DATABASE {{}} TEMPLATE {template}", name)
        except psycopg.errors.ObjectInUse:
            self._disconnect(template)
            return False
        return True

    def _disconnect(self, name: str) -> None:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(end, [name])

    def _run(self, statement: str, name: str) -> None:
        query = sql.SQL(cast(LiteralString, statement)).format(sql.Identifier(name))
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(query)


def _note(migrated: bool) -> str:
    return "template-migrated" if migrated else "template-empty"
