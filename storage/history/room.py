"""Whether the database's disk has room for history that is going to be loaded."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import Connection

from catalog.contracts import WINDOW_S
from catalog.model import Stream
from storage.history.files import HistoryFile, readings_of

ROW_BYTES, VALUE_BYTES = 150, 8
WINDOW_ROW_BYTES, STATISTICS_BYTES = 170, 40
"""Measured with their index (docs/performance.md): a reading's row and each value of it, a window's
row and the six statistics of each metric."""
ROLLUPS_OF_A_DAY = 96 + 24 + 1
DAY_S = 86_400
SPARE_BYTES = 5 * 2**30
"""For the log of changes, which is kept until the next checkpoint, and for who else is there."""
HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Need:
    """Readings to come and what they take with minutes, rollups and indexes; None = not known."""

    readings: int
    bytes: int
    free: int | None = None

    @property
    def short(self) -> bool:
        """Tell whether they will not fit."""
        return self.free is not None and self.free < self.bytes + SPARE_BYTES


def need_of(conn: Connection, files: Iterable[HistoryFile]) -> Need:
    """Return what the files will take, as far as they say what they hold."""
    held = [(file.stream, readings_of(file.path)) for file in files]
    size = sum(table_bytes(stream, readings) for stream, readings in held)
    return Need(sum(readings for _, readings in held), size, free_bytes(conn))


def table_bytes(stream: Stream, readings: int) -> int:
    """Return about what so many readings of a stream take in the tables."""
    minutes = readings * min(1.0, stream.cadence_s / WINDOW_S)
    rolled = readings * stream.cadence_s / DAY_S * ROLLUPS_OF_A_DAY
    window = WINDOW_ROW_BYTES + STATISTICS_BYTES * len(stream.aggregate_names)
    reading = ROW_BYTES + VALUE_BYTES * len(stream.metrics)
    return round(readings * reading + (minutes + rolled) * window)


def free_bytes(conn: Connection) -> int | None:
    """Return the free bytes of the database's disk; None where it cannot be seen from here."""
    if conn.info.host not in HERE:
        return None
    try:
        row = conn.execute("SHOW data_directory").fetchone()
        return shutil.disk_usage(Path(row[0])).free if row else None
    except (psycopg.errors.InsufficientPrivilege, OSError):
        return None
