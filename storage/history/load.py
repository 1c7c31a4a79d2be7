"""Load files of history: readings, their minutes and rollups, straight through COPY.

A local day of a stream is one transaction, sorted by the tables' key, so that the index grows at
one end and is full; its rollups are another. Loading a file again changes nothing, so whatever
breaks off is ended by the same command.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeVar

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import Connection

from catalog.contracts import DeadLetter
from service.log import logger
from service.postgres import allow
from storage.batch import Batch, Letter
from storage.copy import copy_table, upsert
from storage.history.coarser import rollups
from storage.history.files import HistoryFile, Span, by_sensor, received
from storage.history.minutes import MinuteMaker
from storage.rollups import roll_day, store_day
from storage.tables import aggregates_table
from storage.write import Written, write

T = TypeVar("T")
STATEMENT_TIMEOUT_S = 600
TRIES = 10
MOST_HELD_BYTES = 384 * 2**20
"""Of one transaction; a day that holds more goes in several."""
Told = Callable[[int, int], None]
"""Hears of readings worked off and the place in the file (bytes)."""


@dataclass(slots=True)
class Loaded:
    """What loading did: new rows of each kind, and what was there before."""

    readings: int = 0
    duplicates: int = 0
    conflicts: int = 0
    letters: int = 0
    minutes: int = 0
    rollups: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What one transaction takes: a day, or as much of one as may be held. Sorted by key."""

    readings: pa.Table
    minutes: pa.Table
    letters: list[DeadLetter]
    at_byte: int


def load_file(
    conn: Connection, file: HistoryFile, now: datetime, told: Told, stop: threading.Event
) -> Loaded:
    """Load one file; ``conn`` is in autocommit. After ``stop`` the rest is left for a next time."""
    allow(conn, STATEMENT_TIMEOUT_S)
    loaded, maker = Loaded(), MinuteMaker(file.stream)
    for day, spans in groupby(file.spans(), lambda span: span.day):
        stored, in_one = 0, None
        for part in _parts(spans, maker, stop):
            minutes, new, written = _patiently(lambda: _store_part(conn, file, part, now))  # noqa: B023
            stored += 1
            in_one = part.minutes if new and stored == 1 else None
            _add(loaded, written, minutes)
            told(part.readings.num_rows, part.at_byte)
        if stored:
            loaded.rollups += _patiently(lambda: _roll(conn, file, day, in_one))  # noqa: B023
        if stop.is_set():
            loaded.whole = False
            break
    return loaded


def _parts(spans: Iterable[Span], maker: MinuteMaker, stop: threading.Event) -> Iterator[Part]:
    """Gather spans of one day until enough is held."""
    held: list[tuple[Span, pa.RecordBatch]] = []
    size = 0
    for span in spans:
        if stop.is_set():
            return
        held.append((span, maker.make(_first_of_each(span.readings))))
        size += held[-1][0].readings.nbytes + held[-1][1].nbytes
        if size > MOST_HELD_BYTES:
            yield _part(held)
            held, size = [], 0
    if held:
        yield _part(held)


def _part(held: list[tuple[Span, pa.RecordBatch]]) -> Part:
    return Part(
        by_sensor(pa.Table.from_batches([span.readings for span, _ in held])),
        by_sensor(pa.Table.from_batches([minutes for _, minutes in held])),
        [letter for span, _ in held for letter in span.letters],
        held[-1][0].at_byte,
    )


def _patiently(work: Callable[[], T]) -> T:
    """Do a transaction again that met the live sink storing the same readings in another order."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except psycopg.errors.DeadlockDetected:
            logger().warning("met another writer of the same rows, trying again")
    return work()


def _store_part(
    conn: Connection, file: HistoryFile, part: Part, now: datetime
) -> tuple[int, bool, Written]:
    with conn.transaction():
        minutes, new = _store_minutes(conn, file, part.minutes)
        return minutes, new, _store(conn, file, part, now)


def _store(conn: Connection, file: HistoryFile, part: Part, now: datetime) -> Written:
    batch = Batch(letters=[Letter(letter, "", 0, 0) for letter in part.letters])
    if part.readings.num_rows:
        batch.readings[file.stream.name] = received(part.readings, now)
    return write(conn, batch)


def _store_minutes(conn: Connection, file: HistoryFile, rows: pa.Table) -> tuple[int, bool]:
    """Write minutes; where one is stored, the one of more readings stays.

    Returns how many were written, and whether none of them was there before.
    """
    table = aggregates_table(file.stream.name)
    try:
        with conn.transaction():
            copy_table(conn, table, rows)
        return rows.num_rows, True
    except psycopg.errors.UniqueViolation:
        return upsert(conn, table, rows, ("sensor", "window_start"), newer="n"), False


def _first_of_each(readings: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out repeats of a key, as the table does."""
    codes = readings.column("sensor").dictionary_encode().indices.to_numpy()
    times = readings.column("observed_at").cast(pa.int64()).to_numpy()
    new = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
    if new.all():
        return readings
    return readings.filter(pa.array(np.append(True, new)))


def _roll(conn: Connection, file: HistoryFile, day: datetime, minutes: pa.Table | None) -> int:
    """Write the rollups of a day: of these minutes when they are all it has, else of the table."""
    with conn.transaction():
        if minutes is None or not minutes.num_rows:
            rolled = roll_day(conn, file.stream, day)
        else:
            rolled = store_day(conn, file.stream, day, rollups(minutes))
        return sum(rolled.written.values())


def _add(loaded: Loaded, written: Written, minutes: int) -> None:
    loaded.readings += written.rows
    loaded.duplicates += written.duplicates
    loaded.conflicts += written.conflicts
    loaded.letters += written.letters
    loaded.minutes += minutes
