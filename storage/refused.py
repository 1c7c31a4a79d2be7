"""A frame that the database refuses: its good readings are stored, each bad one is kept."""

import psycopg
import pyarrow as pa
from psycopg import Connection

from service.postgres import is_refusal
from storage.batch import Batch, Letter, reading_letter
from storage.write import Written, write


def write_what_goes(conn: Connection, batch: Batch, source: Letter) -> Written:
    """Store a batch of one frame, halving its readings until those that are refused stand alone.

    ``source`` lends its place in the log and its id to their dead letters. The caller owns the
    transaction; everything here happens in savepoints of it.
    """
    letters = list(batch.letters)
    done = Written()
    for stream, rows in batch.readings.items():
        _halve(conn, stream, rows, 0, source, letters, done)
    rest = write(conn, Batch(letters=letters))
    done.letters, done.codes = rest.letters, rest.codes
    return done


def _halve(
    conn: Connection,
    stream: str,
    rows: pa.Table,
    first: int,
    source: Letter,
    letters: list[Letter],
    done: Written,
) -> None:
    try:
        with conn.transaction():
            written = write(conn, Batch(readings={stream: rows}))
    except psycopg.Error as error:
        if not is_refusal(error):
            raise
        if rows.num_rows == 1:
            letters.append(
                _letter(stream, rows, f"{source.letter.id}/database/{first}", error, source)
            )
            return
        middle = rows.num_rows // 2
        _halve(conn, stream, rows.slice(0, middle), first, source, letters, done)
        _halve(conn, stream, rows.slice(middle), first + middle, source, letters, done)
        return
    done.rows += written.rows
    done.duplicates += written.duplicates
    done.conflicts += written.conflicts


def _letter(
    stream: str, rows: pa.Table, identity: str, error: psycopg.Error, source: Letter
) -> Letter:
    reading = rows.combine_chunks().to_batches()[0]
    letter = reading_letter(stream, reading, "database", str(error)[:300], identity)
    return Letter(letter, source.topic, source.partition, source.offset)
