"""How a command ends when what it needs is away: one line that says what to do, exit code 1."""

import logging
import sys
from collections.abc import Callable

import typer

from catalog.errors import CityOpsError, FatalError
from catalog.registry import DeclarationError
from service.process import EXIT_FATAL
from service.settings import Settings

NEXT = (
    'Start the platform (make run) or name a running one: eval "$(.venv/bin/python -m deploy env)"'
)


def run(app: Callable[[], object]) -> None:
    """Run a room's command line; what is away is told in one line, with exit code 1.

    A ``FatalError`` is told the same way, with exit code 2.
    """
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # its retries are no news here
    try:
        app()
    except Exception as error:
        words = explain(error, Settings())
        if words is None:
            raise
        typer.echo(f"error: {words}", err=True)
        sys.exit(EXIT_FATAL if isinstance(error, FatalError) else 1)


def explain(error: Exception, settings: Settings) -> str | None:
    """Return what is away and what to do; None when the error is of another kind."""
    # imported here: a command that ends well does not pay for what it has no use for
    import psycopg
    from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError
    from psycopg.errors import UndefinedTable

    from service.postgres import is_transient

    if isinstance(error, CityOpsError | DeclarationError):
        return str(error)
    if isinstance(error, UndefinedTable):
        return "the database has not all tables yet. Make them: .venv/bin/python -m storage migrate"
    if isinstance(error, psycopg.Error) and is_transient(error):
        said = str(error).strip().partition("\n")[0].removeprefix("connection failed: ")
        return f"no PostgreSQL: {said or type(error).__name__}. {NEXT}"
    if isinstance(error, SaslAuthenticationFailedError | AuthorizationError):
        return f"Kafka at {settings.kafka} refuses this login ({error}). {NEXT}"
    if isinstance(error, KafkaError) and error.retriable:
        return f"no Kafka answers at {settings.kafka} ({type(error).__name__}). {NEXT}"
    return None
