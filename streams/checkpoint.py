"""Checkpoints of the worker: state and next offset of a partition, together in the database."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.errors import TransientError
from service.postgres import connect

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after every record below ``next_offset``."""

    next_offset: int
    state: bytes


def load(dsn: str, app: str, places: Iterable[Place]) -> dict[Place, Checkpoint]:
    """Return the checkpoints of these partitions; one never checkpointed is left out."""
    wanted = set(places)
    with connect(dsn, app, autocommit=True) as conn:
        rows = conn.execute(
            "SELECT topic, partition, next_offset, state FROM checkpoints"
            " WHERE app = %s AND topic = ANY(%s)",
            [app, sorted({topic for topic, _ in wanted})],
        ).fetchall()
    return {
        (topic, partition): Checkpoint(next_offset, bytes(state))
        for topic, partition, next_offset, state in rows
        if (topic, partition) in wanted
    }


def save(dsn: str, app: str, checkpoints: dict[Place, Checkpoint]) -> None:
    """Store checkpoints in one transaction.

    ``TransientError`` code ``fenced`` when a stored one is ahead: another worker owns the partition
    now, and this process must start anew from what is stored.
    """
    with connect(dsn, app) as conn:
        for (topic, partition), checkpoint in sorted(checkpoints.items()):
            done = conn.execute(
                "INSERT INTO checkpoints (app, topic, partition, next_offset, state)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (app, topic, partition) DO UPDATE"
                " SET next_offset = excluded.next_offset, state = excluded.state,"
                " updated_at = now() WHERE checkpoints.next_offset <= excluded.next_offset",
                [app, topic, partition, checkpoint.next_offset, checkpoint.state],
            )
            if done.rowcount != 1:
                raise TransientError(
                    f"the checkpoint of {topic}/{partition} is ahead of this worker",
                    code="fenced",
                    stage="processing",
                )


def forget(dsn: str, app: str) -> int:
    """Delete all checkpoints of the app; return how many: the next start begins with the log."""
    with connect(dsn, app) as conn:
        return conn.execute("DELETE FROM checkpoints WHERE app = %s", [app]).rowcount
