"""Which of the two hours of autumn a row belongs to, by the order of a sensor's rows."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

APART = timedelta(hours=12)
"""Two rows further apart lie in the repeated hours of two years."""
UNSORTED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A row in an hour that comes twice, by its place in the file."""

    row: int
    first: datetime


@dataclass(slots=True)
class _Run:
    """Rows of one sensor in such an hour, with the times before and after them."""

    before: datetime | None
    rows: list[_Repeated]
    after: datetime | None = None


@dataclass(slots=True)
class _Sequence:
    """The rows of one sensor so far."""

    last: datetime | None = None
    up: int = 0
    down: int = 0
    open: _Run | None = None
    runs: list[_Run] = field(default_factory=list)


class Order:
    """Follows the rows of each sensor and finds which of them belong to the second hour."""

    def __init__(self) -> None:
        self._sequences: dict[Hashable, _Sequence] = {}

    def add(self, row: int, sensor: Hashable, first: datetime, second: datetime | None) -> None:
        """Take note of a row: its time, and the other one it may have."""
        seen = self._sequences.get(sensor)
        if seen is None:
            seen = self._sequences[sensor] = _Sequence()
        run = seen.open
        if run is not None and (second is None or abs(first - run.rows[0].first) > APART):
            run.after = first
            seen.open = run = None
        if second is not None:
            if run is None:
                run = seen.open = _Run(seen.last, [])
                seen.runs.append(run)
            run.rows.append(_Repeated(row, first))
            return
        if seen.last is not None:
            seen.up += first > seen.last
            seen.down += first < seen.last
        seen.last = first

    def second_hours(self) -> dict[int, bool]:
        """Return whether it is the second hour, for each row of which the order decides that."""
        decided: dict[int, bool] = {}
        for seen in self._sequences.values():
            if min(seen.up, seen.down) <= UNSORTED_SHARE * (seen.up + seen.down):
                for run in seen.runs:
                    decided |= _decide(run)
        return decided

    @property
    def words(self) -> str:
        """The order of the rows of each sensor."""
        up = sum(s.up for s in self._sequences.values())
        down = sum(s.down for s in self._sequences.values())
        if min(up, down) > UNSORTED_SHARE * (up + down):
            return "in no order"
        return "newest first" if down > up else "oldest first"


def _decide(run: _Run) -> dict[int, bool]:
    """Return the only way in which the rows can be in order, nothing when there are others."""
    start = run.rows[0].first
    rising = set()
    if run.before is not None:
        rising.add(run.before < start)
    if run.after is not None:
        rising.add(run.after > start)
    if len(rising) == 2:
        return {}
    walls = [r.first for r in run.rows]
    ways = [(up, cut) for up in rising or (True, False) for cut in _cuts(walls, up)]
    if len(ways) != 1:
        return {}
    up, cut = ways[0]
    return {r.row: (i >= cut) == up for i, r in enumerate(run.rows)}


def _cuts(walls: Sequence[datetime], up: bool) -> Sequence[int]:
    """Return the places at which one hour may end and the other begin."""
    steps = pairwise(walls)
    breaks = [i for i, (a, b) in enumerate(steps, 1) if (a >= b if up else a <= b)]
    if not breaks:
        return range(len(walls) + 1)
    return breaks if len(breaks) == 1 else ()
