"""Who has a place ahead of him: posts on a way network from which the quickest way leads there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catalog.site import Point
from engine.network.graph import Graph
from engine.network.paths import Reached, reach

SLACK_S = 1e-6


@dataclass(frozen=True, slots=True)
class Post:
    """A sign at a node, seen by whoever goes on to the node ``towards``."""

    node: str
    towards: str


@dataclass(frozen=True, slots=True)
class Before:
    """A post, and how far it stands before the place: free seconds, kilometres of way."""

    id: str
    seconds: float
    km: float


def ahead(
    graph: Graph, place: Point, posts: Mapping[str, Post], within_s: float, off_km: float
) -> list[Before]:
    """Return the posts that have the link nearest to ``place`` ahead, the nearest first.

    By free times: closed or slow links ahead are what they are told of. Who drives away from the
    place is not among them. A place further than ``off_km`` from every link lies on none.
    """
    away = graph.distances_km(place)
    link = int(np.argmin(away))
    if away[link] > off_km:
        return []
    ends = [int(n) for n in graph.ends[link]]
    found = reach(graph, graph.free_s, ends, within_s=within_s, back=True)
    known = {id: n for n, id in enumerate(graph.ids)}
    lengths = np.linalg.norm(np.diff(graph.xy_km[graph.ends], axis=1)[:, 0], axis=1)
    before: list[Before] = []
    for id, post in posts.items():
        node, towards = known[post.node], known[post.towards]
        if _leads(graph, found, node, towards, ends):
            way = found.path(node)
            km = float(sum(lengths[k] for k in way.links)) if way else 0.0
            before.append(Before(id, found.seconds[node], km))
    return sorted(before, key=lambda one: (one.seconds, one.id))


def _leads(graph: Graph, found: Reached, node: int, towards: int, ends: list[int]) -> bool:
    """Tell whether going on from ``node`` to ``towards`` is a quickest way to the ends."""
    if node not in found.seconds or towards not in found.seconds:
        return False
    if node in ends:
        return towards in ends
    steps = [graph.free_s[link] for link, other in graph.leaving[node] if other == towards]
    return bool(steps) and found.seconds[towards] + min(steps) <= found.seconds[node] + SLACK_S
