"""The judge: what came of a Kafka log against what must, hop by hop, first differences named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from catalog.contracts import (
    FLAGS_SCHEMA,
    Transition,
    aggregates_schema,
    decode_batch,
    decode_transition,
)
from catalog.platform import PLATFORM
from catalog.registry import spokesman, stream
from catalog.topics import aggregates_topic, flags_topic, readings_topic, transitions_topic
from tests.oracle import tables
from tests.oracle.compare import Difference, compare, same
from tests.oracle.log import Expected, Place, Reader
from tests.oracle.outputs import Row, flags_of, plain, windows_of
from tests.oracle.reference import Flag, WindowKey
from tests.topics import ends, records

SINK, ALERTS = "sink", "alerts"
Offsets = dict[tuple[str, int], int]


@dataclass
class Judge:
    """Compares the log, the topics and the tables of one platform."""

    bootstrap: str
    dsn: str
    prefix: str
    streams: tuple[str, ...]

    @property
    def reader(self) -> Reader:
        """The reader of this platform's log."""
        return Reader(self.bootstrap, self.prefix, self.streams)

    def unfinished(self, frames: dict[Place, int]) -> str:
        """Say what waits to be done of the log up to the ends ``frames``; empty when nothing."""
        stored, checkpoints = self._stored(), self._checkpoints()
        for (name, part), end in frames.items():
            topic = readings_topic(self.prefix, name)
            if stored.get((SINK, topic, part), 0) < end:
                return f"{SINK} has not stored {topic}/{part} up to {end}"
            if checkpoints.get((name, part), 0) < end:
                return f"worker has no checkpoint of {topic}/{part} up to {end}"
        outputs = [aggregates_topic(self.prefix, name) for name in self.streams]
        outputs += [flags_topic(self.prefix), transitions_topic(self.prefix)]
        for (topic, part), end in ends(self.bootstrap, outputs).items():
            who = ALERTS if topic == transitions_topic(self.prefix) else SINK
            if stored.get((who, topic, part), 0) < end:
                return f"{who} has not stored {topic}/{part} up to {end}"
        return ""

    def verdict(self) -> list[Difference]:
        """Return the hops that are wrong. Wait until ``unfinished`` says nothing before."""
        checkpoints = self._checkpoints()
        windows, flags, told = self._windows(), self._flags(), self._transitions()
        with self._connect() as conn:
            rows = tables.readings(conn, self.streams)
            letters, conflicts = tables.letters(conn), tables.conflicts(conn)
            minutes, stored_flags = tables.minutes(conn, self.streams), tables.flags(conn)
            recorded = tables.transitions(conn)
        recorded = {i: row for i, row in recorded.items() if self._reads(row["stream"])}
        expected = self.reader.expected(checkpoints)
        found = [
            compare("sink: readings in the tables", expected.rows, rows),
            _sets("sink: dead letters of what cannot be used", expected.letters, letters),
            _sets("sink: dead letters of other bodies", expected.conflicts, conflicts),
            *_worker(expected, windows, flags, told),
            _newest(expected, minutes),
            _sets("sink: flags in the table", _worst(flags), stored_flags),
            compare("alerts: transitions in the table", told, recorded),
        ]
        return [difference for difference in found if difference]

    def _connect(self) -> tables.Rows:
        return psycopg.Connection[dict[str, Any]].connect(self.dsn, row_factory=dict_row)

    def _stored(self) -> dict[tuple[str, str, int], int]:
        query = "SELECT consumer, topic, partition, next_offset FROM consumer_offsets"
        with self._connect() as conn, conn.cursor(row_factory=tuple_row) as cursor:
            return {(c, t, p): offset for c, t, p, offset in cursor.execute(query)}

    def _checkpoints(self) -> dict[Place, int]:
        names = {readings_topic(self.prefix, name): name for name in self.streams}
        query = "SELECT topic, partition, next_offset FROM checkpoints"
        with self._connect() as conn, conn.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(query).fetchall()
        return {(names[t], p): offset for t, p, offset in rows if t in names}

    def _windows(self) -> dict[WindowKey, Row]:
        found: dict[WindowKey, Row] = {}
        for name in self.streams:
            schema = aggregates_schema(stream(name))
            for record in records(self.bootstrap, aggregates_topic(self.prefix, name)):
                _keep(found, windows_of(name, decode_batch(record.value, schema)))
        return found

    def _flags(self) -> set[Flag]:
        logged = records(self.bootstrap, flags_topic(self.prefix))
        return {f for r in logged for f in flags_of(decode_batch(r.value, FLAGS_SCHEMA))}

    def _transitions(self) -> dict[str, Row]:
        found: dict[str, Row] = {}
        logged = records(self.bootstrap, transitions_topic(self.prefix))
        for transition in (decode_transition(record.value) for record in logged):
            if self._reads(transition.stream):
                _keep(found, [(transition.id, plain(transition))])
        return found

    def _reads(self, stream: str) -> bool:
        """Tell whether the log that a transition came of is read here."""
        return stream != PLATFORM or spokesman() in self.streams


def _keep(found: dict[Any, Row], items: Iterable[tuple[Any, Row]]) -> None:
    """Add outputs; one put out again after a restart must be the same to the last digit."""
    for key, row in items:
        first = found.setdefault(key, row)
        if not same(first, row):
            found[(key, "put out again, another")] = row


def _worker(
    expected: Expected,
    windows: dict[WindowKey, Row],
    flags: set[Flag],
    told: dict[str, Row],
) -> list[Difference]:
    must, may = expected.must, expected.may
    return [
        _between("worker: windows in Kafka", must.windows, may.windows, windows),
        _between("worker: flags in Kafka", *(_table(f) for f in (must.flags, may.flags, flags))),
        _between(
            "worker: transitions in Kafka", _plain(must.transitions), _plain(may.transitions), told
        ),
    ]


def _between(
    what: str, must: Mapping[Any, Any], may: Mapping[Any, Any], found: Mapping[Any, Any]
) -> Difference:
    """Compare what was put out: all that must be, nothing that may not be, each as it may be."""
    wanted = {key: may[key] for key in may if key in must or key in found}
    return compare(what, wanted, found)


def _newest(expected: Expected, minutes: dict[tuple[str, str, int], Row]) -> Difference:
    """Compare the tables' minutes with the newest revision that must be there, or a newer one."""
    wanted: dict[tuple[str, str, int], Row] = {}
    for name, sensor, start, revision in sorted(expected.must.windows, key=lambda k: k[3]):
        minute = (name, sensor, start)
        newest = max(revision, minutes.get(minute, {}).get("revision", 0))
        row = expected.may.windows.get((*minute, newest), {})
        wanted[minute] = {"revision": newest, **row}
    found = {key: minutes[key] for key in minutes if key in wanted}
    return compare("sink: minutes in the tables", wanted, found)


def _worst(flags: set[Flag]) -> set[tuple[Any, ...]]:
    """Return each flag's key with the worst flag told for it."""
    worst: dict[tuple[Any, ...], int] = {}
    for *key, flag, _ in flags:
        worst[tuple(key)] = max(worst.get(tuple(key), 0), flag)
    return {(*key, flag) for key, flag in worst.items()}


def _plain(transitions: Mapping[str, Transition]) -> dict[str, Row]:
    return {id: plain(transition) for id, transition in transitions.items()}


def _table(items: Iterable[Any]) -> dict[Any, int]:
    return dict.fromkeys(items, 1)


def _sets(what: str, wanted: Iterable[Any], found: Iterable[Any]) -> Difference:
    return compare(what, _table(wanted), _table(found))
