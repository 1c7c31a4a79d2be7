"""Waiting on a condition: with a deadline, or for as long as something moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from deploy.errors import StartError
from deploy.progress import say

T = TypeVar("T")
STILL_S = 60.0
"""So long may nothing move."""
SAY_EVERY_S = 10.0


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


def wait_while_moving(
    condition: Callable[[], T],
    signs: Callable[[], set[Hashable]],
    waits_for: Callable[[], str],
    still_s: float = STILL_S,
    every_s: float = 0.25,
) -> T:
    """Call `condition` until what it returns is true, and return that, however long it takes.

    Raises StartError when for `still_s` no sign came that was not there before; what only repeats
    itself is no movement. What is waited for is said every ten seconds.
    """
    seen: set[Hashable] = set()
    moved = told = time.monotonic()
    while not (answer := condition()):
        now, fresh = time.monotonic(), signs() - seen
        if fresh:
            seen |= fresh
            moved = now
        if now - moved > still_s:
            raise StartError(f"nothing has moved for {still_s:.0f} s: {waits_for()}")
        if now - told > SAY_EVERY_S:
            told = now
            say(f"waiting for {waits_for()}")
        time.sleep(every_s)
    return answer
