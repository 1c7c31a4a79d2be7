"""Resolution, as a sensor shows it: the step in which its values come.

From beat to beat its values change by multiples of that step, whose greatest common divisor it is.
It is taken from a hundred changes, then from the next hundred: an instrument may be replaced.
"""

import numpy as np

from engine.state import State

CHANGES = 100
LARGEST = float(2**31 - 1)


def learn(state: State, slots: np.ndarray, values: np.ndarray, fit: np.ndarray) -> None:
    """Take the first values ``[k, U]`` of beats; those not ``fit`` say nothing."""
    a, unit = state.arrays, state.learned.least
    before = a["u_sample"][slots]
    change = np.rint(np.abs(values - before) / unit)
    moved = fit & (change > 0) & (change <= LARGEST)
    a["u_sample"][slots] = np.where(fit, values, before)
    if not moved.any():
        return
    divisor, n = a["u_divisor"][slots], a["u_changes"][slots]
    found = np.gcd(divisor, np.where(moved, change, 0.0).astype(np.int32))
    n = n + moved
    full = n >= CHANGES
    a["u_step"][slots] = np.where(full, found, a["u_step"][slots])
    a["u_divisor"][slots], a["u_changes"][slots] = np.where(full, 0, found), np.where(full, 0, n)


def resolution(state: State, slots: np.ndarray) -> np.ndarray | None:
    """Return the steps ``[k, U]`` that are coarser than the last digit, in the metrics' units; 0
    where none is known, None where that is so everywhere."""
    learned, own = state.learned, state.overrides.own
    digits = state.arrays["u_step"][slots]
    coarse = digits > 1
    if own is None:
        return np.where(coarse, digits * learned.least, 0.0) if coarse.any() else None
    said = own.resolution[slots][:, learned.metrics]
    return np.maximum(said, np.where(coarse, digits * learned.least, 0.0))
