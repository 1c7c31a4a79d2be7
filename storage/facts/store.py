"""From the log into the tables of facts, with the marks of the minutes that change."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
from kafka.consumer.fetcher import ConsumerRecord
from prometheus_client import Counter
from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from catalog.contracts import DeadLetter
from catalog.fact.model import Fact
from catalog.fact.rows import FactFrame, Row, decode_facts, facts_schema, faults, oddities_of
from catalog.frames import TIMESTAMP, FrameError, schema_of
from catalog.registry import facts
from catalog.topics import facts_topic
from storage.batch import Batch, Letter, place_id
from storage.copy import upsert
from storage.exact import Stored
from storage.facts.books import Booked, Key, MinuteOf, book, key_of, said
from storage.facts.tables import facts_table
from storage.write import write

FACTS = Counter("cityops_facts", "Facts worked off", ["fact", "result"])


@dataclass(slots=True)
class FactBatch:
    """What one transaction stores: sound facts by kind in the order of the log, and letters."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    letters: list[Letter] = field(default_factory=list)


class FactStore:
    """Stores the facts that its topics carry (a ``storage.exact.Store``)."""

    def __init__(self, prefix: str) -> None:
        self.topics = {facts_topic(prefix, fact.name): fact for fact in facts().values()}

    def prepare(self, records: list[ConsumerRecord]) -> FactBatch:
        """Decode records; what cannot be used becomes a dead letter, never an exception."""
        batch = FactBatch()
        for record in records:
            fact = self.topics[record.topic]
            try:
                _sort(batch, decode_facts(fact, record.value, record.headers), record)
            except FrameError as error:
                batch.letters.append(_poison(fact, record, error.code, error.reason))
        return batch

    def store(self, conn: Connection, batch: FactBatch) -> Stored:
        """Store a batch; the caller owns the transaction and the offsets."""
        letters, counts, newest = list(batch.letters), dict[tuple[str, str], int](), []
        for name, rows in batch.rows.items():
            booked = book(_known(conn, facts()[name], rows), rows)
            _write(conn, facts()[name], booked)
            letters += [_conflict(facts()[name], row) for row in booked.conflicts]
            newest += [row["at"] for row in booked.changed.values()]
            for result in ("new", "corrections", "duplicates"):
                counts[name, result] = getattr(booked, result)
        written = write(conn, Batch(letters=letters))
        rows = sum(count for (_, result), count in counts.items() if result != "duplicates")

        def committed() -> None:
            for (name, result), count in counts.items():
                FACTS.labels(name, result).inc(count)
            FACTS.labels("*", "dead_letters").inc(written.letters)

        return Stored(rows, max(newest, default=None), committed)

    def refuse(self, conn: Connection, record: ConsumerRecord, reason: str) -> Stored:
        """Keep one record that the database refuses as a dead letter."""
        letter = _poison(self.topics[record.topic], record, "database", reason)
        write(conn, Batch(letters=[letter]))
        return Stored(0, None)


def _sort(batch: FactBatch, frame: FactFrame, record: ConsumerRecord) -> None:
    """Put sound facts among the rows, with what we add to them, and the others among letters."""
    fact, sound = frame.fact, []
    for place, row in enumerate(frame.rows):
        code, reason = _wrong(fact, row, frame.received_at)
        if code:
            id = f"{place_id(record)}/{place}"
            letter = _letter(fact, id, code, reason, row)
            batch.letters.append(Letter(letter, record.topic, record.partition, record.offset))
        else:
            sound.append(row)
    for row, odd in zip(sound, oddities_of(fact, sound), strict=True):
        lag = max(timedelta(0), frame.received_at - row["at"]) // timedelta(seconds=1)
        own = {"received_at": frame.received_at, "lag_s": lag, "odd": odd}
        batch.rows[fact.name].append(row | own)


def _wrong(fact: Fact, row: Row, received_at: datetime) -> tuple[str, str]:
    """Return code and reason of a fact that is not booked; both empty when it is."""
    for fault in faults(fact, row, hashed=True):
        return fault.rule, f"{fault.field}: {fault.detail}"
    if received_at - row["at"] > timedelta(seconds=fact.lateness_s):
        return "too_late", f"it came more than {fact.lateness_s} s after it happened"
    return "", ""


def _known(conn: Connection, fact: Fact, rows: Sequence[Row]) -> dict[Key, Row]:
    keys = sorted({key_of(row) for row in rows})
    names = [*facts_schema(fact).names, "received_at", "lag_s", "odd"]
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT {} FROM {} JOIN unnest(%s::text[], %s::text[]) AS k (thing, id)"
                " USING (thing, id)"
            ).format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.Identifier(facts_table(fact.name)),
            ),
            [[thing for thing, _ in keys], [id for _, id in keys]],
        )
        return {key_of(row): row for row in cursor}


def _write(conn: Connection, fact: Fact, booked: Booked) -> None:
    if booked.changed:
        upsert(
            conn,
            facts_table(fact.name),
            _table(fact, list(booked.changed.values())),
            ("thing", "id"),
            newer="revision",
        )
    mark(conn, fact.name, sorted(booked.minutes))
    if booked.before:
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO fact_history (kind, thing, id, revision, at, body)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [
                    (fact.name, *key_of(row), row["revision"], row["at"], Jsonb(_plain(row)))
                    for row in booked.before
                ],
            )


def mark(conn: Connection, kind: str, minutes: Sequence[MinuteOf]) -> None:
    """Say that these minutes are to be added up anew.

    Each mark is a row of its own: one that is being taken in this moment cannot swallow it.
    """
    if minutes:
        conn.execute(
            "INSERT INTO fact_marks (kind, thing, minute)"
            " SELECT %s, * FROM unnest(%s::text[], %s::timestamptz[])",
            [kind, [thing for thing, _ in minutes], [minute for _, minute in minutes]],
        )


def _table(fact: Fact, rows: list[Row]) -> pa.Table:
    own = [
        pa.field("received_at", TIMESTAMP),
        pa.field("lag_s", pa.int64()),
        pa.field("odd", pa.string()),
    ]
    schema = pa.schema([*facts_schema(fact), *own])
    arrays = [
        pa.array([row[name] for row in rows], kind)
        for name, kind in zip(schema.names, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain(row: Row) -> dict[str, Any]:
    """Return what the sender said as JSON takes it, absent fields left out."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in said(row).items()
        if value is not None
    }


def _conflict(fact: Fact, row: Row) -> Letter:
    body = msgspec.json.encode([fact.name, _plain(row)])
    identity = f"conflict/{hashlib.sha256(body).hexdigest()[:32]}"
    reason = "this revision of the fact has another body stored"
    return Letter(_letter(fact, identity, "conflict", reason, row), "", 0, 0)


def _letter(fact: Fact, id: str, code: str, reason: str, row: Row) -> DeadLetter:
    return DeadLetter(
        id=id,
        stream=fact.name,
        stage="storing",
        code=code,
        reason=reason,
        at=datetime.now(UTC),
        readings=[_plain({k: v for k, v in row.items() if k not in fact.secrets})],
        source="facts",
    )


def _poison(fact: Fact, record: ConsumerRecord, code: str, reason: str) -> Letter:
    letter = DeadLetter(
        id=place_id(record),
        stream=fact.name,
        stage="storing",
        code=code,
        reason=reason,
        at=datetime.now(UTC),
        payload=record.value,
        dataschema=schema_of(record.headers),
        source="facts",
    )
    return Letter(letter, record.topic, record.partition, record.offset)
