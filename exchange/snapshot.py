"""One answer of a feed: its bytes, until when it holds, and what it is known by.

The tag is of what is told, without the time at which it was made: who asks again while nothing has
changed is told so in a few bytes. An answer is made once in ``ttl_s``, however many ask.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

from catalog.feed import Feed, GtfsAlerts, LinkStates
from exchange import gtfs_rt, links, vms


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An answer; ``tag`` is an entity tag as HTTP writes it (weak: the time inside may differ)."""

    body: bytes
    media_type: str
    tag: str
    made_at: datetime
    expires_at: datetime


def snapshot(conn: Connection, feed: Feed, now: datetime) -> Snapshot:
    """Make an answer of a feed as it is now."""
    shows = feed.shows
    if isinstance(shows, GtfsAlerts):
        told = gtfs_rt.alerts(conn, shows, now)
        content, body = gtfs_rt.content(told), gtfs_rt.message(shows, told, now)
        kind = gtfs_rt.MEDIA_TYPE
    elif isinstance(shows, LinkStates):
        found = links.features(conn, shows)
        content, body = links.content(found), links.collection(feed, found, now)
        kind = links.MEDIA_TYPE
    else:
        signs = vms.signs(conn, shows, now)
        content, body = links.content(signs), vms.publication(feed, signs, now)
        kind = vms.MEDIA_TYPE
    digest = hashlib.sha256(content).hexdigest()[:32]
    return Snapshot(body, kind, f'W/"{digest}"', now, now + timedelta(seconds=feed.ttl_s))


class Snapshots:
    """The newest answer of each feed, made anew when it has expired."""

    def __init__(self) -> None:
        self._kept: dict[str, Snapshot] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, feed: Feed, now: datetime, make: Callable[[], Snapshot]) -> Snapshot:
        """Return an answer that holds at ``now``; one caller makes it, the others wait for it."""
        with self._lock:
            lock = self._locks.setdefault(feed.name, threading.Lock())
        with lock:
            kept = self._kept.get(feed.name)
            if kept is None or not kept.made_at <= now < kept.expires_at:
                kept = self._kept[feed.name] = make()
            return kept


def unchanged(tag: str, if_none_match: str) -> bool:
    """Tell whether ``If-None-Match`` names the tag, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return tag.removeprefix("W/") in known
