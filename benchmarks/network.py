"""How long a question to a network of 20 000 links takes: ``python -m benchmarks network``."""

import random
import time
from collections.abc import Callable
from statistics import median

from catalog.base import text
from catalog.network import Link, Network
from engine.network.graph import graph_of
from engine.network.paths import nearest, shortest
from engine.network.walk import walk

SIDE = 101
"""Crossings of a square grid: 2 · 101 · 100 = 20 200 links."""
QUESTIONS = 100


def grid(side: int = SIDE) -> Network:
    """Return a grid of streets 200 m apart, each link a little different."""
    rnd = random.Random(4)
    nodes = {f"{x}-{y}": (104 + x / 480, 30.6 + y / 556) for x in range(side) for y in range(side)}
    links = [
        Link(f"{x}-{y}{way}", f"{x}-{y}", f"{x + dx}-{y + dy}", rnd.uniform(10, 40))
        for x in range(side)
        for y in range(side)
        for way, dx, dy in (("e", 1, 0), ("n", 0, 1))
        if x + dx < side and y + dy < side
    ]
    name = text("网格", "Grid")
    return Network(name="grid", domain="traffic", title=name, nodes=nodes, links=tuple(links))


def run() -> dict[str, tuple[float, float]]:
    """Return median and 95th percentile of each kind of question, CPU milliseconds."""
    graph, rnd = graph_of(grid()), random.Random(5)
    pick = lambda: rnd.randrange(len(graph.ids))  # noqa: E731
    those = {f"crew-{n}": pick() for n in range(200)}
    questions = {
        "path": lambda: shortest(graph, graph.free_s, pick(), pick()),
        "path, corner to corner": lambda: shortest(graph, graph.free_s, 0, len(graph.ids) - 1),
        "nearest 3 of 200": lambda: nearest(graph, graph.free_s, pick(), those, 3),
        "walk, all of it": lambda: walk(graph, pick()),
    }
    return {name: _measured(ask) for name, ask in questions.items()}


def _measured(ask: Callable[[], object]) -> tuple[float, float]:
    took = []
    for _ in range(QUESTIONS):
        begun = time.process_time()
        ask()
        took.append(1000 * (time.process_time() - begun))
    return median(took), sorted(took)[int(0.95 * len(took))]
