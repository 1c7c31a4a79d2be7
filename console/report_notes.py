"""What officers write into the report of a day: for the record, and for the next shift."""

from datetime import date

from psycopg import Connection
from psycopg.rows import class_row

from catalog.errors import InvalidError
from dashboards.report.page import Note

LONGEST = 4000


def add_note(conn: Connection, day: date, who: str, text: str) -> None:
    """Write a note into a day's report; ``InvalidError`` for an empty or too long one."""
    text = text.strip()
    if not 1 <= len(text) <= LONGEST:
        raise InvalidError(f"a note of a report has 1 to {LONGEST} characters", "text")
    conn.execute(
        "INSERT INTO console_report_notes (day, who, text) VALUES (%s, %s, %s)", [day, who, text]
    )


def notes_of(conn: Connection, day: date) -> list[Note]:
    """Return the notes of a day, in the order they were written."""
    with conn.cursor(row_factory=class_row(Note)) as cursor:
        return cursor.execute(
            "SELECT who, at, text FROM console_report_notes WHERE day = %s ORDER BY id", [day]
        ).fetchall()
