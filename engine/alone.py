"""Rule code that fails on one reading fails on it alone: the others of its record are looked at."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from engine.outputs import Outputs

T = TypeVar("T")


def elementwise(
    what: str,
    by: Callable[[slice], np.ndarray],
    missing: float | bool,
    slots: np.ndarray,
    times: np.ndarray,
    out: Outputs,
) -> np.ndarray:
    """Return a declared function of all readings; ``missing`` for those it raises an error on.

    ``by`` gives the function of a part of the rows; it is pure, so that it can be asked again.
    """
    try:
        return by(slice(None))
    except Exception:
        found = np.full(len(slots), missing)
        for row in range(len(slots)):
            done = _one(what, by, row, slots, times, out)
            if done is not None:
                found[row] = done[0]
        return found


def each_alone(
    what: str,
    look: Callable[[slice], None],
    slots: np.ndarray,
    times: np.ndarray,
    out: Outputs,
) -> None:
    """Look at all readings, one by one when that fails; ``look`` leaves no trace when it raises."""
    try:
        look(slice(None))
    except Exception:
        for row in range(len(slots)):
            _one(what, look, row, slots, times, out)


def _one(
    what: str,
    work: Callable[[slice], T],
    row: int,
    slots: np.ndarray,
    times: np.ndarray,
    out: Outputs,
) -> T | None:
    try:
        return work(slice(row, row + 1))
    except Exception as error:
        out.fail(what, int(slots[row]), int(times[row]), error)
        return None
