"""The declaration model of networks: roads, mains, feeders of a site as nodes and links.

``sites/<city>/networks/<name>.py`` has a name ``NETWORK``. What runs on it is live: the stream that
costs its links, and the alerts that close them. What computes on it is ``engine/network``.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import model_validator

from catalog.base import Frozen, Name, Severity, Text
from catalog.declared import load_named
from catalog.site import Point, site_folder


@dataclass(frozen=True, slots=True)
class Link:
    """A stretch from one node to another; ``free_s`` to pass it when nothing is in the way.

    ``both``: also passed the other way. In a network of pipes and wires links lead with the flow,
    and ``free_s`` is what they resist.
    """

    id: str
    start: str
    end: str
    free_s: float
    both: bool = True


class LinkCost(Frozen):
    """What the links cost now: free time over the ``metric`` (a speed ratio) of the nearest sensor.

    A link takes it from a sensor of the stream within ``within_m`` of its middle, unless its last
    reading is older than ``fresh_s``; else it costs its free time, and counts as not known. Below
    ``least`` a ratio is taken for it: nothing is passed in no time, nor never.
    """

    stream: Name
    metric: Name
    within_m: float
    fresh_s: float
    least: float = 0.04


class Closure(Frozen):
    """An open alert of this rule, at least so severe, closes links within ``within_m`` of it."""

    rule: str
    severity: Severity
    within_m: float


class Network(Frozen):
    """Nodes, links, and what decides how they can be passed now."""

    name: Name
    domain: Name
    title: Text
    kind: Literal["way", "flow"] = "way"
    nodes: dict[str, Point]
    links: tuple[Link, ...]
    cost: LinkCost | None = None
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _links_lead_somewhere(self) -> "Network":
        seen: set[str] = set()
        for link in self.links:
            if link.id in seen:
                raise ValueError(f"{self.name}: link {link.id} is declared twice")
            seen.add(link.id)
            for node in (link.start, link.end):
                if node not in self.nodes:
                    raise ValueError(f"{self.name}: link {link.id}: no node {node}")
            if not 0 < link.free_s < float("inf"):
                raise ValueError(f"{self.name}: link {link.id}: free_s must be above zero")
            if self.kind == "flow" and link.both:
                raise ValueError(f"{self.name}: link {link.id}: a flow leads one way")
        return self

    def __hash__(self) -> int:
        return hash(self.name)


@cache
def networks() -> dict[str, Network]:
    """Return the networks of the site by name; read once per process."""
    files = sorted((site_folder() / "networks").glob("[a-z]*.py"))
    return {file.stem: load_named(file, "NETWORK", Network) for file in files}
