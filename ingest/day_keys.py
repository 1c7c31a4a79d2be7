"""Keys by which secrets of facts are hashed: a random one each day of the site, shared by gateways.

A key is made before its day begins and deleted when no fact of the day is taken any more; from then
on nobody can tell which hash was whose, nor find a person again on another day.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from psycopg import Connection

from catalog.fact.model import Fact
from catalog.registry import facts
from catalog.site import zone

KEY_BYTES, HASH_BYTES = 32, 16


class DayKeys:
    """The keys that are in force; ``refresh`` keeps them in step with the database."""

    def __init__(self) -> None:
        self._keys: Mapping[date, bytes] = {}

    def refresh(self, conn: Connection, now: datetime) -> None:
        """Make the keys that are missing, forget those that are too old; ``conn``: autocommit."""
        first, last = day_of(now) - reach(), day_of(now) + timedelta(days=1)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        if missing := [day for day in days if day not in self._keys]:
            conn.execute(
                "INSERT INTO fact_keys (day, key) SELECT * FROM unnest(%s::date[], %s::bytea[])"
                " ON CONFLICT DO NOTHING",
                [missing, [secrets.token_bytes(KEY_BYTES) for _ in missing]],
            )
            conn.execute("DELETE FROM fact_keys WHERE day < %s", [first])
            rows = conn.execute("SELECT day, key FROM fact_keys").fetchall()
            self._keys = {day: bytes(key) for day, key in rows if day >= first}

    def hashed(self, fact: Fact, at: datetime, value: str) -> str | None:
        """Return the hash of a secret (HMAC-SHA-256, RFC 2104, its first 128 bits); None without
        a key of the day. Dimensions of one fact that hold the same have the same hash."""
        if (key := self._keys.get(day_of(at))) is None:
            return None
        text = f"{fact.name}\0{value}".encode()
        return hmac.new(key, text, hashlib.sha256).digest()[:HASH_BYTES].hex()


def day_of(at: datetime) -> date:
    """Return the day of the site."""
    return at.astimezone(zone()).date()


def reach() -> timedelta:
    """Return how many days back keys are needed: for as long as any fact may come, and a day."""
    longest = max((fact.lateness_s for fact in facts().values()), default=0)
    return timedelta(days=longest // 86_400 + 2)
