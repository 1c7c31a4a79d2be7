"""A consumer's offsets, kept in the same transaction as its rows."""

from collections.abc import Mapping

from psycopg import Connection

from service.errors import TransientError

Place = tuple[str, int]
"""A topic and a partition."""

# one statement for all partitions: each round trip is paid by every reading's latency
_ADVANCE = """
WITH moves AS (
    SELECT * FROM unnest(
        %(topics)s::text[], %(partitions)s::integer[], %(next)s::bigint[], %(expected)s::bigint[]
    ) AS m (topic, partition, next_offset, expected)
)
INSERT INTO consumer_offsets AS o (consumer, topic, partition, next_offset)
SELECT %(consumer)s, topic, partition, next_offset FROM moves ORDER BY topic, partition
ON CONFLICT (consumer, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, updated_at = now()
WHERE o.next_offset = (
    SELECT m.expected FROM moves m
    WHERE m.topic = excluded.topic AND m.partition = excluded.partition
)"""


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
    places = sorted(after)
    done = conn.execute(
        _ADVANCE,
        {
            "consumer": consumer,
            "topics": [topic for topic, _ in places],
            "partitions": [partition for _, partition in places],
            "next": [after[place] for place in places],
            "expected": [expected.get(place) for place in places],
        },
    )
    if done.rowcount != len(places):
        raise TransientError(
            f"{len(places) - done.rowcount} of {len(places)} partitions, from {places[0][0]} on,"
            " are not where this process left them",
            code="fenced",
            stage="storing",
        )
