"""Refused calls and logins in the audit log: counted, so that no flood of them fills it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from service.log import logger
from service.source import coming_from
from storage.audit import record

FLUSH_S = 10.0
MOST_ROWS = 10
"""Rows of each kind of refusal that one flush writes; the rest of a kind is one row with its count.

The kinds do not share them: guessing at the door must not hide who was refused inside.
"""
MOST_KEPT = 500
Key = tuple[str, str, str]


@dataclass(slots=True)
class Count:
    """How often something was refused, and when."""

    first: datetime
    last: datetime
    count: int = 0
    example: str = ""


class Refusals:
    """Counts by what was refused, who was said to ask, and the address it came from."""

    def __init__(self, pool: ConnectionPool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now
        self._lock = threading.Lock()
        self._counts: dict[Key, Count] = {}

    def note(self, what: str, who: str, address: str, example: str = "") -> None:
        """Count one refusal; ``example`` is what the first of them asked for."""
        key, now = (what, who[:60], address), self._now()
        with self._lock:
            if key not in self._counts and len(self._counts) >= MOST_KEPT:
                key = (what, "", "")
            kept = self._counts.setdefault(key, Count(now, now, example=example[:200]))
            kept.last, kept.count = now, kept.count + 1

    def flush(self) -> None:
        """Write what was counted; kept for the next time while the database is away."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with self._pool.connection() as conn, conn.transaction():
                self._write(conn, counts)
        except (psycopg.Error, PoolTimeout) as error:
            logger().warning("refusals are not recorded yet", reason=str(error).strip()[:200])
            with self._lock:
                for key, newer in self._counts.items():
                    kept = counts.setdefault(key, newer)
                    if kept is not newer:
                        kept.last, kept.count = newer.last, kept.count + newer.count
                self._counts = counts

    def run(self, stop: threading.Event) -> None:
        """Flush every few seconds until ``stop``, and once more then."""
        while not stop.wait(FLUSH_S):
            self.flush()
        self.flush()

    @staticmethod
    def _write(conn: psycopg.Connection, counts: dict[Key, Count]) -> None:
        for what in sorted({what for what, _, _ in counts}):
            own = [(key, kept) for key, kept in counts.items() if key[0] == what]
            own.sort(key=lambda item: -item[1].count)
            for (_, who, address), kept in own[:MOST_ROWS]:
                with coming_from(address):
                    told = {"count": kept.count, "first": kept.first.isoformat()}
                    told["last"] = kept.last.isoformat()
                    record(conn, who or "unknown", what, kept.example, "refused", **told)
            if rest := [kept.count for _, kept in own[MOST_ROWS:]]:
                with coming_from(""):
                    told = {"count": sum(rest), "sources": len(rest)}
                    record(conn, "several", what, "", "refused", **told)
