"""What is doubtful about a value: one bit for each kind of test, kept beside it."""

import numpy as np

BITS = np.int16
NAMES = ("device", "gross", "rate", "jump", "flat", "relation")
DEVICE, GROSS, RATE, JUMP, FLAT, RELATION = (1 << n for n in range(len(NAMES)))
INSTRUMENT = DEVICE | FLAT | RELATION
"""Doubts that speak of the sensor; the others may speak of the world it measures."""


def reason(doubt: int) -> str:
    """Return the names of the doubts, in the order of the tests, by commas."""
    return ",".join(name for n, name in enumerate(NAMES) if doubt >> n & 1)


def combined(doubts: np.ndarray, metrics: np.ndarray) -> np.ndarray:
    """Return the doubts ``[k]`` of what is made of these metrics (places in ``[k, M]``)."""
    return np.bitwise_or.reduce(doubts[:, metrics], axis=1)
