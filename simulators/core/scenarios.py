"""Scenarios: what each forces upon the city, how long by nature, and what it tells.

A system declares its own: ``systems/<system>/scenarios/<name>.py`` with a name ``SCENARIO``.
"""

from dataclasses import dataclass
from functools import cache

from catalog.declared import files_of, load
from catalog.model import Text


@dataclass(frozen=True, slots=True)
class Phase:
    """What happens from a share of the duration on (1.0 = the end)."""

    share: float
    story: Text


@dataclass(frozen=True, slots=True)
class Scenario:
    """A course of events. ``size`` at intensity 1 is in ``unit``.

    ``natural_s`` is how long it takes by nature; run in less, its slow physics (water, heat) run
    that much faster, ``recovery_s`` of nature's time beyond its end included.
    """

    name: str
    title: Text
    forcing: str
    """What the physics ask for: ``storm``, ``heat``, ``outage`` …"""
    size: float
    unit: str
    natural_s: float
    recovery_s: float
    duration_s: float
    where: str
    """Sensor that it strikes unless another is named; empty for what strikes the whole city."""
    phases: tuple[Phase, ...]
    watch_s: float
    """How long after its end the alerts of a default run have cleared, rolling sums aside."""
    strikes: str = ""
    """Stream whose sensors it can strike, where it strikes one."""


@cache
def scenarios() -> dict[str, Scenario]:
    """Return all declared scenarios by name; read once per process."""
    found = [load(file, "SCENARIO", Scenario) for file in files_of("scenarios")]
    return {scenario.name: scenario for scenario in found}
