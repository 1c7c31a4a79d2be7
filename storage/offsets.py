"""A consumer's offsets, kept in the same transaction as its rows."""

from collections.abc import Mapping

from psycopg import Connection

from service.errors import TransientError

Place = tuple[str, int]
"""A topic and a partition."""


def load_offsets(conn: Connection, consumer: str) -> dict[Place, int]:
    """Return the next offset of every partition that this consumer has stored."""
    rows = conn.execute(
        "SELECT topic, partition, next_offset FROM consumer_offsets WHERE consumer = %s",
        [consumer],
    )
    return {(topic, partition): offset for topic, partition, offset in rows}


def advance(
    conn: Connection, consumer: str, expected: Mapping[Place, int], after: Mapping[Place, int]
) -> None:
    """Move each partition on from its expected offset, inside the caller's transaction.

    ``TransientError`` code ``fenced`` when the stored offset is not the expected one: another
    process has taken the partition, or a commit whose reply was lost did happen. Nothing is stored;
    the caller loads the offsets anew and seeks.
    """
    for (topic, partition), next_offset in sorted(after.items()):
        done = conn.execute(
            "INSERT INTO consumer_offsets (consumer, topic, partition, next_offset)"
            " VALUES (%(consumer)s, %(topic)s, %(partition)s, %(next)s)"
            " ON CONFLICT (consumer, topic, partition) DO UPDATE"
            " SET next_offset = excluded.next_offset, updated_at = now()"
            " WHERE consumer_offsets.next_offset = %(expected)s",
            {
                "consumer": consumer,
                "topic": topic,
                "partition": partition,
                "next": next_offset,
                "expected": expected.get((topic, partition)),
            },
        )
        if done.rowcount != 1:
            raise TransientError(
                f"{topic}/{partition} is not where this process left it",
                code="fenced",
                stage="storing",
            )
