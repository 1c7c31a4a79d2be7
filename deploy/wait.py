"""Waiting on a condition with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

from deploy.errors import StartError


def wait_until(
    condition: Callable[[], bool],
    deadline_s: float,
    what: str,
    every_s: float = 0.1,
) -> float:
    """Return the seconds waited once `condition()` holds; raise StartError after `deadline_s`."""
    started = time.monotonic()
    while not condition():
        waited = time.monotonic() - started
        if waited > deadline_s:
            raise StartError(f"{what} was not reached within {deadline_s:.0f} s")
        time.sleep(every_s)
    return time.monotonic() - started
