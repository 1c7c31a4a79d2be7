"""Counter-based randomness: a number depends on the seed and what it is for, never on call order.

That is what makes a reading a function of (seed, sensor, observed_at) alone: two runs that step
differently, or one that is killed and started again, make the same readings.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / (1 << 53)


@lru_cache(maxsize=1 << 17)
def key_of(label: str) -> np.uint64:
    """Return a stable 64-bit key of a text, e.g. a sensor id."""
    return np.uint64(int.from_bytes(blake2b(label.encode(), digest_size=8).digest(), "big"))


def _mix(x: Keys) -> Keys:
    """Return the SplitMix64 finaliser of each key (Steele, Lea, Flood 2014); ``x`` is an array."""
    x = x + _GAMMA
    x = (x ^ (x >> np.uint64(30))) * _M1
    x = (x ^ (x >> np.uint64(27))) * _M2
    return x ^ (x >> np.uint64(31))


def _integers(part: ArrayLike) -> Keys:
    array = np.asarray(part)
    return array if array.dtype == np.uint64 else array.astype(np.int64).view(np.uint64)


class Chance:
    """All randomness of a city with one seed. Parts are integers or keys and broadcast."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._seed = np.uint64(int(seed) & (2**64 - 1))
        self._roots: dict[str, Keys] = {}

    def uniform(self, label: str, *parts: ArrayLike) -> Floats:
        """Return numbers in (0, 1), one per broadcast element of ``parts``."""
        mixed = self._root(label)
        for part in parts:
            mixed = _mix(mixed ^ _integers(part))
        drawn = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * _TO_UNIT
        return drawn.reshape(np.broadcast_shapes(*(np.shape(part) for part in parts)))

    def _root(self, label: str) -> Keys:
        """Return the label's own start; arrays throughout, because scalars warn when they wrap."""
        if label not in self._roots:
            self._roots[label] = _mix(np.array([key_of(label) ^ self._seed]))
        return self._roots[label]

    def between(self, low: float, high: float, label: str, *parts: ArrayLike) -> Floats:
        """Return numbers in (low, high)."""
        return low + (high - low) * self.uniform(label, *parts)

    def normal(self, label: str, *parts: ArrayLike) -> Floats:
        """Return standard normal numbers (Box-Muller)."""
        u, v = self.uniform(label, *parts), self.uniform(label + "'", *parts)
        return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v)

    def wander(self, label: str, key: ArrayLike, at_s: ArrayLike, period_s: float) -> Floats:
        """Return a smooth standard normal walk over time that forgets itself in ``period_s``.

        It interpolates random knots, so any moment can be asked for on its own.
        """
        place = np.asarray(at_s, np.float64) / period_s
        knot = np.floor(place).astype(np.int64)
        share = place - knot
        share = share * share * (3.0 - 2.0 * share)
        before, after = self.normal(label, key, knot), self.normal(label, key, knot + 1)
        mixed = (1.0 - share) * before + share * after
        return mixed / np.sqrt((1.0 - share) ** 2 + share**2)
