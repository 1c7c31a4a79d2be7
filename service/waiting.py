"""Wait at the start for broker or database, instead of dying and being started again."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

import psycopg
from kafka.errors import KafkaError

from service.log import logger
from service.postgres import is_transient
from service.vitals import Vitals

PAUSE_S = 0.5
SAY_EVERY_S = 30.0
T = TypeVar("T")


def reason_of(error: BaseException) -> str:
    """Return what an error says in one line, its name when it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def wait_for(
    what: str, attempt: Callable[[], T], vitals: Vitals, stop: threading.Event
) -> T | None:
    """Return what ``attempt`` returns as soon as it raises no transient error; None at ``stop``.

    Meanwhile ``/health`` says that the process waits for ``what``, and why. Errors that waiting
    cannot mend go to the caller.
    """
    begun, said = monotonic(), float("-inf")
    while not stop.is_set():
        try:
            found = attempt()
        except (psycopg.Error, KafkaError, OSError) as error:
            if isinstance(error, psycopg.Error) and not is_transient(error):
                raise
            reason = reason_of(error)
            vitals.trouble(f"waits for {what}: {reason}"[:200])
            if monotonic() - said >= SAY_EVERY_S:
                said = monotonic()
                logger().warning("waiting", what=what, reason=reason[:200])
            stop.wait(PAUSE_S)
        else:
            vitals.trouble("")
            if said > float("-inf"):
                logger().info("waited", what=what, seconds=round(monotonic() - begun, 1))
            return found
    return None
