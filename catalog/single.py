"""A declared function at one reading, for those who work with plain numbers; None = missing."""

from collections.abc import Mapping

import numpy as np

from catalog.base import Floats
from catalog.model import Derived, Relation

Numbers = Mapping[str, float | None]


def derive(derived: Derived, numbers: Numbers, observed_at: int) -> float | None:
    """Return a derived metric at a time (epoch µs); ``numbers`` hold what it is made of."""
    value = float(derived.by(_columns(derived.of, numbers), np.array([observed_at], np.int64))[0])
    return None if value != value else value


def is_broken(relation: Relation, numbers: Numbers) -> bool:
    """Tell whether a relation is broken by these metrics and attributes of one sensor."""
    return bool(relation.broken(_columns(relation.of, numbers))[0])


def _columns(names: tuple[str, ...], numbers: Numbers) -> dict[str, Floats]:
    found = {name: numbers.get(name) for name in names}
    return {name: np.array([np.nan if x is None else x]) for name, x in found.items()}
