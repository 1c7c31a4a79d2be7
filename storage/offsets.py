"""A consumer's offsets, kept in the same transaction as its rows, with the log they belong to."""

from collections.abc import Mapping

from psycopg import Connection

from catalog.errors import TransientError
from service.kafka_log import LogId, Mark, Place

# one statement for all partitions: each round trip is paid by every reading's latency
_ADVANCE = """
WITH moves AS (
    SELECT * FROM unnest(
        %(topics)s::text[], %(partitions)s::integer[], %(next)s::bigint[], %(expected)s::bigint[],
        %(clusters)s::text[], %(ids)s::text[], %(last)s::bigint[]
    ) AS m (topic, partition, next_offset, expected, cluster_id, topic_id, last_record)
)
INSERT INTO consumer_offsets AS o
    (consumer, topic, partition, next_offset, cluster_id, topic_id, last_record)
SELECT %(consumer)s, topic, partition, next_offset, cluster_id, topic_id, last_record
FROM moves ORDER BY topic, partition
ON CONFLICT (consumer, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, cluster_id = excluded.cluster_id,
    topic_id = excluded.topic_id, last_record = excluded.last_record, updated_at = now()
WHERE o.next_offset = (
    SELECT m.expected FROM moves m
    WHERE m.topic = excluded.topic AND m.partition = excluded.partition
) AND (o.topic_id IS NULL
       OR (o.cluster_id, o.topic_id) = (excluded.cluster_id, excluded.topic_id))"""


def load_offsets(conn: Connection, consumer: str) -> dict[Place, Mark]:
    """Return how far this consumer has come in every partition that it has stored."""
    rows = conn.execute(
        "SELECT topic, partition, next_offset, cluster_id, topic_id, last_record"
        " FROM consumer_offsets WHERE consumer = %s",
        [consumer],
    )
    return {
        (topic, partition): Mark(offset, None if log is None else LogId(cluster or "", log), last)
        for topic, partition, offset, cluster, log, last in rows
    }


def advance(
    conn: Connection, consumer: str, before: Mapping[Place, Mark], after: Mapping[Place, Mark]
) -> None:
    """Move each partition on from where it was, inside the caller's transaction.

    ``TransientError`` code ``fenced`` when the stored offset is not that one, or one of another
    log: another process has taken the partition, a commit whose reply was lost did happen, or a
    person has begun with a new log. Nothing is stored; the caller loads the offsets anew and seeks.
    """
    places = sorted(after)
    logs = [after[place].log or LogId("", "") for place in places]
    done = conn.execute(
        _ADVANCE,
        {
            "consumer": consumer,
            "topics": [topic for topic, _ in places],
            "partitions": [partition for _, partition in places],
            "next": [after[place].next_offset for place in places],
            "expected": [before[place].next_offset for place in places],
            "clusters": [log.cluster for log in logs],
            "ids": [log.topic for log in logs],
            "last": [after[place].last for place in places],
        },
    )
    if done.rowcount != len(places):
        raise TransientError(
            f"{len(places) - done.rowcount} of {len(places)} partitions, from {places[0][0]} on,"
            " are not where this process left them",
            code="fenced",
            stage="storing",
        )
