"""Marked points of the sink at which its process kills itself, once, with a batch in its hands."""

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

NOTE = "crash.json"
AT_BATCH = 3
"""The first batches after a start are left alone, so that it is at work when it dies."""
BEFORE, AFTER = "before", "after"

POINTS = {
    "after_poll": BEFORE,
    "after_offsets": BEFORE,
    "after_insert": BEFORE,
    "after_commit": AFTER,
}
"""Point to whether the batch is in the database when the process dies there. Rows and offsets are
one transaction, so that there is no point between the two commits."""


def crash(point: str) -> Callable[[], None]:
    """Return what arms a process to die at a point."""
    return lambda: _arm(point)


def _arm(point: str) -> None:
    from storage.exact import ExactConsumer, Stored

    transact, seen = ExactConsumer._transact, [0]

    def dying(self: Any, records: list[Any], work: Callable[[Connection], Stored]) -> None:
        seen[0] += any(".readings." in record.topic for record in records)
        armed = seen[0] >= AT_BATCH

        def die(at: str) -> None:
            if armed and at == point:
                _die(self, point, {(r.topic, r.partition): r.offset + 1 for r in records})

        def marked(conn: Connection) -> Stored:
            die("after_offsets")
            stored = work(conn)
            die("after_insert")
            return stored

        die("after_poll")
        transact(self, records, marked)
        die("after_commit")

    ExactConsumer._transact = dying


def _die(consumer: Any, point: str, after: Mapping[tuple[str, int], int]) -> None:
    """Leave a note of what another session sees of the batch, then die as by ``kill -9``."""
    from storage.offsets import load_offsets

    settings = consumer._settings
    with psycopg.connect(settings.database()) as conn:
        stored = load_offsets(conn, consumer._name)
    there = [p in stored and stored[p].next_offset >= offset for p, offset in after.items()]
    seen = AFTER if all(there) else BEFORE if not any(there) else "in part"
    note: Path = settings.state_dir / NOTE
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"point": point, "batch": seen, "partitions": len(after)}))
    os.kill(os.getpid(), signal.SIGKILL)
