"""Checkpoints of the worker: state and next offset of a partition, together in the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import lz4.frame
from psycopg import Connection

from catalog.errors import TransientError
from service.kafka_log import LogId, Mark, Place
from service.postgres import connect
from storage.shell import record_by_shell


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after every record below ``next_offset``, in parts by name.

    One to be stored holds the parts that have changed since the last one. ``last`` is the checksum
    of the last of these records, ``written_at`` when it was written, ``log`` what it lies in.
    """

    next_offset: int
    parts: dict[str, bytes]
    log: LogId | None = None
    last: int | None = None
    written_at: datetime | None = None

    def mark(self) -> Mark:
        """Return how far it reaches in Kafka's log."""
        return Mark(self.next_offset, self.log, self.last)


def load(dsn: str, app: str, places: Iterable[Place]) -> dict[Place, Checkpoint]:
    """Return the checkpoints of these partitions; one never checkpointed is left out."""
    wanted, found = set(places), dict[Place, Checkpoint]()
    with connect(dsn, app) as conn:
        rows = conn.execute(
            "SELECT topic, partition, next_offset, cluster_id, topic_id, last_record, part, p.state"
            " FROM checkpoints"
            " JOIN checkpoint_parts p USING (app, topic, partition)"
            " WHERE app = %s AND topic = ANY(%s)",
            [app, sorted({topic for topic, _ in wanted})],
            binary=True,
        )
        for topic, partition, next_offset, cluster, log, last, part, state in rows:
            if (topic, partition) in wanted:
                known = None if log is None else LogId(cluster or "", log)
                fresh = Checkpoint(next_offset, {}, known, last)
                checkpoint = found.setdefault((topic, partition), fresh)
                checkpoint.parts[part] = lz4.frame.decompress(state)
    return found


def save(dsn: str, app: str, checkpoints: dict[Place, Checkpoint]) -> int:
    """Store checkpoints in one transaction; return the bytes written.

    ``TransientError`` code ``fenced`` when a stored one is ahead, or of another log: another worker
    owns the partition now, or a person has begun with a new log, and this process must start anew
    from what is stored.
    """
    with connect(dsn, app) as conn:
        return sum(_save(conn, app, *item) for item in sorted(checkpoints.items(), key=_by_place))


def _by_place(item: tuple[Place, Checkpoint]) -> Place:
    return item[0]


def _save(conn: Connection, app: str, place: Place, checkpoint: Checkpoint) -> int:
    log = checkpoint.log or LogId("", "")
    done = conn.execute(
        "INSERT INTO checkpoints AS c (app, topic, partition, next_offset, cluster_id, topic_id,"
        " last_record, last_written_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (app, topic, partition) DO UPDATE"
        " SET next_offset = excluded.next_offset, cluster_id = excluded.cluster_id,"
        " topic_id = excluded.topic_id, last_record = excluded.last_record,"
        " last_written_at = excluded.last_written_at, updated_at = now()"
        " WHERE c.next_offset <= excluded.next_offset AND (c.topic_id IS NULL"
        " OR (c.cluster_id, c.topic_id) = (excluded.cluster_id, excluded.topic_id))",
        [
            *(app, *place, checkpoint.next_offset, log.cluster, log.topic, checkpoint.last),
            checkpoint.written_at,
        ],
    )
    if done.rowcount != 1:
        raise TransientError(
            f"the checkpoint of {place[0]}/{place[1]} is ahead of this worker or of another log",
            code="fenced",
            stage="processing",
        )
    packed = {part: lz4.frame.compress(state) for part, state in checkpoint.parts.items()}
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO checkpoint_parts (app, topic, partition, part, state)"
            " VALUES (%s, %s, %s, %s, %b) ON CONFLICT (app, topic, partition, part) DO UPDATE"
            " SET state = excluded.state",
            [(app, *place, part, state) for part, state in packed.items()],
        )
    return sum(map(len, packed.values()))


def forget(dsn: str, app: str) -> int:
    """Delete all checkpoints of the app; return how many: the next start begins with the log."""
    with connect(dsn, app) as conn:
        count = conn.execute("DELETE FROM checkpoints WHERE app = %s", [app]).rowcount
        record_by_shell(conn, "streams.forget", app, partitions=count)
        return count
