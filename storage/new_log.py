"""Begin with the log that Kafka has now, where it is not the one that was worked off."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from kafka.structs import TopicPartition
from psycopg import Connection

from catalog.registry import facts, streams
from catalog.topics import all_topics
from service.kafka import consumer, ensure_topics
from service.kafka_log import Break, LogId, Look, Mark, Place, examine
from service.postgres import connect
from service.settings import Settings
from storage import audit

TABLES = {"consumer_offsets": "consumer", "checkpoints": "app"}


@dataclass(frozen=True, slots=True)
class Reader:
    """One that keeps offsets in the database: which table, by which name, how far it has come."""

    table: str
    name: str
    marks: dict[Place, Mark]
    written: dict[Place, datetime]
    """When the last record of a checkpoint was written, where it is known."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Where one reader begins in a partition whose log is another one."""

    reader: Reader
    found: Break
    offset: int


def plan(settings: Settings) -> list[Begin]:
    """Return what is to be done so that every reader goes on; empty when nothing is wrong.

    Topics that are gone are made. What is stored is known by its key, so sink and alerts engine
    read another log, and one that was restored, from its first record. The worker keeps its state:
    it evaluates another log from its first record, but of a restored one only what was written
    after the last record that it had, as all before has been evaluated.
    """
    topics = all_topics(settings.topic_prefix, tuple(streams()), tuple(facts()))
    ensure_topics(settings.kafka, topics)
    with connect(settings.database(), "new-log") as conn:
        readers = list(_readers(conn, topics))
    found = list[Begin]()
    for reader in readers:
        look = examine(settings.kafka, "new-log", reader.marks)
        found += _begins(settings, reader, look)
    return found


def carry_out(settings: Settings, begins: Iterable[Begin]) -> None:
    """Store where every reader begins; they see it by themselves within seconds."""
    with connect(settings.database(), "new-log") as conn:
        for begin in begins:
            _store(conn, begin)
            audit.record(
                conn,
                "command line",
                "log.new",
                f"{begin.reader.name} {begin.found.place[0]}/{begin.found.place[1]}",
                kind=begin.found.kind,
                reached=begin.found.reached,
                begins=begin.offset,
            )


def gaps(settings: Settings) -> list[tuple[datetime, str, str, int, int, int]]:
    """Return records that were gone before they were read, newest first: when that was noticed,
    reader, topic, partition, first and last offset."""
    with connect(settings.database(), "new-log") as conn:
        return conn.execute(
            "SELECT noticed_at, consumer, topic, partition, reached, found - 1 FROM log_breaks"
            " WHERE kind = 'gap' ORDER BY id DESC LIMIT 100"
        ).fetchall()


def _readers(conn: Connection, topics: Iterable[str]) -> Iterable[Reader]:
    for table, column in TABLES.items():
        written = "last_written_at" if table == "checkpoints" else "NULL::timestamptz"
        rows = conn.execute(
            f"SELECT {column}, topic, partition, next_offset, cluster_id, topic_id, last_record,"
            f" {written} FROM {table} WHERE topic = ANY(%s) ORDER BY 1, 2, 3".encode(),
            [list(topics)],
        ).fetchall()
        readers: dict[str, Reader] = {}
        for name, topic, partition, offset, cluster, log, last, at in rows:
            reader = readers.setdefault(name, Reader(table, name, {}, {}))
            known = None if log is None else LogId(cluster or "", log)
            reader.marks[topic, partition] = Mark(offset, known, last)
            if at is not None:
                reader.written[topic, partition] = at
        yield from readers.values()


def _begins(settings: Settings, reader: Reader, look: Look) -> list[Begin]:
    stopped = [look.breaks[place] for place in look.stopped()]
    after = {
        found.place: reader.written[found.place]
        for found in stopped
        if found.kind != "another" and found.place in reader.written
    }
    later = _written_after(settings, after, look.ends)
    return [
        Begin(reader, found, later.get(found.place, look.starts[found.place])) for found in stopped
    ]


def _written_after(
    settings: Settings, moments: Mapping[Place, datetime], ends: Mapping[Place, int]
) -> dict[Place, int]:
    """Return the offset of the first record that was written after a moment, else the end."""
    if not moments:
        return {}
    times = {TopicPartition(*p): int(at.timestamp() * 1000) + 1 for p, at in moments.items()}
    with closing(consumer(settings.kafka, "new-log", "", group_id=None)) as kafka:
        found = kafka.offsets_for_times(times)
    return {
        (part.topic, part.partition): there.offset if there else ends[part.topic, part.partition]
        for part, there in found.items()
    }


def _store(conn: Connection, begin: Begin) -> None:
    reader, found = begin.reader, begin.found
    column = TABLES[reader.table]
    conn.execute(
        f"UPDATE {reader.table} SET next_offset = %s, cluster_id = %s, topic_id = %s,"
        f" last_record = NULL, updated_at = now() WHERE {column} = %s AND topic = %s"
        " AND partition = %s AND next_offset = %s".encode(),
        [
            begin.offset,
            found.now.cluster,
            found.now.topic,
            reader.name,
            *found.place,
            found.reached,
        ],
    )
    conn.execute(
        "UPDATE log_breaks SET ended_at = now(), outcome = 'new_log'"
        " WHERE consumer = %s AND topic = %s AND partition = %s AND ended_at IS NULL",
        [reader.name, *found.place],
    )
