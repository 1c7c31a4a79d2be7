"""Drop what has outlived its time, chunk by chunk, never what a rollup still needs."""

from datetime import UTC, datetime, timedelta

from psycopg import Connection, sql
from pydantic import Field

from catalog.registry import streams
from service.settings import Settings
from storage.rollups import local_day, source_table, take_turn
from storage.tables import readings_table

RAW = "raw"
FLAGS_TABLE = "qc_flags"
ALL_STREAMS = "*"
FORECASTS = "forecasts"
FORECAST_TABLES = ("forecasts", "forecast_scores", "forecast_guidance")


class KeepSettings(Settings):
    """How many days each table kind is kept; 0 = for ever."""

    keep_raw_days: int = Field(default=90, ge=0, description="Readings and their quality flags")
    keep_1m_days: int = Field(default=365, ge=0, description="One-minute windows")
    keep_15m_days: int = Field(default=730, ge=0, description="15-minute rollups")
    keep_1h_days: int = Field(default=1826, ge=0, description="Hourly rollups")
    keep_1d_days: int = Field(default=0, ge=0, description="Daily rollups")
    keep_forecasts_days: int = Field(default=90, ge=0, description="Forecasts and their scores")
    anchor_s: float = Field(default=60.0, gt=0, description="Seconds between anchors of the audit")

    def days(self) -> dict[str, int]:
        """Return days per table kind, those kept for ever left out."""
        days = {
            RAW: self.keep_raw_days,
            "1m": self.keep_1m_days,
            "15m": self.keep_15m_days,
            "1h": self.keep_1h_days,
            "1d": self.keep_1d_days,
            FORECASTS: self.keep_forecasts_days,
        }
        return {kind: count for kind, count in days.items() if count}


def drop_old(conn: Connection, settings: KeepSettings, now: datetime) -> dict[str, int]:
    """Drop the chunks that are wholly too old; return how many per kind.

    Each table is one transaction with its cut, so a rollup never reads a source that lost rows.
    ``conn`` is in autocommit. Nothing at or after the day of the oldest mark of a stream goes.
    """
    dropped: dict[str, int] = {}
    for kind, days in settings.days().items():
        limit = now.astimezone(UTC) - timedelta(days=days)
        for name, table in _tables(kind):
            with conn.transaction():
                if take_turn(conn):
                    count = _drop(conn, name, kind, table, limit)
                    dropped[kind] = dropped.get(kind, 0) + count
    return dropped


def _tables(kind: str) -> list[tuple[str, str]]:
    if kind == RAW:
        return [*((s, readings_table(s)) for s in streams()), (ALL_STREAMS, FLAGS_TABLE)]
    if kind == FORECASTS:
        return [(ALL_STREAMS, table) for table in FORECAST_TABLES]
    return [(s, source_table(kind, s)) for s in streams()]


def _drop(conn: Connection, stream: str, kind: str, table: str, limit: datetime) -> int:
    row = conn.execute("SELECT min(hour) FROM rollup_dirty WHERE stream = %s", [stream]).fetchone()
    cut = min(limit, local_day(row[0])) if row and row[0] and kind != RAW else limit
    conn.execute(
        "INSERT INTO retention_cuts AS t (stream, kind, cut) VALUES (%s, %s, %s)"
        " ON CONFLICT (stream, kind) DO UPDATE SET cut = greatest(t.cut, excluded.cut)",
        [stream, kind, cut],
    )
    done = conn.execute(
        sql.SQL("SELECT drop_old_chunks({}, %s)").format(sql.Literal(table)),
        [cut],
    ).fetchone()
    return done[0] if done else 0
