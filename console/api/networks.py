"""Networks: quickest ways now, the nearest of many, upstream and downstream, who is inside."""

import math
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from catalog.network import Network, networks
from catalog.registry import streams
from catalog.site import Point
from console.auth import Conn, Viewer
from console.problems import Refused, not_found, require_known
from engine.network import walk as walking
from engine.network.graph import Graph, graph_of
from engine.network.inside import in_polygon, in_sector
from engine.network.live import Live
from engine.network.paths import Path, nearest, shortest
from storage.networks import everything_placed, live_of, placed

router = APIRouter(tags=["networks"])
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
FromLon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
FromLat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]


class Way(BaseModel):
    """A way on the network: ``seconds`` now, ``free_s`` when nothing is in the way.

    ``known_share``: how much of its free time lies on links with a fresh reading; the rest is
    taken at free speed. ``detour_of``: alerts that close links of the way it would else have been.
    """

    seconds: float
    free_s: float
    known_share: float
    links: list[str]
    line: list[tuple[float, float]]
    detour_of: list[str] = []


class Near(BaseModel):
    """Somebody who can get there, and the way."""

    sensor: str
    way: Way


class Walked(BaseModel):
    """What lies down or up the flow: nodes nearest first, and links passed."""

    nodes: list[str]
    links: list[str]


class Sector(BaseModel):
    """What a plume covers: downwind of ``origin``, so far, so many degrees to either side."""

    origin: tuple[Lon, Lat]
    wind_from_deg: float = Field(ge=0, le=360, allow_inf_nan=False)
    half_angle_deg: float = Field(gt=0, le=180, allow_inf_nan=False)
    reach_km: float = Field(gt=0, le=100, allow_inf_nan=False)


class Area(BaseModel):
    """A ring of corners, or a sector; one of them."""

    ring: list[tuple[Lon, Lat]] = Field(default=[], max_length=10_000)
    sector: Sector | None = None


class Placed(BaseModel):
    """A sensor and where it is."""

    stream: str
    sensor: str
    title_zh: str
    title_en: str
    lon: float
    lat: float


@router.get("/networks")
def list_networks(who: Viewer) -> list[dict[str, Any]]:
    """Return the site's networks."""
    return [
        {
            "name": one.name,
            "title_zh": one.title.zh,
            "title_en": one.title.en,
            "kind": one.kind,
            "nodes": len(one.nodes),
            "links": len(one.links),
        }
        for one in networks().values()
    ]


@router.get("/networks/{name}/links.geojson")
def links_geojson(name: str, conn: Conn, who: Viewer) -> dict[str, Any]:
    """Return every link as a line, with its seconds now; null where it is closed, with why."""
    network = _known(name)
    now = live_of(conn, network)
    features = []
    for place, link in enumerate(network.links):
        line = [network.nodes[link.start], network.nodes[link.end]]
        properties = {
            "free_s": link.free_s,
            "seconds": now.costs[place] if math.isfinite(now.costs[place]) else None,
            "known": now.known[place],
            "closed_by": now.closed.get(place, []),
        }
        geometry = {"type": "LineString", "coordinates": line}
        one = {"type": "Feature", "id": link.id, "geometry": geometry, "properties": properties}
        features.append(one)
    return {"type": "FeatureCollection", "features": features}


@router.get("/networks/{name}/path")
def path(
    name: str,
    conn: Conn,
    who: Viewer,
    from_lon: FromLon,
    from_lat: FromLat,
    to_lon: FromLon,
    to_lat: FromLat,
) -> Way:
    """Return the quickest way now between the nodes nearest to two places; 404 without one."""
    network = _known(name)
    graph, now = graph_of(network), live_of(conn, network)
    ends = graph.nearest_node((from_lon, from_lat)), graph.nearest_node((to_lon, to_lat))
    way = shortest(graph, now.costs, *ends)
    if way is None:
        raise not_found(f"no open way on {name} from there to there")
    usual = shortest(graph, graph.free_s, *ends)
    return _way(graph, now, way, usual)


@router.get("/networks/{name}/nearest")
def nearest_of(
    name: str,
    conn: Conn,
    who: Viewer,
    stream: str,
    to_lon: FromLon,
    to_lat: FromLat,
    k: Annotated[int, Query(ge=1, le=100)] = 3,
) -> list[Near]:
    """Return who of a stream's sensors is there soonest on the network as it is now."""
    network = _known(name)
    require_known("stream", [stream], streams())
    graph, now = graph_of(network), live_of(conn, network)
    those = {id: graph.nearest_node(at) for id, at in placed(conn, stream).items()}
    found = nearest(graph, now.costs, graph.nearest_node((to_lon, to_lat)), those, k)
    return [Near(sensor=sensor, way=_way(graph, now, way)) for sensor, way in found]


@router.get("/networks/{name}/walk")
def walk(
    name: str,
    conn: Conn,
    who: Viewer,
    node: str,
    direction: Literal["down", "up"] = "down",
) -> Walked:
    """Return what is reached from a node with the flow (down) or against it (up)."""
    network = _known(name)
    if node not in network.nodes:
        raise not_found(f"{name} has no node {node[:80]!r}")
    graph, now = graph_of(network), live_of(conn, network)
    nodes, links = walking.walk(graph, graph.ids.index(node), direction, now.closed)
    return Walked(nodes=[graph.ids[n] for n in nodes], links=[graph.links[k] for k in links])


@router.post("/inside")
def inside(area: Area, conn: Conn, who: Viewer) -> list[Placed]:
    """Return the sensors in use inside a ring, or downwind inside a sector."""
    if (area.sector is not None) == bool(area.ring):
        raise Refused("body", "one_of", "give a ring or a sector, one of them")
    if area.ring and len(area.ring) < 3:
        raise Refused("body.ring", "count", "a ring has at least three corners")
    rows = everything_placed(conn)
    points = np.array([row[4:] for row in rows], float).reshape(-1, 2)
    if area.sector is not None:
        one = area.sector
        found = in_sector(one.origin, one.wind_from_deg, one.half_angle_deg, one.reach_km, points)
    else:
        found = in_polygon(area.ring, points)
    return [
        Placed(stream=row[0], sensor=row[1], title_zh=row[2], title_en=row[3], lon=x, lat=y)
        for row, (x, y), is_in in zip(rows, points.tolist(), found, strict=True)
        if is_in
    ]


def _known(name: str) -> Network:
    if (found := networks().get(name)) is None:
        raise not_found(f"no network {name[:80]!r}; known: {', '.join(networks()) or 'none'}")
    return found


def _way(graph: Graph, now: Live, way: Path, usual: Path | None = None) -> Way:
    free = sum(graph.free_s[link] for link in way.links)
    known = sum(graph.free_s[link] for link in way.links if now.known[link])
    places: list[Point] = [graph.network.nodes[graph.ids[node]] for node in way.nodes]
    closing = {id for link in usual.links for id in now.closed.get(link, [])} if usual else set()
    return Way(
        seconds=way.seconds,
        free_s=free,
        known_share=known / free if free else 1.0,
        links=[graph.links[link] for link in way.links],
        line=places,
        detour_of=sorted(closing),
    )
