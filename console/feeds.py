"""The public feeds: one handler for all formats, without login, with tags, lifetimes and a rate."""

import math
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from catalog.feed import Feed, feeds
from console.auth import desk_of
from console.problems import Problem, not_found
from console.public_rate import PublicRate
from exchange.snapshot import Snapshot, Snapshots, snapshot, unchanged
from service.source import source_address

router = APIRouter(prefix="/feeds", tags=["feeds"])
OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Any page may read what is public anyway."""


@router.get("")
def list_feeds(request: Request) -> list[dict[str, Any]]:
    """Return the feeds: where they are, in which format, how long an answer holds."""
    _within_rate(request)
    return [
        {
            "name": feed.name,
            "title_zh": feed.title.zh,
            "title_en": feed.title.en,
            "path": f"{router.prefix}/{feed.name}",
            "format": feed.shows.format,
            "ttl_s": feed.ttl_s,
            "licence": feed.licence,
        }
        for feed in feeds().values()
    ]


@router.get("/{name}")
@router.head("/{name}", include_in_schema=False)
def get_feed(name: str, request: Request) -> Response:
    """Return a feed as it is now; 304 when ``If-None-Match`` names what has not changed."""
    feed = feeds().get(name)
    if feed is None:
        raise not_found(f"no feed {name[:60]!r}; known: {', '.join(feeds()) or 'none'}")
    _within_rate(request)
    desk = desk_of(request)
    kept: Snapshots = request.app.state.snapshots
    now = desk.clock.now()

    def make() -> Snapshot:
        with desk.pool.connection() as conn:
            return snapshot(conn, feed, now)

    found = kept.get(feed, now, make)
    headers = OPEN | _headers(feed, found, (found.expires_at - now).total_seconds())
    if unchanged(found.tag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def _headers(feed: Feed, found: Snapshot, left_s: float) -> dict[str, str]:
    return {
        "ETag": found.tag,
        "Cache-Control": f"public, max-age={max(0, math.ceil(left_s))}",
        "Last-Modified": found.made_at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }


def _within_rate(request: Request) -> None:
    rate: PublicRate = request.app.state.public_rate
    if wait := rate.wait_s(source_address()):
        seconds = str(math.ceil(wait))
        detail = f"too many requests from one address; again in {seconds} s"
        raise Problem(429, "too many requests", detail, "rate", Retry_After=seconds)
