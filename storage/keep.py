"""Keep the stored data in shape: rollups all the time, retention every hour.

And end the screens' queries that run for too long, which PostgreSQL alone cannot enforce, and
anchor the audit log.
"""

import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

from prometheus_client import Counter
from psycopg import Connection

from service.log import logger
from service.metrics import seconds
from service.process import run_process
from service.reconnecting import keep_connected
from service.vitals import Vitals
from storage.anchors import Anchors
from storage.retention import KeepSettings, drop_old
from storage.rollups import BATCH, Rolled, refresh
from storage.views.reader import end_overlong

NAME = "keep"
ROUND_S = 10.0
RETENTION_EVERY_S = 3600.0
MOST_COUNTED = 100_000
STALL_S = 120.0
"""A batch of marks is several statements, each of which may take 30 s."""

WRITTEN = Counter("cityops_keep_rollups", "Rollup rows written or corrected", ["kind"])
REFUSED = Counter("cityops_keep_refused", "Marks of rollups that are closed by retention")
MARKS = Counter("cityops_keep_marks", "Marks of changed hours worked off")
ROUND = seconds("cityops_keep_round_seconds", "Duration of one round over the marks")
DROPPED = Counter("cityops_keep_chunks_dropped", "Chunks dropped by retention", ["kind"])
ENDED = Counter("cityops_keep_queries_ended", "Sessions of the screens' role that took too long")


@dataclass(slots=True)
class Kept:
    """Totals of one round."""

    marks: int = 0
    written: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


def keep_once(conn: Connection, settings: KeepSettings, now: datetime) -> Kept:
    """Work off every mark there is, then drop what is too old. ``conn`` is in autocommit."""
    kept = roll_up(conn)
    kept.dropped = _drop(conn, settings, now)
    return kept


def roll_up(
    conn: Connection, stop: threading.Event | None = None, vitals: Vitals | None = None
) -> Kept:
    """Work off the marks, a transaction for each batch, until none is left or ``stop``."""
    kept = Kept()
    while stop is None or not stop.is_set():
        with conn.transaction():
            rolled = refresh(conn)
        _add(kept, rolled)
        if vitals:
            vitals.progress(sum(rolled.written.values()))
        if rolled.marks < BATCH:
            break
    return kept


def run_keep(settings: KeepSettings, vitals: Vitals, stop: threading.Event) -> None:
    """Keep rollups and retention until ``stop``; a database that is away is waited for."""

    def work(conn: Connection) -> None:
        _rounds(conn, settings, vitals, stop)

    vitals.ready()
    keep_connected(settings.database(), NAME, work, stop, vitals.trouble)


def _rounds(
    conn: Connection, settings: KeepSettings, vitals: Vitals, stop: threading.Event
) -> None:
    retention_due = anchor_due = 0.0
    anchors, broken = Anchors(settings.state_dir), ""
    while not stop.is_set():
        vitals.lag(_waiting(conn))
        with ROUND.time():
            kept = roll_up(conn, stop, vitals)
        vitals.lag(0)
        if monotonic() >= retention_due:
            kept.dropped = _drop(conn, settings, datetime.now(UTC))
            retention_due = monotonic() + RETENTION_EVERY_S
        if ended := end_overlong(conn):
            ENDED.inc(ended)
            logger().warning("queries of screens took too long and were ended", sessions=ended)
        if monotonic() >= anchor_due:
            broken = _anchor(conn, anchors)
            anchor_due = monotonic() + settings.anchor_s
        vitals.trouble(broken)
        if kept.refused:
            logger().warning("late minutes for closed rollups", refused=kept.refused)
        stop.wait(ROUND_S)


def _anchor(conn: Connection, anchors: Anchors) -> str:
    """Anchor the audit log; return what is wrong with it, for people, until that is mended."""
    found = anchors.add(conn)
    if found.broken_at is None:
        return ""
    logger().error("audit log broken", row=found.broken_at, reason=found.why)
    return f"audit log {found.words()}"


def _waiting(conn: Connection) -> int:
    """Return how many marks wait; more are not counted than would take long to."""
    row = conn.execute(
        "SELECT count(*) FROM (SELECT FROM rollup_dirty LIMIT %s) m", [MOST_COUNTED]
    ).fetchone()
    return row[0] if row else 0


def _drop(conn: Connection, settings: KeepSettings, now: datetime) -> dict[str, int]:
    dropped = drop_old(conn, settings, now)
    for kind, count in dropped.items():
        DROPPED.labels(kind).inc(count)
    return dropped


def _add(kept: Kept, rolled: Rolled) -> None:
    kept.marks += rolled.marks
    MARKS.inc(rolled.marks)
    kept.refused += rolled.refused
    REFUSED.inc(rolled.refused)
    for kind, count in rolled.written.items():
        kept.written[kind] = kept.written.get(kind, 0) + count
        WRITTEN.labels(kind).inc(count)


def main() -> int:
    """Run until SIGTERM; return the exit code."""
    settings = KeepSettings()
    body = lambda v, stop: run_keep(settings, v, stop)  # noqa: E731
    return run_process(NAME, settings, body, exit_when_stalled_s=STALL_S)


if __name__ == "__main__":
    sys.exit(main())
