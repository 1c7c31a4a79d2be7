"""Compare what must be with what is: missing, extra, different."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN = 3
RELATIVE = 1e-9
"""Rolling and derived quantities add the same numbers in another order than the engine."""


@dataclass
class Difference:
    """What is wrong with one set of results; empty when nothing is."""

    what: str
    expected: int = 0
    missing: list[Any] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)
    different: list[tuple[Any, Any, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.different)

    def __str__(self) -> str:
        counts = f"{len(self.missing)} missing, {len(self.extra)} extra"
        lines = [
            f"{self.what}: {self.expected} expected, {counts}, {len(self.different)} different"
        ]
        lines += [f"  missing {item}" for item in self.missing[:SHOWN]]
        lines += [f"  extra {item}" for item in self.extra[:SHOWN]]
        for key, wanted, found in self.different[:SHOWN]:
            lines.append(f"  different {key}")
            lines += [
                f"    {name}: expected {w!r}, found {f!r}" for name, w, f in _cells(wanted, found)
            ]
        return "\n".join(lines)


def compare(what: str, wanted: Mapping[Any, Any], found: Mapping[Any, Any]) -> Difference:
    """Compare two tables by key; values are numbers, texts or flat dicts of them."""
    result = Difference(what, len(wanted))
    result.missing = sorted(wanted.keys() - found.keys(), key=str)
    result.extra = sorted(found.keys() - wanted.keys(), key=str)
    for key in wanted.keys() & found.keys():
        if not same(wanted[key], found[key]):
            result.different.append((key, wanted[key], found[key]))
    return result


def same(wanted: Any, found: Any) -> bool:
    """Tell whether two values agree: floats to nine digits, all else exactly."""
    if wanted == found:  # most are, whole rows of them
        return True
    if isinstance(wanted, Mapping):
        return wanted.keys() == found.keys() and all(same(wanted[k], found[k]) for k in wanted)
    if isinstance(wanted, float) and isinstance(found, float | int):
        return wanted == found or math.isclose(wanted, found, rel_tol=RELATIVE, abs_tol=RELATIVE)
    return wanted == found


def _cells(wanted: Any, found: Any) -> list[tuple[str, Any, Any]]:
    if not isinstance(wanted, Mapping):
        return [("value", wanted, found)]
    names = dict.fromkeys([*wanted, *found])
    pairs = [(name, wanted.get(name), found.get(name)) for name in names]
    return [(name, w, f) for name, w, f in pairs if not same(w, f)][:SHOWN]
