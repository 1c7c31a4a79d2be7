"""The way of readings from a device to the platform: which are lost, late or out of order."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulators.core.chance import Chance, Floats
from simulators.core.fleet import US, Fleet, Rows

LATE_SHARES = (0.2, 1.4)
"""Delay of a late reading, as a share of the stream's lateness."""
SWAPPED_CADENCES = 1.5


@dataclass(slots=True)
class Way:
    """What befalls some readings; ``delay`` in s, 0 for those on time."""

    missing: np.ndarray
    late: np.ndarray
    swapped: np.ndarray
    delay: Floats


class Ways:
    """The ways of one stream's readings; ``rates`` are shares of readings by kind of fault."""

    def __init__(self, fleet: Fleet, rates: Mapping[str, float], chance: Chance) -> None:
        self._fleet, self._rates, self._chance = fleet, rates, chance

    def hit(self, kind: str, rows: Rows) -> np.ndarray:
        """Tell which readings suffer this."""
        if not (rate := self._rates[kind]):
            return np.zeros(len(rows), bool)
        draw = self._chance.uniform(f"fault/{kind}", self._fleet.keys[rows.index], rows.nth)
        return draw < rate

    def of(self, rows: Rows) -> Way:
        """Return which of these readings are not sent, and how late the others are."""
        missing = self.hit("missing", rows)
        late = self.hit("late", rows) & ~missing
        swapped = self.hit("out_of_order", rows) & ~missing & ~late
        keys, lateness = self._fleet.keys[rows.index], self._fleet.stream.lateness_s
        share = self._chance.between(*LATE_SHARES, "fault/delay", keys, rows.nth)
        delay = np.where(late, np.maximum(share * lateness, 1.0), 0.0)
        behind = SWAPPED_CADENCES * self._fleet.stream.cadence_s
        return Way(missing, late, swapped, np.where(swapped, behind, delay))

    def ahead(self, rows: Rows, delay: Floats) -> np.ndarray:
        """Tell which readings the newest of their sensor is ahead of by more than the lateness
        when they come: a delay alone does not say, the newest may be a cadence old or late too."""
        cadence = self._fleet.stream.cadence_s
        steps = np.arange(1, int(delay.max(initial=0.0) // cadence) + 1)
        if not len(steps):
            return np.zeros(len(rows), bool)
        later = Rows(
            np.repeat(rows.index, len(steps)),
            np.add.outer(rows.at_us, steps * cadence * US).ravel(),
            np.add.outer(rows.nth, steps).ravel(),
        )
        way = self.of(later)
        comes = steps * cadence + way.delay.reshape(len(rows), -1)
        there = (comes <= delay[:, None]) & ~way.missing.reshape(len(rows), -1)
        return np.where(there, steps, 0).max(axis=1) * cadence > self._fleet.stream.lateness_s
