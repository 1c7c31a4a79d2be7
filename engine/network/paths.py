"""Shortest times on a graph (Dijkstra 1959, with a heap): path, all within reach, nearest k."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from engine.network.graph import Graph

CLOSED = math.inf
"""The cost of a link that nobody passes."""


@dataclass(frozen=True, slots=True)
class Path:
    """A way: how long it takes, its links and nodes in order. Empty links: it begins at its end."""

    seconds: float
    links: list[int]
    nodes: list[int]


@dataclass(frozen=True, slots=True)
class Reached:
    """What was settled from some nodes: seconds of each node, and the link and node before it."""

    seconds: dict[int, float]
    before: dict[int, tuple[int, int]]

    def path(self, node: int) -> Path | None:
        """Return the way to a node; None when it was not reached."""
        if node not in self.seconds:
            return None
        links, nodes, at = [], [node], node
        while at in self.before:
            link, at = self.before[at]
            links.append(link)
            nodes.append(at)
        return Path(self.seconds[node], links[::-1], nodes[::-1])


def reach(
    graph: Graph,
    costs: Sequence[float],
    starts: Iterable[int],
    wanted: Iterable[int] = (),
    *,
    within_s: float = math.inf,
    count: int = 0,
    back: bool = False,
) -> Reached:
    """Settle nodes from ``starts`` in the order of their time.

    Ends when all ``wanted`` are settled (with ``count``: so many of them), and at ``within_s``.
    ``costs``: seconds of each link, above zero, ``CLOSED`` for none. ``back``: times *to* the
    starts, against the links. Ties go to the node with the lower number: answers are repeatable.
    """
    steps = graph.entering if back else graph.leaving
    open_, left = set(wanted), 0
    left = min(count, len(open_)) if count else len(open_)
    endless = not open_
    best: dict[int, float] = dict.fromkeys(starts, 0.0)
    before: dict[int, tuple[int, int]] = {}
    settled: dict[int, float] = {}
    heap = [(0.0, node) for node in sorted(best)]
    while heap and (endless or left > 0):
        seconds, node = heappop(heap)
        if node in settled:
            continue
        if seconds > within_s:
            break
        settled[node] = seconds
        if node in open_:
            left -= 1
        for link, other in steps[node]:
            there = seconds + costs[link]
            if there < best.get(other, CLOSED):
                best[other] = there
                before[other] = (link, node)
                heappush(heap, (there, other))
    return Reached(settled, {node: before[node] for node in settled if node in before})


def shortest(graph: Graph, costs: Sequence[float], start: int, end: int) -> Path | None:
    """Return the quickest way; None when there is none."""
    return reach(graph, costs, [start], [end]).path(end)


def nearest(
    graph: Graph, costs: Sequence[float], to: int, those: Mapping[str, int], count: int
) -> list[tuple[str, Path]]:
    """Return whoever of ``those`` (name → node) is at node ``to`` soonest, and the way, up to
    ``count``; who cannot get there is left out. A path leads from them to ``to``."""
    found = reach(graph, costs, [to], those.values(), count=count, back=True)
    ways = [(name, found.path(node)) for name, node in those.items()]
    there = [(name, _turned(way)) for name, way in ways if way is not None]
    return sorted(there, key=lambda one: (one[1].seconds, one[0]))[:count]


def _turned(way: Path) -> Path:
    return Path(way.seconds, way.links[::-1], way.nodes[::-1])
