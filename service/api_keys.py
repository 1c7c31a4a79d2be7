"""API keys: high-entropy tokens, stored as SHA-256, scoped like ``ingest:air_quality``."""

import hashlib
import hmac
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import Connection

KEY_PREFIX = "ck_"
ROLES = ("viewer", "operator", "admin")
"""What a key may be in the console's API; each may do what the ones before it may."""

REPORTING = "open311:report"
"""What an application of the public needs to report."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key that is in force."""

    name: str
    hash: str
    scopes: frozenset[str]

    def allows(self, area: str, what: str) -> bool:
        """Tell whether the key may do ``what`` in ``area``, e.g. ("ingest", "air_quality")."""
        return f"{area}:*" in self.scopes or f"{area}:{what}" in self.scopes


def check_scopes(scopes: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Return the scopes without blanks around and doubles; ValueError that names all there are."""
    known = ["ingest:*", *(f"ingest:{name}" for name in sources)]
    known += ["api:*", *(f"api:{role}" for role in ROLES), REPORTING]
    given = list(dict.fromkeys(scope.strip() for scope in scopes))
    for scope in given:
        if scope not in known:
            raise ValueError(f"no scope {scope!r}; there are {', '.join(known)}")
    if not given:
        raise ValueError("a key needs a scope")
    return given


def shown(token: str) -> str:
    """Return as much of a token as may be told of it."""
    return f"key {token[: len(KEY_PREFIX) + 5]}" if token else "no key"


def hash_key(token: str) -> str:
    """Return the stored form of a token. Tokens are random, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def load_keys(conn: Connection) -> list[ApiKey]:
    """Return the keys in force."""
    rows = conn.execute("SELECT name, hash, scopes FROM api_keys WHERE revoked_at IS NULL")
    return [ApiKey(name, digest, frozenset(scopes)) for name, digest, scopes in rows]


class KeyRing:
    """The keys in force, kept in memory so that a database that is away locks nobody out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, ApiKey] = {}

    def refresh(self, conn: Connection) -> None:
        """Read the keys anew; call it every few seconds so that a revoked key stops working."""
        keys = {key.hash: key for key in load_keys(conn)}
        with self._lock:
            self._keys = keys

    def find(self, token: str) -> ApiKey | None:
        """Return the key of this token, or None."""
        digest = hash_key(token)
        with self._lock:
            key = self._keys.get(digest)
        return key if key and hmac.compare_digest(key.hash, digest) else None
