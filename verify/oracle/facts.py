"""Facts, judged by plain means: the log to rows, rows to minutes, minutes to what was published."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import dict_row

from catalog.contracts import aggregates_schema, decode_batch
from catalog.fact.model import Fact, Tally
from catalog.fact.rows import decode_facts, faults, oddities_of
from catalog.frames import FrameError
from catalog.registry import stream
from catalog.topics import aggregates_topic, facts_topic
from verify.oracle.compare import Difference, compare
from verify.oracle.rules import micros
from verify.topics import records

MINUTE_US = 60_000_000
Key = tuple[str, str]
Row = dict[str, Any]


@dataclass
class Books:
    """One moment of the database of one kind of facts."""

    stored: dict[int, int] = field(default_factory=dict)
    """Partition -> next offset."""
    rows: dict[Key, Row] = field(default_factory=dict)
    minutes: dict[tuple[str, int], Row] = field(default_factory=dict)
    """(thing, µs) -> revision and tallies."""
    open: set[tuple[str, int]] = field(default_factory=set)
    """Minutes that are to be added up anew, or are on their way to Kafka."""
    until: int = 0


def fact_hops(bootstrap: str, dsn: str, prefix: str, fact: Fact) -> list[Difference]:
    """Return the hops of one kind of facts; the database is read first, then the log."""
    books = _books(dsn, prefix, fact)
    told = _told(bootstrap, prefix, fact)
    settled = {key: row for key, row in books.minutes.items() if key not in books.open}
    return [
        compare("facts: rows in the table", _of_log(bootstrap, prefix, fact, books), books.rows),
        compare("facts: minutes of the rows", _added_up(fact, books), settled),
        compare(
            "facts: minutes in Kafka",
            {(*key, row["revision"]): row for key, row in settled.items()},
            {key: row for key, row in told.items() if _is_newest(key, settled)},
        ),
    ]


def _is_newest(key: tuple[str, int, int], settled: dict[tuple[str, int], Row]) -> bool:
    thing, minute, revision = key
    known = settled.get((thing, minute))
    return known is not None and known["revision"] == revision


def _of_log(bootstrap: str, prefix: str, fact: Fact, books: Books) -> dict[Key, Row]:
    """Return what must be in the table: of each fact the highest revision, of that the first."""
    found: dict[Key, Row] = {}
    log = sorted(
        records(bootstrap, facts_topic(prefix, fact.name)), key=lambda r: (r.partition, r.offset)
    )
    for record in log:
        if record.offset >= books.stored.get(record.partition, 0):
            continue
        try:
            frame = decode_facts(fact, record.value, record.headers)
        except FrameError:
            continue
        for row in frame.rows:
            sound = next(faults(fact, row, hashed=True), None) is None
            if not sound or (frame.received_at - row["at"]).total_seconds() > fact.lateness_s:
                continue
            key = row["thing"], row["id"]
            if key not in found or found[key]["revision"] < row["revision"]:
                lag = math.floor(max(0.0, (frame.received_at - row["at"]).total_seconds()))
                odd = oddities_of(fact, [row])[0]
                found[key] = row | {"at": micros(row["at"]), "lag_s": lag, "odd": odd}
    return found


def _added_up(fact: Fact, books: Books) -> dict[tuple[str, int], Row]:
    """Return the minutes that the rows make, where nothing is on its way."""
    by_minute: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in books.rows.values():
        minute = row["at"] // MINUTE_US * MINUTE_US
        if not row["void"]:
            by_minute[row["thing"], minute].append(row)
    keys = {key for key in {*by_minute, *books.minutes} if key[1] < books.until} - books.open
    return {
        key: {tally.name: _tally(tally, by_minute.get(key, [])) for tally in fact.tallies}
        | {"revision": books.minutes.get(key, {"revision": 0})["revision"]}
        for key in keys
    }


def _tally(tally: Tally, rows: Iterable[Row]) -> int | None:
    kept = [
        row
        for row in rows
        if all(row[name] in values for name, values in tally.where.items())
        and (tally.has is None or row[tally.has] is not None)
        and (tally.odd is None or tally.odd in row["odd"].split(","))
    ]
    if tally.of is None:
        return len(kept)
    values = sorted(row[tally.of] for row in kept if row[tally.of] is not None)
    if tally.kind == "sum":
        return sum(values)
    if not values:
        return None
    if tally.kind == "p95":
        return values[math.ceil(0.95 * len(values)) - 1]
    return values[-1] if tally.kind == "max" else values[0]


def _told(bootstrap: str, prefix: str, fact: Fact) -> dict[tuple[str, int, int], Row]:
    """Return every window that was published, by thing, minute and revision."""
    declared, found = stream(fact.stream), dict[tuple[str, int, int], Row]()
    for record in records(bootstrap, aggregates_topic(prefix, fact.stream)):
        for row in decode_batch(record.value, aggregates_schema(declared)).to_pylist():
            values = {t.name: row[f"{t.name}_sum"] for t in fact.tallies}
            tallies = {name: None if v is None else int(v) for name, v in values.items()}
            key = row["sensor"], micros(row["window_start"]), row["revision"]
            found[key] = tallies | {"revision": row["revision"]}
    return found


def _books(dsn: str, prefix: str, fact: Fact) -> Books:
    books, topic = Books(), facts_topic(prefix, fact.name)
    with psycopg.Connection[dict[str, Any]].connect(dsn, row_factory=dict_row) as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        for row in conn.execute(
            "SELECT partition, next_offset FROM consumer_offsets"
            " WHERE consumer = 'facts' AND topic = %s",
            [topic],
        ):
            books.stored[row["partition"]] = row["next_offset"]
        names = ("thing", "id", "at", "revision", "void", "lag_s", "odd")
        listed = map(sql.Identifier, (*names, *fact.dimension_names, *fact.measure_names))
        table = sql.Identifier(f"facts_{fact.name}")
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(listed), table)
        for row in conn.execute(query):
            books.rows[row["thing"], row["id"]] = row | {"at": micros(row["at"])}
        for name, found in (("fact_marks", books.open), ("fact_outbox", books.open)):
            marks = sql.SQL("SELECT thing, minute FROM {} WHERE kind = %s")
            for row in conn.execute(marks.format(sql.Identifier(name)), [fact.name]):
                found.add((row["thing"], micros(row["minute"])))
        for row in conn.execute(
            "SELECT thing, minute, revision, tallies FROM fact_minutes WHERE kind = %s", [fact.name]
        ):
            told = row["tallies"] | {"revision": row["revision"]}
            books.minutes[row["thing"], micros(row["minute"])] = told
        for row in conn.execute("SELECT until FROM fact_closed WHERE kind = %s", [fact.name]):
            books.until = micros(row["until"])
    return books
