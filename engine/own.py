"""What holds for single sensors in place of the declaration: set by the site, or by a person.

A person's comes as a record of the log and holds from there on; its end is a tick. Streams for
which nothing is set carry no arrays of it.
"""

from dataclasses import dataclass

import numpy as np

from catalog.overrides import Override, SiteOverride
from engine.cells import Sensors
from engine.limits import Limits


@dataclass(frozen=True, slots=True)
class Own:
    """What holds for each sensor and metric, ``[rows, M]``, in the metric's unit."""

    suspect_low: np.ndarray
    suspect_high: np.ndarray
    floor: np.ndarray
    resolution: np.ndarray


@dataclass(slots=True)
class Overrides:
    """The overrides of one partition: the newest of each sensor and metric, ended or not."""

    site: tuple[SiteOverride, ...]
    metrics: tuple[str, ...]
    known: dict[tuple[str, str], Override]
    own: Own | None = None

    def takes(self, override: Override) -> bool:
        """Keep an override unless it is of no metric, or a newer one is known; tell whether."""
        key = (override.sensor, override.metric)
        before = self.known.get(key)
        if override.metric not in self.metrics:
            return False
        if before is not None and before.revision >= override.revision:
            return False
        self.known[key] = override
        return True

    def end(self, at: int) -> list[Override]:
        """End those whose time is over at a tick (epoch seconds); return them."""
        over = [
            o for o in self.known.values() if o.is_set and o.until is not None and o.until <= at
        ]
        for override in over:
            self.known[override.sensor, override.metric] = override.ended()
        return over

    def lay_out(self, limits: Limits, slots: dict[str, int], rows: int) -> None:
        """Make the arrays anew for so many rows; none where nothing is set."""
        own = [o for o in self.known.values() if o.is_set and o.sensor in slots]
        if not (self.site or own):
            self.own = None
            return
        shape = (rows, len(self.metrics))
        made = Own(
            np.broadcast_to(limits.suspect_low, shape).copy(),
            np.broadcast_to(limits.suspect_high, shape).copy(),
            np.full(shape, -np.inf),
            np.zeros(shape),
        )
        for one in (*self.site, *own):
            rows_of = slice(None) if not one.sensor else slots.get(one.sensor)
            if rows_of is not None:
                _put(made, rows_of, self.metrics.index(one.metric), one)
        self.own = made

    def outside(self, limits: Limits, sensors: Sensors, values: np.ndarray) -> np.ndarray:
        """Tell which values of these sensors are outside what is plausible, ``[k, M]``."""
        if self.own is None:
            return (values < limits.suspect_low) | (values > limits.suspect_high)
        low = sensors.read(self.own.suspect_low)
        return (values < low) | (values > sensors.read(self.own.suspect_high))


def _put(own: Own, rows: slice | int, place: int, one: SiteOverride | Override) -> None:
    if one.span is not None:
        own.suspect_low[rows, place], own.suspect_high[rows, place] = one.span
    if one.floor is not None:
        own.floor[rows, place] = one.floor
    if one.resolution is not None:
        own.resolution[rows, place] = one.resolution
