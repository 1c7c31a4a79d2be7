"""PostgreSQL connections with deadlines, and the line between "try again" and "never"."""

from typing import Any

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
RECONNECT_S = 2.0
_RETRYABLE_CLASSES = ("08", "53", "57", "40", "55", "58")


def connect(dsn: str, process: str, *, autocommit: bool = False) -> Connection:
    """Open one connection: 5 s to connect, 30 s per statement, UTC, keep-alives on."""
    return psycopg.connect(dsn, autocommit=autocommit, **connection_options(process))


def connection_options(process: str) -> dict[str, Any]:
    """Return the keyword arguments every connection of ours uses (also for async ones)."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": f"cityops {process}",
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }


def pool(dsn: str, process: str, *, size: int = 4) -> ConnectionPool:
    """Return an unopened pool of ``size`` autocommit connections; use as a context manager."""
    kwargs = {"autocommit": True, **connection_options(process)}
    return ConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        kwargs=kwargs,
        timeout=5.0,
        # A pool doubles its pauses for so long, then asks anew with the next caller: a database
        # that comes back after a long absence is found at once.
        reconnect_timeout=RECONNECT_S,
        open=False,
        check=ConnectionPool.check_connection,
    )


def is_refusal(error: psycopg.Error) -> bool:
    """Tell whether the data itself is refused (classes 22 and 23): trying again cannot help."""
    return error.sqlstate is not None and error.sqlstate[:2] in ("22", "23")


def is_transient(error: psycopg.Error) -> bool:
    """Tell whether the statement may succeed later: connection, resources, conflict, shutdown."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in _RETRYABLE_CLASSES
