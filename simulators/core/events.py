"""Scenarios under way, as functions of time that the physics ask for their forcing."""

from collections.abc import Iterable

import msgspec
import numpy as np

from simulators.core.chance import Floats
from simulators.core.scenarios import Scenario, scenarios


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a scenario: city time in epoch seconds, ``cancelled_at`` once it was called off.

    ``where`` is a sensor id for the scenarios that strike one place, else empty.
    """

    id: str
    name: str
    start: float
    duration_s: float
    intensity: float = 1.0
    where: str = ""
    cancelled_at: float | None = None

    @property
    def scenario(self) -> Scenario:
        """The scenario's declaration; KeyError for an unknown name."""
        return scenarios()[self.name]

    @property
    def end(self) -> float:
        """When its cause is over (epoch s)."""
        planned = self.start + self.duration_s
        return planned if self.cancelled_at is None else min(planned, self.cancelled_at)

    @property
    def size(self) -> float:
        """What it forces, in the scenario's unit."""
        return self.scenario.size * self.intensity

    @property
    def lapse(self) -> float:
        """How many times faster than nature its slow physics run; at least 1."""
        return max(1.0, self.scenario.natural_s / self.duration_s)

    @property
    def recovered(self) -> float:
        """When its slow physics return to nature's pace (epoch s)."""
        return self.end + self.scenario.recovery_s / self.lapse

    def on(self, at_s: Floats) -> np.ndarray:
        """Tell when its cause acts."""
        return (at_s >= self.start) & (at_s < self.end)

    def ramp(self, at_s: Floats, rise_s: float, fall_s: float) -> Floats:
        """Return 0..1: up in ``rise_s`` from the start, down in ``fall_s`` from the end, linear."""
        up = np.clip((at_s - self.start) / rise_s, 0.0, 1.0)
        level = min(1.0, max(0.0, (self.end - self.start) / rise_s))
        down = level * np.clip(1.0 - (at_s - self.end) / fall_s, 0.0, 1.0)
        return np.where(at_s < self.end, up, down)


class Events:
    """All scenarios of a city, past and under way."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.all = tuple(sorted(events, key=lambda e: (e.start, e.id)))

    def forcing(self, kind: str) -> list[Event]:
        """Return the runs that force this."""
        return [e for e in self.all if e.scenario.forcing == kind]

    def striking(self, kind: str, where: str | None) -> list[Event]:
        """Return the runs that strike this sensor."""
        return [e for e in self.forcing(kind) if e.where == where]

    def lapse(self, kind: str, at_s: Floats) -> Floats:
        """Return how many times faster than nature this forcing's physics run, 1 by default."""
        pace = np.ones_like(at_s)
        for event in self.forcing(kind):
            inside = (at_s >= event.start) & (at_s < event.recovered)
            pace = np.where(inside, np.maximum(pace, event.lapse), pace)
        return pace
