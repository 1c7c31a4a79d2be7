"""Where a person begins after login: a page, or a list with filters that they saved."""

from collections.abc import Container

from psycopg import Connection

from catalog.errors import InvalidError

OVERVIEW = "/"


def start_page(conn: Connection, name: str) -> str:
    """Return the page that a person sees first after login; the overview unless they chose one."""
    row = conn.execute("SELECT start_page FROM console_people WHERE name = %s", [name]).fetchone()
    return row[0] if row else OVERVIEW


def begin_at(conn: Connection, name: str, page: str, offered: Container[str]) -> None:
    """Let a person begin at one of the pages ``offered``; ``InvalidError`` else."""
    if page not in offered:
        raise InvalidError(f"no page {page}", "page")
    conn.execute(
        "INSERT INTO console_people (name, start_page) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET start_page = excluded.start_page",
        [name, page],
    )
