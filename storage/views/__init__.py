"""Schema ``dash``: what panels and pages may read. Applied anew by every migration.

Functions are replaced in place, so readers never miss one; only a changed signature or a changed
metadata table is dropped and made again, inside the same transaction.
"""

import hashlib
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from storage.views.kpis import make_functions
from storage.views.metadata import fill
from storage.views.reader import grant

FOLDER = Path(__file__).parent
TABLES = "10_metadata.sql"
LOCK_WAIT = "10s"
HISTORY = """
CREATE SCHEMA IF NOT EXISTS dash;
CREATE TABLE IF NOT EXISTS dash.applied (name text PRIMARY KEY, checksum text NOT NULL)"""


def apply_views(conn: Connection) -> list[str]:
    """Bring schema ``dash`` to the present state; return the files applied now.

    ``conn`` is in autocommit and holds the migration lock.
    """
    with conn.transaction():
        conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_WAIT)))
        conn.execute(HISTORY)
        changed = [file for file in sorted(FOLDER.glob("*.sql")) if _changed(conn, file)]
        if any(file.name == TABLES for file in changed):
            _drop(conn, "tables")
            changed = sorted(FOLDER.glob("*.sql"))
        for file in changed:
            _apply(conn, file)
        fill(conn)
        make_functions(conn)
        grant(conn)
    return [file.name for file in changed]


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _changed(conn: Connection, file: Path) -> bool:
    found = conn.execute("SELECT checksum FROM dash.applied WHERE name = %s", [file.name])
    return found.fetchone() != (_checksum(file),)


def _apply(conn: Connection, file: Path) -> None:
    try:
        with conn.transaction():
            conn.execute(file.read_bytes())
    except psycopg.errors.InvalidFunctionDefinition:  # another signature than before
        _drop(conn, "functions")
        for other in sorted(FOLDER.glob("*.sql")):
            if other.name != TABLES:
                conn.execute(other.read_bytes())
    conn.execute(
        "INSERT INTO dash.applied VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum",
        [file.name, _checksum(file)],
    )


def _drop(conn: Connection, kind: str) -> None:
    """Drop all metadata tables, or all functions, of the schema."""
    query = {
        "tables": "SELECT format('DROP TABLE %I.%I CASCADE', schemaname, tablename)"
        " FROM pg_tables WHERE schemaname = 'dash' AND tablename <> 'applied'",
        "functions": "SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', oid::regprocedure)"
        " FROM pg_proc WHERE pronamespace = 'dash'::regnamespace",
    }[kind]
    for (statement,) in conn.execute(query.encode()).fetchall():
        conn.execute(statement.encode())
