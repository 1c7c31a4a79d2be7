"""What a fault showed while it lasted, beside what the judge finds afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.chaos.stack import Stack

Strike = Callable[["Stack", "Seen"], None]
"""What a fault does; it ends by itself."""
Figures = dict[str, float | str]


@dataclass
class Seen:
    """Figures for the report, and what was not as it must be."""

    figures: Figures = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def note(self, what: str, value: float | str) -> None:
        """Keep a figure."""
        self.figures[what] = round(value, 1) if isinstance(value, float) else value

    def must(self, what: str, value: float, least: float = 1, most: float = float("inf")) -> None:
        """Keep a figure that must lie between two limits."""
        self.note(what, value)
        if not least <= value <= most:
            self.wrong.append(f"{what}: {value:g}, must be {least:g} to {most:g}")


def p99(values: Sequence[float]) -> float:
    """Return what 99 of 100 values do not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[ceil(0.99 * len(ordered)) - 1] if ordered else 0.0
