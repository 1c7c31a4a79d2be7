"""Negative controls: a process with one guard taken out, to show that the judge notices.

python -m verify.chaos.guards early_answer ingest gateway
"""

import runpy
import sys
from collections.abc import Callable
from typing import Any

import psycopg
from kafka.consumer.fetcher import ConsumerRecord
from psycopg import Connection

from verify.chaos.crashes import POINTS, crash

MARK = 0.1234
"""A ponding depth below every limit, on which ``rule_raises`` raises."""


def offsets_apart() -> None:
    """Store the offsets before the rows, in a transaction of their own, as auto-commit does."""
    from storage.exact import ExactConsumer, Stored
    from storage.offsets import advance

    def transact(
        self: Any, records: list[ConsumerRecord], work: Callable[[Connection], Stored]
    ) -> None:
        conn = self._connection()
        after = self._log.after(records)
        with conn.transaction():
            advance(conn, self._name, self._log.marks, after)
        with conn.transaction():
            stored = work(conn)
        self._log.marks |= after
        self._vitals.progress(stored.rows, newest=stored.newest)
        stored.committed()

    ExactConsumer._transact = transact


def early_answer() -> None:
    """Answer 202 before Kafka has acknowledged."""
    from ingest.producer import Pending

    def at_once(self: Pending, deadline_s: float) -> None:
        return None

    Pending.wait = at_once


def state_apart() -> None:
    """Store the worker's next offset with the state of the checkpoint before."""
    from streams import checkpoint, worker

    def hollow(dsn: str, app: str, taken: dict[Any, checkpoint.Checkpoint]) -> int:
        before = checkpoint.load(dsn, app, taken)
        mixed = {
            place: checkpoint.Checkpoint(new.next_offset, before.get(place, new).parts)
            for place, new in taken.items()
        }
        return checkpoint.save(dsn, app, mixed)

    worker.save = hollow  # pyright: ignore[reportPrivateImportUsage]


def no_fence() -> None:
    """Let a worker's checkpoint overwrite one that is further on."""
    from streams import checkpoint

    def overwrite(conn: Connection, app: str, place: Any, new: checkpoint.Checkpoint) -> int:
        conn.execute(
            "UPDATE checkpoints SET next_offset = least(next_offset, %s)"
            " WHERE app = %s AND topic = %s AND partition = %s",
            [new.next_offset, app, *place],
        )
        return stored(conn, app, place, new)

    stored, checkpoint._save = checkpoint._save, overwrite  # pyright: ignore[reportPrivateUsage]


def no_offset_guard() -> None:
    """Go on from the stored state, but from the first record of the log."""
    from streams.desk import Desk

    lay_out = Desk.lay_out

    def from_the_first(self: Any, offsets: dict[Any, int], *more: Any) -> None:
        lay_out(self, offsets, *more)
        for place, bench in self.benches.items():
            bench.next_offset = offsets[place]

    Desk.lay_out = from_the_first  # pyright: ignore[reportAttributeAccessIssue]


def static_membership() -> None:
    """Make the worker a new member at each start, with the session that Faust has by itself."""
    import faust

    made = faust.App

    def stock(*arguments: Any, **options: Any) -> Any:
        del options["consumer_group_instance_id"], options["broker_session_timeout"]
        return made(*arguments, **options)

    faust.App = stock  # pyright: ignore[reportAttributeAccessIssue]


def no_memory() -> None:
    """Forget which readings the worker has seen."""
    import numpy as np

    from engine import windows
    from engine.state import State

    def nothing(state: State, slots: np.ndarray, times: np.ndarray) -> np.ndarray:
        return np.zeros(len(slots), bool)

    windows.holds = nothing


def rule_raises() -> None:
    """Let the code of a rule raise an error on a reading of one value."""
    from engine import rules

    out_of_reach = rules.out_of_reach

    def odd(*given: Any) -> Any:
        if (given[2] == MARK).any():
            raise ZeroDivisionError("rule code that fails on one reading")
        return out_of_reach(*given)

    # a value below every limit comes no further than to this
    rules.out_of_reach = odd


def no_key() -> None:
    """Nothing in a process: ``drop_key`` takes the unique key from the tables."""


def drop_key(dsn: str, tables: tuple[str, ...]) -> None:
    """Drop the unique key of readings tables."""
    query = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass"
    with psycopg.connect(dsn, autocommit=True) as conn:
        for table in tables:
            row = conn.execute(f"{query} AND indisunique".encode(), [table]).fetchone()
            assert row is not None, f"{table} has no unique key"
            conn.execute(f"DROP INDEX {row[0]}".encode())


GUARDS = {
    f.__name__: f
    for f in (
        offsets_apart,
        early_answer,
        state_apart,
        no_fence,
        no_offset_guard,
        static_membership,
        no_memory,
        no_key,
    )
}

SWITCHES = {
    **GUARDS,
    **{point: crash(point) for point in POINTS},
    rule_raises.__name__: rule_raises,
}
"""All that can be done to a process at its start."""


def main() -> None:
    """Take a guard out, then run a room as ``python -m`` does."""
    switch, room, *arguments = sys.argv[1:]
    SWITCHES[switch]()
    sys.argv = [room, *arguments]
    runpy.run_module(room, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
