"""The database of a command line: what a person got wrong becomes a clear message, exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from psycopg import Connection

from catalog.errors import RefusedError
from service.postgres import connect
from service.settings import Settings


@contextmanager
def database() -> Iterator[Connection]:
    """Give a connection in autocommit."""
    with connect(Settings().database(), "records-command", autocommit=True) as conn:
        try:
            yield conn
        except RefusedError as error:
            raise typer.BadParameter(str(error)) from None
