"""A network as lists: places in kilometres, and of each node the links that leave it."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.network import Network
from catalog.places import KM_PER_DEGREE
from catalog.site import Point

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes and links by number. ``leaving[n]`` and ``entering[n]`` are (link, other node) pairs.

    Lists, not arrays: Dijkstra takes one element at a time, which numpy is slow at.
    """

    network: Network
    ids: list[str]
    xy_km: Floats
    """``[nodes, 2]``, east and north of the first node's parallel."""
    links: list[str]
    ends: NDArray[np.int64]
    """``[links, 2]``: start and end."""
    free_s: list[float]
    leaving: list[list[tuple[int, int]]]
    entering: list[list[tuple[int, int]]]

    def at(self, point: Point) -> Floats:
        """Return the place of (lon, lat) in kilometres."""
        return np.array([point[0] * self.km_per_lon, point[1] * KM_PER_DEGREE])

    @property
    def km_per_lon(self) -> float:
        """Kilometres of a degree of longitude, at the first node."""
        latitude = next(iter(self.network.nodes.values()))[1]
        return KM_PER_DEGREE * math.cos(math.radians(latitude))

    def nearest_node(self, point: Point) -> int:
        """Return the node nearest to (lon, lat), as the crow flies."""
        away = self.xy_km - self.at(point)
        return int(np.argmin(np.einsum("ij,ij->i", away, away)))

    def middles_km(self) -> Floats:
        """Return the middle of each link, ``[links, 2]``."""
        return self.xy_km[self.ends].mean(axis=1)

    def distances_km(self, point: Point) -> Floats:
        """Return how far (lon, lat) is from each link, its nearest spot, ``[links]``."""
        start, end, spot = self.xy_km[self.ends[:, 0]], self.xy_km[self.ends[:, 1]], self.at(point)
        along = end - start
        length = np.einsum("ij,ij->i", along, along)
        share = np.einsum("ij,ij->i", spot - start, along) / np.where(length > 0, length, 1.0)
        nearest = start + np.clip(share, 0.0, 1.0)[:, None] * along
        return np.hypot(*(spot - nearest).T)


@cache
def graph_of(network: Network) -> Graph:
    """Return the lists of a network; made once."""
    ids = list(network.nodes)
    number = {node: n for n, node in enumerate(ids)}
    latitude = next(iter(network.nodes.values()))[1]
    scale = KM_PER_DEGREE * np.array([math.cos(math.radians(latitude)), 1.0])
    leaving: list[list[tuple[int, int]]] = [[] for _ in ids]
    entering: list[list[tuple[int, int]]] = [[] for _ in ids]
    ends = np.array([(number[k.start], number[k.end]) for k in network.links], np.int64)
    for place, link in enumerate(network.links):
        start, end = number[link.start], number[link.end]
        leaving[start].append((place, end))
        entering[end].append((place, start))
        if link.both:
            leaving[end].append((place, start))
            entering[start].append((place, end))
    return Graph(
        network,
        ids,
        np.array(list(network.nodes.values())) * scale,
        [link.id for link in network.links],
        ends.reshape(-1, 2),
        [link.free_s for link in network.links],
        leaving,
        entering,
    )
