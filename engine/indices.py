"""An index from the counts of its leaves: scores, NA where something is missing, caps.

A part that does not apply (no sensors there) is left out, and its weight with it. A part that is NA
makes all above it NA: a good mean of what is known would hide what is not. While a safety leaf is
red nothing above it is worth more than the cap; that is said also where the score is NA.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from catalog.index import Branch, Index, Leaf

Why = Literal["", "incomplete", "absent"]
"""Why there is no score: something is not known, or there is nothing to count."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a leaf counts in one place: its value, sensors known of all there are, and if it is red.

    ``of`` 0 = there is nothing of its kind.
    """

    value: float | None
    known: int
    of: int
    red: bool = False


NOTHING = Counted(None, 0, 0)


@dataclass(frozen=True, slots=True)
class Scored:
    """A part of the tree with its score; ``red``: the safety leaves below that are red."""

    name: str
    score: float | None
    why: Why
    weight: float
    red: tuple[str, ...] = ()
    capped: bool = False
    counted: Counted | None = None
    parts: tuple["Scored", ...] = ()


def score_index(index: Index, counts: Mapping[str, Counted]) -> Scored:
    """Return the tree with scores; ``counts``: leaf name → what it counts here."""
    return _branch(index.tree, counts, index.cap)


def score_leaf(leaf: Leaf, counted: Counted) -> Scored:
    """Return a leaf's score: linear from ``bad`` (0) to ``good`` (100), and no further."""
    red = (leaf.name,) if leaf.safety and counted.red else ()
    if counted.of == 0:
        return Scored(leaf.name, None, "absent", leaf.weight, red, counted=counted)
    value = counted.value
    if value is None or not isfinite(value) or counted.known < leaf.least * counted.of:
        return Scored(leaf.name, None, "incomplete", leaf.weight, red, counted=counted)
    share = (value - leaf.bad) / (leaf.good - leaf.bad)
    score = 100.0 * min(1.0, max(0.0, share))
    return Scored(leaf.name, score, "", leaf.weight, red, counted=counted)


def _branch(branch: Branch, counts: Mapping[str, Counted], cap: float) -> Scored:
    parts = tuple(
        _branch(part, counts, cap)
        if isinstance(part, Branch)
        else score_leaf(part, counts.get(part.name, NOTHING))
        for part in branch.parts
    )
    red = tuple(name for part in parts for name in part.red)
    there = [part for part in parts if part.why != "absent"]
    if not there:
        return Scored(branch.name, None, "absent", branch.weight, red, parts=parts)
    known = [(part.score, part.weight) for part in there if part.score is not None]
    if len(known) < len(there):
        return Scored(branch.name, None, "incomplete", branch.weight, red, parts=parts)
    mean = sum(score * weight for score, weight in known) / sum(weight for _, weight in known)
    capped = bool(red) and mean > cap
    score = cap if capped else mean
    return Scored(branch.name, score, "", branch.weight, red, capped, parts=parts)
