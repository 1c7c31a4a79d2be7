"""PostgreSQL connections with deadlines, and the line between "try again" and "never"."""

from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
CALL_DEADLINE_S = STATEMENT_TIMEOUT_MS / 1000 + 5
"""The server ends a statement before that, if it and the network are there."""
RECONNECT_S = 2.0
_RETRYABLE_CLASSES = ("08", "53", "57", "40", "55", "58")


class BoundedConnection(Connection[Any]):
    """A connection that gives up an answer which does not come, and closes.

    Keep-alives do not notice a peer, or something between, that takes every byte and passes none
    on; without this a thread would wait for as long as the process lives.
    """

    deadline_s: float = CALL_DEADLINE_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait as psycopg does, but not longer than ``deadline_s`` where it names no time."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.deadline_s)
        except psycopg.errors._WaitTimeout as error:  # pyright: ignore[reportPrivateUsage]
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"no answer from the database within {self.deadline_s:.0f} s, connection closed"
            ) from error


def connect(dsn: str, process: str, *, autocommit: bool = False) -> Connection:
    """Open one connection: 5 s to connect, 30 s per statement, UTC, keep-alives on."""
    return BoundedConnection.connect(dsn, autocommit=autocommit, **connection_options(process))


def allow(conn: Connection, seconds: float) -> None:
    """Let each statement of a connection take so long."""
    conn.execute(f"SET statement_timeout = '{seconds:.0f}s'".encode())
    if isinstance(conn, BoundedConnection):
        conn.deadline_s = seconds + 5


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
        connection_class=BoundedConnection,
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


def now_of(conn: Connection) -> datetime:
    """Return the database's time: the one clock of every act and of all that is decided by time.

    A process whose own clock is wrong, or is set back, delays nothing and repeats nothing.
    """
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]
