"""What the tables hold at one moment, in the reference's own words."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import dict_row

from catalog.contracts import aggregates_schema
from catalog.platform import BY_DATABASE
from catalog.registry import stream
from catalog.topics import readings_topic
from verify.oracle.log import Key, Letter, Place, body
from verify.oracle.outputs import Row
from verify.oracle.reference import Values
from verify.oracle.rules import micros

Rows = Connection[dict[str, Any]]
Minute = tuple[str, str, int]
"""(stream, sensor, start in epoch µs) of a window or of a rollup's bucket."""

ROLLUPS = ("15m", "1h", "1d")


@dataclass
class Tables:
    """One moment of the database: what consumers say they have stored, and what is there.

    Rows and offsets are written in one transaction, so at one moment they belong together.
    """

    stored: dict[tuple[str, str, int], int]
    """(consumer, topic, partition) -> next offset."""
    checkpoints: dict[Place, int]
    readings: dict[Key, Values] = field(default_factory=dict)
    letters: set[Letter] = field(default_factory=set)
    conflicts: set[tuple[Key, str]] = field(default_factory=set)
    minutes: dict[Minute, Row] = field(default_factory=dict)
    flags: set[tuple[Any, ...]] = field(default_factory=set)
    transitions: dict[str, Row] = field(default_factory=dict)
    episodes: dict[str, Row] = field(default_factory=dict)
    rollups: dict[str, dict[Minute, Row]] = field(default_factory=dict)
    marks: set[Minute] = field(default_factory=set)
    """Hours whose rollups are to be computed anew."""
    cuts: dict[tuple[str, str], int] = field(default_factory=dict)
    """(stream or ``*``, kind of table) -> time before which rows may have been dropped."""


def offsets(dsn: str, prefix: str, streams: tuple[str, ...]) -> Tables:
    """Return only what the consumers say they have stored."""
    with _connect(dsn) as conn:
        return _offsets(conn, prefix, streams)


def snapshot(dsn: str, prefix: str, streams: tuple[str, ...]) -> Tables:
    """Return the tables of these streams as they are at one moment."""
    with _connect(dsn) as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        found = _offsets(conn, prefix, streams)
        found.letters = _letters(conn, {readings_topic(prefix, name) for name in streams})
        found.conflicts = {c for c in _conflicts(conn) if c[0][0] in streams}
        found.flags = {f for f in _flags(conn) if f[0] in streams}
        found.transitions, found.episodes = _transitions(conn), _episodes(conn)
        for name in streams:
            found.readings |= _readings(conn, name)
            found.minutes |= _windows(conn, f"aggregates_{name}", name)
        for kind in ROLLUPS:
            found.rollups[kind] = {}
            for name in streams:
                found.rollups[kind] |= _windows(conn, f"rollup_{kind}_{name}", name)
        for row in _select(conn, "rollup_dirty", ("stream", "sensor", "hour")):
            found.marks.add((row["stream"], row["sensor"], micros(row["hour"])))
        for row in _select(conn, "retention_cuts", ("stream", "kind", "cut")):
            found.cuts[row["stream"], row["kind"]] = micros(row["cut"])
        return found


def _connect(dsn: str) -> Rows:
    return psycopg.Connection[dict[str, Any]].connect(dsn, row_factory=dict_row)


def _offsets(conn: Rows, prefix: str, streams: tuple[str, ...]) -> Tables:
    place = ("topic", "partition", "next_offset")
    stored = {
        (row["consumer"], row["topic"], row["partition"]): row["next_offset"]
        for row in _select(conn, "consumer_offsets", ("consumer", *place))
    }
    names = {readings_topic(prefix, name): name for name in streams}
    checkpoints = {
        (names[row["topic"]], row["partition"]): row["next_offset"]
        for row in _select(conn, "checkpoints", place)
        if row["topic"] in names
    }
    return Tables(stored, checkpoints)


def _readings(conn: Rows, name: str) -> dict[Key, Values]:
    """Return every stored reading; a second row of a key under a key of its own."""
    found: dict[Any, Values] = {}
    metrics = stream(name).metric_names
    for row in _select(conn, f"readings_{name}", ("sensor", "observed_at", *metrics)):
        key = (name, row["sensor"], micros(row["observed_at"]))
        found[(*key, "second row") if key in found else key] = {m: row[m] for m in metrics}
    return found


def _letters(conn: Rows, topics: set[str]) -> set[Letter]:
    """Return the sink's dead letters that name a record of these readings topics."""
    names = ("topic", "partition", "offset", "code")
    rows = _select(conn, "dead_letters", (*names, "stage"))
    return {
        (r["topic"], r["partition"], r["offset"], r["code"])
        for r in rows
        if r["topic"] in topics and r["stage"] == "storing"
    }


def _conflicts(conn: Rows) -> set[tuple[Key, str]]:
    """Return the bodies that came second, from the dead letters with code ``conflict``."""
    found: set[tuple[Key, str]] = set()
    for row in conn.execute(
        "SELECT stream, readings->0 AS reading, (readings->0->>'observed_at')::timestamptz AS at"
        " FROM dead_letters WHERE code = 'conflict'"
    ):
        skip = ("sensor", "observed_at")
        values: Values = {k: float(v) for k, v in row["reading"].items() if k not in skip}
        key = (row["stream"], row["reading"]["sensor"], micros(row["at"]))
        found.add((key, body(values)))
    return found


def _windows(conn: Rows, table: str, name: str) -> dict[Minute, Row]:
    """Return every stored window of a stream, or bucket of its rollups, with its revision."""
    columns = tuple(aggregates_schema(stream(name)).names)
    return {
        (name, row.pop("sensor"), micros(row.pop("window_start"))): row
        for row in _select(conn, table, columns)
    }


def _flags(conn: Rows) -> set[tuple[Any, ...]]:
    """Return (stream, sensor, observed_at, metric, test, flag) of every stored flag."""
    names = ("stream", "sensor", "observed_at", "metric", "test", "flag")
    return {
        (r["stream"], r["sensor"], micros(r["observed_at"]), r["metric"], r["test"], r["flag"])
        for r in _select(conn, "qc_flags", names)
    }


def _transitions(conn: Rows) -> dict[str, Row]:
    """Return what the worker's transitions left, all but the clocks of worker and engine.

    That nobody judges any more cannot come from who judges: the alerts engine says it by itself.
    """
    names = ("id", "episode", "rule", "stream", "sensor", "kind", "severity", "previous")
    names += ("metric", "value", "threshold", "observed_at", "confidence", "reason")
    found = {}
    for row in _select(conn, "transitions", names):
        if row["rule"] not in BY_DATABASE:
            row["observed_at"] = micros(row["observed_at"])
            found[row["id"]] = row
    return found


def _episodes(conn: Rows) -> dict[str, Row]:
    """Return every episode: whose it is, from when to when, how bad and how sure it was."""
    names = ("id", "rule", "stream", "sensor", "raised_at", "cleared_at", "peak_severity")
    names += ("status", "confidence", "reason")
    found = {}
    for row in _select(conn, "episodes", names):
        if row["rule"] in BY_DATABASE:
            continue
        for name in ("raised_at", "cleared_at"):
            row[name] = None if row[name] is None else micros(row[name])
        row["is_withdrawn"] = row.pop("status") == "withdrawn"
        found[row.pop("id")] = row
    return found


def _select(conn: Rows, table: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))
    return conn.execute(query).fetchall()
