"""Refused calls and logins in the audit log: counted, so that no flood of them fills it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg_pool import PoolTimeout

from service.audit import record
from service.log import logger
from service.source import coming_from

FLUSH_S = 10.0
MOST_ROWS = 10
"""Rows of each kind of refusal that one flush writes; the rest of a kind is one row with its count.

The kinds do not share them: guessing at the door must not hide who was refused inside.
"""
MOST_KEPT = 500
"""Sources of each kind that are kept apart until the next flush."""


Source = tuple[str, str]
"""Who was said to ask, and the address."""


@dataclass(slots=True)
class Count:
    """How often something was refused, and when."""

    first: datetime
    last: datetime
    count: int = 0
    example: str = ""


Kind = dict[Source, Count]


class Refusals:
    """Counts by what was refused, who was said to ask, and the address it came from.

    ``connection`` gives one to the database for the time of a flush.
    """

    def __init__(
        self,
        connection: Callable[[], AbstractContextManager[psycopg.Connection]],
        now: Callable[[], datetime],
        flush_s: float = FLUSH_S,
    ) -> None:
        self._connection = connection
        self._now = now
        self._flush_s = flush_s
        self._lock = threading.Lock()
        self._counts: dict[str, Kind] = {}

    def note(self, what: str, who: str, address: str, example: str = "") -> None:
        """Count one refusal; ``example`` is what the first of them asked for."""
        now = self._now()
        seen = Count(now, now, 1, example[:200])
        with self._lock:
            _add(self._counts.setdefault(what, {}), (who[:60], address), seen)

    def flush(self) -> None:
        """Write what was counted; kept for the next time while the database is away."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with self._connection() as conn, conn.transaction():
                self._write(conn, counts)
        except (psycopg.Error, PoolTimeout) as error:
            logger().warning("refusals are not recorded yet", reason=str(error).strip()[:200])
            with self._lock:
                for what, newer in self._counts.items():
                    for source, count in newer.items():
                        _add(counts.setdefault(what, {}), source, count)
                self._counts = counts

    def run(self, stop: threading.Event) -> None:
        """Flush every few seconds until ``stop``, and once more then."""
        while not stop.wait(self._flush_s):
            self.flush()
        self.flush()

    @staticmethod
    def _write(conn: psycopg.Connection, counts: dict[str, Kind]) -> None:
        for what, kind in sorted(counts.items()):
            own = sorted(kind.items(), key=lambda item: -item[1].count)
            for (who, address), kept in own[:MOST_ROWS]:
                with coming_from(address):
                    told = {"count": kept.count, "first": kept.first.isoformat()}
                    told["last"] = kept.last.isoformat()
                    record(conn, who or "unknown", what, kept.example, "refused", **told)
            if rest := [kept.count for _, kept in own[MOST_ROWS:]]:
                with coming_from(""):
                    told = {"count": sum(rest), "sources": len(rest)}
                    record(conn, "several", what, "", "refused", **told)


def _add(kind: Kind, source: Source, more: Count) -> None:
    """Add to what was counted; beyond ``MOST_KEPT`` a new source counts as one of many."""
    if source not in kind and len(kind) >= MOST_KEPT:
        source = ("", "")
    if kept := kind.get(source):
        kept.last, kept.count = more.last, kept.count + more.count
    else:
        kind[source] = more
