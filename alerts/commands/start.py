"""What the commands stand on: a connection, the guard, the vault; and the checks at start."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from psycopg import Connection

from alerts.guard import guard_of
from alerts.receivers import list_receivers, read_file, register, seal_all
from alerts.routes import Routes, check_receivers, read_routes
from alerts.settings import AlertSettings
from alerts.vault import open_vault
from service.errors import FatalError
from service.postgres import connect


@contextmanager
def database() -> Iterator[Connection]:
    """Give a connection; what a person got wrong becomes a clear message and exit code 2."""
    with connect(AlertSettings().database(), "alerts-command", autocommit=True) as conn:
        try:
            yield conn
        except (ValueError, LookupError, FatalError) as error:
            raise typer.BadParameter(str(error)) from None


def me() -> str:
    """Return who types, for the record."""
    return getpass.getuser()


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
