"""Bring a database to the present schema: numbered files once each, derived tables every time."""

import hashlib
from pathlib import Path

import psycopg
from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from catalog.errors import FatalError
from catalog.registry import facts, streams
from catalog.sensors import sensors
from catalog.site import site
from service.postgres import connect
from storage.facts.tables import ensure_fact_table
from storage.roles import apply_rights
from storage.tables import ensure_stream_tables
from storage.views import apply_views
from storage.views.reader import ensure_reader

EXTENSION = "timescaledb"
FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x63697479  # "city": one migration at a time
HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)"""


def migrate(dsn: str) -> list[str]:
    """Apply what is missing; return the names of the files applied now.

    Raises ``FatalError`` without TimescaleDB, or when an applied file has changed since.
    """
    with connect(dsn, "migrate", autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        _require_timescale(conn)
        conn.execute(HISTORY)
        applied = [file.name for file in sorted(FOLDER.glob("*.sql")) if _apply(conn, file)]
        with conn.transaction():
            for stream in streams().values():
                ensure_stream_tables(conn, stream)
            for fact in facts().values():
                ensure_fact_table(conn, fact)
            _seed(conn)
        ensure_reader(conn)
        apply_views(conn)
        apply_rights(conn)
        return applied


def _require_timescale(conn: Connection) -> None:
    try:
        conn.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(EXTENSION)))
    except psycopg.Error as error:
        raise FatalError(
            "this PostgreSQL has no usable TimescaleDB, which cityops needs "
            "(the Apache edition is enough). Install the package postgresql-17-timescaledb, set "
            f"shared_preload_libraries = 'timescaledb' and restart. PostgreSQL says: {error}",
            code="no_timescaledb",
            stage="storing",
        ) from error


def _apply(conn: Connection, file: Path) -> bool:
    text = file.read_text()
    checksum = hashlib.sha256(text.encode()).hexdigest()
    row = conn.execute(
        "SELECT checksum FROM schema_migrations WHERE name = %s", [file.name]
    ).fetchone()
    if row is None:
        with conn.transaction():
            conn.execute(text.encode())
            conn.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
                [file.name, checksum],
            )
        return True
    if row[0] != checksum:
        raise FatalError(
            f"{file.name} was applied in another version; put a change into a new file",
            code="migration_changed",
            stage="storing",
        )
    return False


def _seed(conn: Connection) -> None:
    moving = {stream.name for stream in streams().values() if stream.position}
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO districts VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO UPDATE"
            " SET title_zh = excluded.title_zh, title_en = excluded.title_en, lon = excluded.lon,"
            " lat = excluded.lat, population = excluded.population",
            [
                (d.code, d.title.zh, d.title.en, d.lon, d.lat, d.population)
                for d in site().districts.values()
            ],
        )
        cursor.executemany(
            "INSERT INTO sensors (stream, sensor, title_zh, title_en, city, district, street,"
            " lon, lat, attributes, parent, status)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'registered')"
            " ON CONFLICT (stream, sensor) DO UPDATE SET title_zh = excluded.title_zh,"
            " title_en = excluded.title_en, city = excluded.city,"
            " district = CASE WHEN %s THEN sensors.district ELSE excluded.district END,"
            " street = CASE WHEN %s THEN sensors.street ELSE excluded.street END,"
            " lon = CASE WHEN %s THEN sensors.lon ELSE excluded.lon END,"
            " lat = CASE WHEN %s THEN sensors.lat ELSE excluded.lat END,"
            " attributes = excluded.attributes, parent = excluded.parent, status = CASE"
            " sensors.status WHEN 'retired' THEN 'retired' ELSE 'registered' END",
            [
                (
                    *(s.stream, s.id, s.title.zh, s.title.en, s.city, s.district, s.street),
                    *(s.lon, s.lat, Jsonb(s.attributes), s.parent),
                    *[s.stream in moving] * 4,  # where it is now is not where it was placed
                )
                for s in sensors()
            ],
        )
