"""The one loop of every process that works on the database for ever."""

import threading
from collections.abc import Callable

import psycopg
from psycopg import Connection

from service.log import logger
from service.postgres import connect, is_transient

RETRY_S = 0.5
FAULT_S = 5.0


def keep_connected(
    dsn: str,
    name: str,
    work: Callable[[Connection], None],
    stop: threading.Event,
    tell: Callable[[str], None],
    *,
    retry_s: float = RETRY_S,
    fault_s: float = FAULT_S,
) -> None:
    """Run ``work(conn)``, which loops by itself, on a connection in autocommit until ``stop``.

    A database that is away is waited out: a new connection every ``retry_s``. Any other error is
    one of ours; it is logged with its place and ``work`` begins anew after ``fault_s``, since a
    timer or a queue must never end in silence. ``tell`` hears both in words for ``/health``;
    ``work`` takes the words back with ``tell("")`` once a round went well.
    """
    while not stop.is_set():
        try:
            with connect(dsn, name, autocommit=True) as conn:
                work(conn)
        except Exception as error:
            away = isinstance(error, psycopg.Error) and is_transient(error)
            reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            if away:
                logger().warning("waits for the database", what=name, reason=reason)
                tell(f"waits for PostgreSQL: {reason}"[:200])
            else:
                logger().error(
                    "a round failed", what=name, reason=repr(error)[:300], exc_info=error
                )
                tell(f"a round failed: {reason}"[:200])
            stop.wait(retry_s if away else fault_s)
