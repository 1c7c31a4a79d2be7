"""The one loop of every process that works on the database for ever."""

import threading
from collections.abc import Callable
from time import monotonic

import psycopg
from psycopg import Connection

from service.log import logger
from service.postgres import connect, is_transient
from service.waiting import SAY_EVERY_S, reason_of

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

    A database that is away is waited out: a new connection every ``retry_s``, a line in the log
    every half minute. Any other error is
    one of ours; it is logged with its place and ``work`` begins anew after ``fault_s``, since a
    timer or a queue must never end in silence. ``tell`` hears both in words for ``/health``;
    ``work`` takes the words back with ``tell("")`` once a round went well.
    """
    said = float("-inf")
    while not stop.is_set():
        try:
            with connect(dsn, name, autocommit=True) as conn:
                work(conn)
        except Exception as error:
            reason = reason_of(error)[:160]
            if isinstance(error, psycopg.Error) and is_transient(error):
                if monotonic() - said >= SAY_EVERY_S:
                    said = monotonic()
                    logger().warning("waits for the database", what=name, reason=reason)
                tell(f"waits for PostgreSQL: {reason}")
                stop.wait(retry_s)
            else:
                logger().error("a round failed", what=name, reason=reason, exc_info=error)
                tell(f"a round failed: {reason}")
                stop.wait(fault_s)
