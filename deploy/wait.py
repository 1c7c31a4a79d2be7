"""Waiting on a condition with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from deploy.errors import StartError

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], deadline_s: float, what: str = "", every_s: float = 0.05
) -> T:
    """Call `condition` until what it returns is true, and return that.

    Raises StartError after `deadline_s`, naming `what` was waited for. An exception raised by
    `condition` ends the wait at once.
    """
    ends = time.monotonic() + deadline_s
    while not (answer := condition()):
        if time.monotonic() > ends:
            named = what or getattr(condition, "__qualname__", "the condition")
            raise StartError(f"not reached within {deadline_s:.0f} s: {named}")
        time.sleep(every_s)
    return answer
