"""What a consumer found wrong with Kafka's log, kept in the database: an alert and a history."""

from collections.abc import Iterable

from prometheus_client import Gauge
from psycopg import Connection

from service.kafka_log import Break, LogId, Look, Place
from service.log import logger

BREAKS = Gauge(
    "cityops_log_breaks",
    "Partitions whose log is not gone on with: it is another one",
    ["consumer"],
)


def note_breaks(conn: Connection, consumer: str, look: Look, places: Iterable[Place]) -> None:
    """Store what a look at these partitions found; end what is right again.

    Records that are gone (``gap``) are noted once and gone on after.
    """
    with conn.transaction():
        for found in look.breaks.values():
            if _insert(conn, consumer, found):
                log = logger()
                log.error(
                    "log broken", consumer=consumer, reason=found.words(), now=_said(found.now)
                )
        right = [place for place in places if place not in look.stopped()]
        conn.execute(
            "UPDATE log_breaks b SET ended_at = now(), outcome = 'back'"
            " FROM unnest(%s::text[], %s::integer[]) AS r (topic, partition)"
            " WHERE b.consumer = %s AND b.topic = r.topic AND b.partition = r.partition"
            " AND b.ended_at IS NULL",
            [[t for t, _ in right], [p for _, p in right], consumer],
        )
    BREAKS.labels(consumer).set(len(look.stopped()))


def _insert(conn: Connection, consumer: str, found: Break) -> bool:
    """Tell whether it was not known yet."""
    ended = "NULL, NULL" if found.stops else "now(), 'went_on'"
    known = "ended_at IS NULL" if found.stops else "kind = 'gap' AND reached = %(reached)s"
    done = conn.execute(
        "INSERT INTO log_breaks (consumer, topic, partition, kind, reached, found, was, became,"
        " ended_at, outcome) SELECT %(consumer)s, %(topic)s, %(partition)s, %(kind)s, %(reached)s,"
        f" %(found)s, %(was)s, %(became)s, {ended} WHERE NOT EXISTS (SELECT FROM log_breaks"
        " WHERE consumer = %(consumer)s AND topic = %(topic)s AND partition = %(partition)s"
        f" AND became = %(became)s AND {known})"
        " ON CONFLICT (consumer, topic, partition) WHERE ended_at IS NULL DO NOTHING".encode(),
        {
            "consumer": consumer,
            "topic": found.place[0],
            "partition": found.place[1],
            "kind": found.kind,
            "reached": found.reached,
            "found": found.found,
            "was": _said(found.was),
            "became": _said(found.now),
        },
    )
    return done.rowcount == 1


def _said(log: LogId | None) -> str:
    return f"{log.cluster}/{log.topic}" if log else ""
