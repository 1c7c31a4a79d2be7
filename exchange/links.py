"""Links of a network as GeoJSON (RFC 7946): seconds now and at free speed, level, closed or not."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

from catalog.feed import Feed, LinkStates
from catalog.network import networks
from storage.networks import live_of

MEDIA_TYPE = "application/geo+json"
CLOSED, UNKNOWN = "closed", "unknown"
Features = list[dict[str, Any]]


def features(conn: Connection, shows: LinkStates) -> Features:
    """Return every link as a line; what no fresh reading knows has level ``unknown``."""
    network = networks()[shows.network]
    live = live_of(conn, network)
    found: Features = []
    for place, link in enumerate(network.links):
        closed, known = place in live.closed, live.known[place]
        seconds = live.costs[place]
        timed = known and not closed and math.isfinite(seconds)
        ends = (network.nodes[link.start], network.nodes[link.end])
        found.append(
            {
                "type": "Feature",
                "id": link.id,
                "geometry": {"type": "LineString", "coordinates": [list(at) for at in ends]},
                "properties": {
                    "free_time_s": link.free_s,
                    "travel_time_s": round(seconds, 1) if timed else None,
                    "level": CLOSED
                    if closed
                    else _level(shows, link.free_s / seconds)
                    if timed
                    else UNKNOWN,
                    "closed": closed,
                    "both_ways": link.both,
                },
            }
        )
    return found


def _level(shows: LinkStates, share: float) -> str:
    return next(grade.name for grade in shows.grades if share >= grade.least)


def content(told: Any) -> bytes:
    """Return what is told, without the time of telling."""
    return json.dumps(told, sort_keys=True).encode()


def head(feed: Feed, now: datetime) -> dict[str, Any]:
    """Return what every JSON feed says of itself."""
    return {
        "feed": feed.name,
        "title_zh": feed.title.zh,
        "title_en": feed.title.en,
        "generated_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "ttl_s": feed.ttl_s,
        "licence": feed.licence,
        "datum": "WGS-84",
    }


def collection(feed: Feed, found: Features, now: datetime) -> bytes:
    """Return the feature collection; what it says of itself are foreign members."""
    shows = feed.shows
    grades = (
        {g.name: {"title_zh": g.title.zh, "title_en": g.title.en} for g in shows.grades}
        if isinstance(shows, LinkStates)
        else {}
    )
    body = {"type": "FeatureCollection"} | head(feed, now) | {"levels": grades, "features": found}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
