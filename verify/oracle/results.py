"""What comes of a log: windows, flags, transitions and what a shard tells the others."""

from dataclasses import dataclass, field
from typing import Any

from catalog.contracts import Transition
from catalog.ticks import Word
from verify.oracle import rules

Values = dict[str, float | None]
Reading = tuple[str, int, Values]
"""(sensor, observed_at in epoch µs, metric -> value, None where it is missing).

What the device says of a value stands under ``<metric>_flag``, where it says anything.
"""

WindowKey = tuple[str, str, int, int]
"""(stream, sensor, window start in epoch µs, revision)."""

Flag = tuple[str, str, int, str, str, int, float | None]
"""(stream, sensor, observed_at, metric, test, flag, value), as on the flags topic."""


@dataclass
class Results:
    """Everything the worker must have put out for a log."""

    windows: dict[WindowKey, dict[str, Any]] = field(default_factory=dict)
    flags: set[Flag] = field(default_factory=set)
    transitions: dict[str, Transition] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    late: int = 0

    def add(self, other: "Results") -> None:
        """Take in the results of another partition."""
        self.windows |= other.windows
        self.flags |= other.flags
        self.transitions |= other.transitions
        self.words += other.words
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.late += other.late

    def change(self, **fields: Any) -> None:
        """Add a transition of these fields."""
        made = rules.transition(**fields)
        self.transitions[made.id] = made
