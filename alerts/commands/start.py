"""What the commands stand on: a connection, the guard, the vault; and the checks at start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from psycopg import Connection

from alerts.delivery.guard import guard_of
from alerts.delivery.receivers import list_receivers, register, seal_all
from alerts.delivery.receivers_file import read_file
from alerts.delivery.vault import open_vault
from alerts.routing.routes import Routes, check_receivers, read_routes
from alerts.settings import AlertSettings
from catalog.errors import FatalError
from service.postgres import connect
from storage.shell import record_by_shell, shell_user


@contextmanager
def database() -> Iterator[Connection]:
    """Give a connection; what a person got wrong becomes a clear message and exit code 2."""
    with connect(AlertSettings().database(), "alerts-command", autocommit=True) as conn:
        try:
            yield conn
        except (ValueError, LookupError, FatalError) as error:
            raise typer.BadParameter(str(error)) from None


@contextmanager
def acting(what: str, target: str, by: str = "", **detail: Any) -> Iterator[Connection]:
    """Give a connection in one transaction with the act's line in the audit log."""
    with database() as conn, conn.transaction():
        yield conn
        write_down(conn, what, target, by, **detail)


def write_down(conn: Connection, what: str, target: str, by: str = "", **detail: Any) -> None:
    """Write an act into the audit log."""
    record_by_shell(conn, what, target, by=by, **detail)


def me() -> str:
    """Return who types, for the record."""
    return shell_user()


def prepare(settings: AlertSettings) -> Routes:
    """Check the routes, register the file's receivers, seal old secrets; ``FatalError`` if not."""
    routes = read_routes(settings.routes_file)
    vault = open_vault(settings.vault_file())
    guard = guard_of(settings, settings.webhook_hosts)
    with connect(settings.database(), "alerts-start", autocommit=True) as conn:
        seal_all(conn, vault)
        for receiver in read_file(Path(settings.receivers_file)) if settings.receivers_file else []:
            try:
                register(conn, receiver, guard, vault, "file")
            except (ValueError, OSError) as error:
                raise FatalError(
                    f"receiver {receiver.name}: {error}", code="receivers", stage="delivering"
                ) from error
        missing = check_receivers(routes, {r.name for r in list_receivers(conn)})
    if missing:
        raise FatalError(
            f"{settings.routes_file.name} names receivers that are not registered:"
            f" {', '.join(missing)}. Register them (python -m alerts receivers add …) or correct"
            " the file.",
            code="routes",
            stage="delivering",
        )
    return routes
