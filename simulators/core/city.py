"""The city as a pure function of time: one seed and the scenarios under way decide everything.

``City`` holds no state but caches. Slow physics (ponding, rivers, oil) are integrated one Beijing
day at a time on a fixed grid from a fixed warm-up before midnight, so what they give at a moment
does not depend on when or in which steps anyone asks.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import numpy as np

from catalog.registry import stream
from simulators.core.calendar import DAY_S, day_start_s, local_day
from simulators.core.chance import Chance, Floats
from simulators.core.events import Event, Events
from simulators.core.fleet import Fleet, catalog_fleet

KEEP_DAYS = 24
"""Integrated days kept, all kinds of physics together."""

Integrate = Callable[["City", Fleet, Floats], Floats]
"""From grid times ``[T]`` (epoch s) to ``[T, S, K]``: K quantities of each of the fleet's sensors,
starting from what the first grid time would have in equilibrium."""


class City:
    """A seed, the events, and what has been integrated so far."""

    def __init__(self, seed: int, events: Iterable[Event] = ()) -> None:
        self.seed = seed
        self.chance = Chance(seed)
        self.events = Events(events)
        self._days: OrderedDict[tuple[str, int, int], Floats] = OrderedDict()

    def with_events(self, events: Iterable[Event]) -> "City":
        """Return the same city under other events. What lies before them is unchanged."""
        return City(self.seed, events)

    def fleet(self, stream_name: str) -> Fleet:
        """Return the catalog's sensors of a stream."""
        return catalog_fleet(stream(stream_name), self.seed)

    def slow(
        self,
        name: str,
        fleet: Fleet,
        at_s: Floats,
        index: np.ndarray,
        integrate: Integrate,
        *,
        step_s: int,
        warmup_s: int,
    ) -> Floats:
        """Return slow physics ``[n, K]`` at times ``[n]`` (epoch s) for sensors ``index [n]``."""
        days = local_day(at_s)
        out: Floats | None = None
        for day in np.unique(days):
            rows = np.flatnonzero(days == day)
            grid = self._day(name, fleet, int(day), integrate, step_s, warmup_s)
            place = (at_s[rows] - day_start_s(int(day))) / step_s
            low = np.floor(place).astype(np.int64)
            share = (place - low)[:, None]
            found = grid[low, index[rows]] * (1 - share) + grid[low + 1, index[rows]] * share
            if out is None:
                out = np.empty((len(at_s), grid.shape[2]))
            out[rows] = found
        assert out is not None, "asked for no moment at all"
        return out

    def _day(
        self, name: str, fleet: Fleet, day: int, integrate: Integrate, step_s: int, warmup_s: int
    ) -> Floats:
        key = (name, id(fleet), day)
        if key not in self._days:
            start = day_start_s(day)
            times = np.arange(start - warmup_s, start + DAY_S + step_s, step_s, dtype=np.float64)
            self._days[key] = integrate(self, fleet, times)[warmup_s // step_s :]
            while len(self._days) > KEEP_DAYS:
                self._days.popitem(last=False)
        self._days.move_to_end(key)
        return self._days[key]
