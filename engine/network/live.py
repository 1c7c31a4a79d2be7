"""What links cost now: by the newest readings beside them, and the alerts that close them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from catalog.site import Point
from engine.network.graph import Graph
from engine.network.paths import CLOSED


@dataclass(frozen=True, slots=True)
class Sensed:
    """The newest reading of a sensor beside the network: where, the value, how old (s)."""

    at: Point
    value: float
    age_s: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """An open alert: its rule, severity (1 is the worst) and place."""

    id: str
    rule: str
    severity: int
    at: Point


@dataclass(frozen=True, slots=True)
class Live:
    """Seconds of each link, which of them are known by a fresh reading, and what closes the closed
    ones: link → ids of alerts."""

    costs: list[float]
    known: list[bool]
    closed: Mapping[int, list[str]]


def live(graph: Graph, sensed: Iterable[Sensed], alarms: Iterable[Alarm]) -> Live:
    """Return the state of a network's links."""
    costs, known = np.array(graph.free_s), np.zeros(len(graph.links), bool)
    if (rule := graph.network.cost) is not None:
        fresh = [one for one in sensed if one.age_s <= rule.fresh_s and np.isfinite(one.value)]
        if fresh and len(graph.links):
            spots = np.array([graph.at(one.at) for one in fresh])
            away = np.linalg.norm(graph.middles_km()[:, None] - spots[None], axis=2)
            nearest = away.argmin(axis=1)
            known = away.min(axis=1) <= rule.within_m / 1000
            ratio = np.maximum([one.value for one in fresh], rule.least)[nearest]
            costs = np.where(known, costs / ratio, costs)
    closed: dict[int, list[str]] = {}
    for alarm in alarms:
        for closure in graph.network.closures:
            if alarm.rule == closure.rule and alarm.severity <= closure.severity:
                near = graph.distances_km(alarm.at) <= closure.within_m / 1000
                for link in np.flatnonzero(near).tolist():
                    closed.setdefault(link, []).append(alarm.id)
    costs[list(closed)] = CLOSED
    return Live(costs.tolist(), known.tolist(), closed)
