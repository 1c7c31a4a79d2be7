"""Load files of history: readings, their minutes and rollups, straight through COPY.

A span of readings and its minutes are one transaction, the rollups of a local day another. Loading
a file again changes nothing, so whatever breaks off is ended by the same command.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import Connection

from storage.batch import Batch, Letter
from storage.copy import copy_table, upsert
from storage.history.files import HistoryFile, Span, received
from storage.history.minutes import MinuteMaker
from storage.rollups import roll_day
from storage.tables import aggregates_table
from storage.write import Written, write

STATEMENT_TIMEOUT_S = 600
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


def load_file(
    conn: Connection, file: HistoryFile, now: datetime, told: Told, stop: threading.Event
) -> Loaded:
    """Load one file; ``conn`` is in autocommit. After ``stop`` the rest is left for a next time."""
    conn.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'".encode())
    loaded, maker, open_day = Loaded(), MinuteMaker(file.stream), None
    for span in file.spans():
        if open_day is not None and span.day != open_day:
            loaded.rollups += _roll(conn, file, open_day)
        open_day = span.day
        if stop.is_set():
            loaded.whole = False
            break
        with conn.transaction():
            written = _store(conn, file, span, now)
            minutes = _store_minutes(conn, file, maker, span.readings)
        _add(loaded, written, minutes)
        told(span.readings.num_rows, span.at_byte)
    if open_day is not None:
        loaded.rollups += _roll(conn, file, open_day)
    return loaded


def _store(conn: Connection, file: HistoryFile, span: Span, now: datetime) -> Written:
    batch = Batch(letters=[Letter(letter, "", 0, 0) for letter in span.letters])
    if span.readings.num_rows:
        batch.readings[file.stream.name].append(received(span.readings, now))
    return write(conn, batch)


def _store_minutes(
    conn: Connection, file: HistoryFile, maker: MinuteMaker, readings: pa.RecordBatch
) -> int:
    """Write the minutes of a span; where one is stored, the one of more readings stays."""
    readings = _first_of_each(readings)
    if not readings.num_rows:
        return 0
    table, rows = aggregates_table(file.stream.name), pa.Table.from_batches([maker.make(readings)])
    try:
        with conn.transaction():
            copy_table(conn, table, rows)
        return rows.num_rows
    except psycopg.errors.UniqueViolation:
        return upsert(conn, table, rows, ("sensor", "window_start"), newer="n")


def _first_of_each(readings: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out repeats of a key, as the table does."""
    codes = readings.column("sensor").dictionary_encode().indices.to_numpy()
    times = readings.column("observed_at").cast(pa.int64()).to_numpy()
    new = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
    if new.all():
        return readings
    return readings.filter(pa.array(np.append(True, new)))


def _roll(conn: Connection, file: HistoryFile, day: datetime) -> int:
    with conn.transaction():
        return sum(roll_day(conn, file.stream, day).written.values())


def _add(loaded: Loaded, written: Written, minutes: int) -> None:
    loaded.readings += written.rows
    loaded.duplicates += written.duplicates
    loaded.conflicts += written.conflicts
    loaded.letters += written.letters
    loaded.minutes += minutes
