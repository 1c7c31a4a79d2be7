"""Which devices a plan speaks to for a cause, and what it says there."""

from dataclasses import dataclass
from functools import lru_cache

from catalog.base import text
from catalog.network import networks
from catalog.places import distance_m
from catalog.plan.device import Device, devices
from catalog.plan.layout import lay_out
from catalog.plan.model import Ahead, Near, Plan
from engine.network.ahead import Post, ahead
from engine.network.graph import graph_of
from records.plans.causes import Cause

KEPT = 2000


@dataclass(frozen=True, slots=True)
class Target:
    """A device, and how far before the cause it stands (km)."""

    device: Device
    km: float


def targets(plan: Plan, cause: Cause) -> tuple[Target, ...]:
    """Return the devices for a cause, the nearest first."""
    return _targets(plan.whom, (cause.lon, cause.lat))  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=KEPT)
def _targets(whom: Ahead | Near, place: tuple[float, float]) -> tuple[Target, ...]:
    known = devices().get(whom.device, {})
    if isinstance(whom, Ahead):
        on = {d.id: Post(d.node, d.towards) for d in known.values() if d.network == whom.network}
        graph = graph_of(networks()[whom.network])
        found = ahead(graph, place, on, whom.within_s, whom.off_km)
        return tuple(Target(known[one.id], one.km) for one in found[: whom.most])
    away = sorted((distance_m(place, d.at) / 1000, d.id) for d in known.values())
    return tuple(Target(known[id], km) for km, id in away if km <= whom.within_km)[: whom.most]


def message(plan: Plan, cause: Cause, target: Target) -> tuple[str, str]:
    """Return what the device shall show, and the same in English; ``ValueError`` why it cannot."""
    near = f"{target.km:.1f}"
    words = cause.words | {"km": text(near, near)}
    missing = sorted(n for n in plan.shows.names() if not (n in words and words[n].zh.strip()))
    if missing:
        raise ValueError(f"the cause has no {', '.join(missing)}")
    zh = [part.zh.format_map({n: w.zh for n, w in words.items()}) for part in plan.shows.parts()]
    en = [part.en.format_map({n: w.en for n, w in words.items()}) for part in plan.shows.parts()]
    return lay_out(zh, target.device.screen), "\n".join(en)
