"""What lies downstream or upstream of a node, links that are closed aside."""

from collections import deque
from collections.abc import Collection
from typing import Literal

from engine.network.graph import Graph

Direction = Literal["down", "up"]


def walk(
    graph: Graph, start: int, direction: Direction = "down", closed: Collection[int] = ()
) -> tuple[list[int], list[int]]:
    """Return the nodes that are reached, the start first, and the links passed, nearest first."""
    steps = graph.leaving if direction == "down" else graph.entering
    nodes, links, passed = [start], [], set(closed)
    known, waiting = {start}, deque([start])
    while waiting:
        for link, other in steps[waiting.popleft()]:
            if link in passed:
                continue
            passed.add(link)
            links.append(link)
            if other not in known:
                known.add(other)
                nodes.append(other)
                waiting.append(other)
    return nodes, links
