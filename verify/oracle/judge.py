"""The judge: what came of a Kafka log against what must, hop by hop, first differences named.

Everything is bounded exactly by what each process says it has done, so that a platform can be
judged while it runs. The database is read first, at one moment; then what the worker has put out;
then the log, which holds the cause of all of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from catalog.contracts import (
    FLAGS_SCHEMA,
    aggregates_schema,
    decode_batch,
    decode_transition,
)
from catalog.platform import PLATFORM
from catalog.registry import made_of_facts, spokesman, stream
from catalog.topics import aggregates_topic, flags_topic, readings_topic, transitions_topic
from deploy.errors import StartError
from deploy.wait import wait_until
from verify.oracle import rollups
from verify.oracle.compare import Difference, compare
from verify.oracle.facts import fact_hops
from verify.oracle.log import Expected, Place, Reader
from verify.oracle.outputs import flags_of, plain, windows_of
from verify.oracle.put_out import Told, episodes_of, keep, newest, sets, worker_hops, worst_flags
from verify.oracle.tables import ROLLUPS, Tables, offsets, snapshot
from verify.topics import begins, ends, records

SINK, ALERTS = "sink", "alerts"
Records = Iterable[Any]


@dataclass
class Judge:
    """Compares the log, the topics and the tables of one platform.

    ``history``: rows and minutes were also loaded past Kafka, so that more of them are no fault.
    """

    bootstrap: str
    dsn: str
    prefix: str
    streams: tuple[str, ...]
    history: bool = False

    @property
    def reader(self) -> Reader:
        """The reader of this platform's log."""
        return Reader(self.bootstrap, self.prefix, self.streams)

    def cut(self) -> str:
        """Name the topic whose beginning Kafka has dropped already; empty when all is there."""
        topics = [readings_topic(self.prefix, name) for name in self.streams]
        known = begins(self.bootstrap, topics + self._outputs())
        return next((f"{topic}/{part}" for (topic, part), at in known.items() if at > 0), "")

    def settle(self, deadline_s: float) -> None:
        """Wait until all that is in the log now has gone all the way; StartError if it does not."""
        frames = self.reader.ends_of_frames()
        self._wait(lambda: self._unworked(frames), deadline_s)
        outputs = ends(self.bootstrap, self._outputs())
        self._wait(lambda: self._unstored(outputs), deadline_s)

    def verdict(self) -> list[Difference]:
        """Return the hops that are wrong."""
        return [difference for difference in self.hops() if difference]

    def hops(self) -> list[Difference]:
        """Return every hop that was compared, right or wrong."""
        return self.compared()[0]

    def compared(self) -> tuple[list[Difference], Expected]:
        """Return every hop, and what must have come of the log."""
        tables = snapshot(self.dsn, self.prefix, self.streams)
        told = self._told(tables)
        stored = {
            (name, part): offset
            for (who, topic, part), offset in tables.stored.items()
            for name in self.streams
            if who == SINK and topic == readings_topic(self.prefix, name)
        }
        expected = self.reader.expected(tables.checkpoints, stored)
        recorded, episodes = (
            {i: r for i, r in rows.items() if self._reads(r["stream"])}
            for rows in (tables.transitions, tables.episodes)
        )
        # what people and other signals say of an alert is none of the worker's
        own = {i: recorded.pop(i) for i in list(recorded) if "/" in i}
        made = episodes_of(told.transitions_stored | own)
        for wrong in (r["episode"] for r in own.values() if r["kind"] == "withdrawn"):
            for rows in (made, episodes):
                rows.pop(wrong, None)
        for results in (expected.must, expected.may):
            # these windows are those of facts, and judged with them
            for key in [key for key in results.windows if key[0] in made_of_facts()]:
                del results.windows[key]
        ours = {k: w for k, w in told.windows.items() if _stream_of(k) not in made_of_facts()}
        hops = [
            compare("sink: readings in the tables", *self._rows(expected.rows, tables, "raw")),
            sets("sink: dead letters of what cannot be used", expected.letters, tables.letters),
            sets("sink: dead letters of other bodies", expected.conflicts, tables.conflicts),
            *worker_hops(expected, replace(told, windows=ours)),
            *self._facts(),
            compare("sink: minutes in the tables", *self._rows(told.minutes, tables, "1m")),
            sets("sink: flags in the table", *self._flags(told, tables)),
            *self._rollups(tables),
            compare("alerts: transitions in the table", told.transitions_stored, recorded),
            compare("alerts: episodes in the table", made, episodes),
        ]
        return hops, expected

    def _facts(self) -> Iterable[Difference]:
        for name in self.streams:
            if fact := made_of_facts().get(name):
                yield from fact_hops(self.bootstrap, self.dsn, self.prefix, fact)

    # waiting

    def _wait(self, left: Callable[[], str], deadline_s: float) -> None:
        said = ["nothing was asked yet"]

        def done() -> bool:
            try:
                said[0] = left()
            except psycopg.OperationalError as error:
                said[0] = f"no database: {error}"
            return not said[0]

        try:
            wait_until(done, deadline_s, every_s=0.5)
        except StartError as error:
            raise TimeoutError(f"not settled after {deadline_s:.0f} s: {said[0]}") from error

    def _unworked(self, frames: dict[Place, int]) -> str:
        now = offsets(self.dsn, self.prefix, self.streams)
        for (name, part), end in frames.items():
            topic = readings_topic(self.prefix, name)
            if now.stored.get((SINK, topic, part), 0) < end:
                return f"{SINK} has not stored {topic}/{part} up to {end}"
            if now.checkpoints.get((name, part), 0) < end:
                return f"worker has no checkpoint of {topic}/{part} up to {end}"
        return ""

    def _unstored(self, outputs: dict[tuple[str, int], int]) -> str:
        now = offsets(self.dsn, self.prefix, self.streams)
        for (topic, part), end in outputs.items():
            who = ALERTS if topic == transitions_topic(self.prefix) else SINK
            if now.stored.get((who, topic, part), 0) < end:
                return f"{who} has not stored {topic}/{part} up to {end}"
        return ""

    def _outputs(self) -> list[str]:
        windows = [aggregates_topic(self.prefix, name) for name in self.streams]
        return [*windows, flags_topic(self.prefix), transitions_topic(self.prefix)]

    # what was put out

    def _told(self, tables: Tables) -> Told:
        told = Told({}, set(), {}, {}, set(), {})
        for name in self.streams:
            schema = aggregates_schema(stream(name))
            for record, is_stored in self._records(aggregates_topic(self.prefix, name), tables):
                rows = list(windows_of(name, decode_batch(record.value, schema)))
                keep(told.windows, rows)
                if is_stored:
                    newest(told.minutes, rows)
        for record, is_stored in self._records(flags_topic(self.prefix), tables):
            found = {
                f
                for f in flags_of(decode_batch(record.value, FLAGS_SCHEMA))
                if f[0] in self.streams
            }
            told.flags |= found
            told.flags_stored |= found if is_stored else set()
        for record, is_stored in self._records(transitions_topic(self.prefix), tables, ALERTS):
            transition = decode_transition(record.value)
            if self._reads(transition.stream):
                keep(told.transitions, [(transition.id, plain(transition))])
                if is_stored:
                    told.transitions_stored[transition.id] = plain(transition)
        return told

    def _records(self, topic: str, tables: Tables, who: str = SINK) -> Iterable[tuple[Any, bool]]:
        """Yield each record of a topic, and whether its consumer says it has stored it."""
        for record in records(self.bootstrap, topic):
            yield record, record.offset < tables.stored.get((who, topic, record.partition), 0)

    def _reads(self, name: str) -> bool:
        """Tell whether the log that a transition came of is read here."""
        return (spokesman() if name == PLATFORM else name) in self.streams

    # what is in the tables

    def _rows(
        self, wanted: Mapping[Any, Any], tables: Tables, kind: str
    ) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return what must be in a table and what is, both without what retention may drop."""
        found = tables.readings if kind == "raw" else tables.minutes
        if self.history:
            found = {key: row for key, row in found.items() if key in wanted}
        kept = lambda key: key[2] >= tables.cuts.get((key[0], kind), key[2])  # noqa: E731
        return (
            {key: row for key, row in wanted.items() if kept(key)},
            {key: row for key, row in found.items() if kept(key)},
        )

    def _flags(self, told: Told, tables: Tables) -> tuple[set[Any], set[Any]]:
        cut = tables.cuts.get(("*", "raw"))
        wanted, found = worst_flags(told.flags_stored), tables.flags
        if self.history:
            found = found & wanted
        kept = lambda flag: cut is None or flag[2] >= cut  # noqa: E731
        return set(filter(kept, wanted)), set(filter(kept, found))

    def _rollups(self, tables: Tables) -> Iterable[Difference]:
        declared = {name: stream(name) for name in self.streams}
        for kind in ROLLUPS:
            wanted = rollups.expected(tables, kind, declared)
            found = {
                key: {name: x for name, x in row.items() if name != "revision"}
                for key, row in tables.rollups[kind].items()
                if rollups.is_settled(tables, kind, key)
            }
            yield compare(f"keep: rollups of {kind}", wanted, found)


def _stream_of(key: Any) -> str:
    """Return whose window this is, also where it was put out a second time."""
    return key[0] if isinstance(key[0], str) else key[0][0]
