"""The tables of one stream, derived from its declaration; made and widened, never narrowed."""

from psycopg import Connection, sql

from catalog.contracts import STATISTICS
from catalog.model import Stream

CHUNK = {
    "readings": "1 day",
    "aggregates": "7 days",
    "15m": "28 days",
    "1h": "112 days",
    "1d": "1826 days",
}
ROLLUPS = ("15m", "1h", "1d")


def readings_table(stream: str) -> str:
    """Return the name of a stream's raw hypertable."""
    return f"readings_{stream}"


def aggregates_table(stream: str) -> str:
    """Return the name of a stream's one-minute hypertable."""
    return f"aggregates_{stream}"


def rollup_table(kind: str, stream: str) -> str:
    """Return the name of a stream's hypertable of rollups: kind 15m, 1h or 1d."""
    return f"rollup_{kind}_{stream}"


def aggregate_columns(stream: Stream) -> list[tuple[str, str]]:
    """Return (column, SQL type) of the window statistics, in contract order."""
    return [
        (f"{metric}_{statistic}", "integer" if statistic in ("n", "good") else "double precision")
        for metric in stream.aggregate_names
        for statistic in STATISTICS
    ]


def ensure_stream_tables(conn: Connection, stream: Stream) -> None:
    """Create a stream's hypertables, or add the columns of metrics declared since."""
    metrics = [(name, "double precision") for name in stream.metric_names]
    readings = [("received_at", "timestamptz NOT NULL"), *metrics]
    _ensure(conn, "readings", readings_table(stream.name), "observed_at", readings)
    counts = [("revision", "integer NOT NULL"), ("n", "integer NOT NULL")]
    columns = counts + aggregate_columns(stream)
    _ensure(conn, "aggregates", aggregates_table(stream.name), "window_start", columns)
    for kind in ROLLUPS:
        _ensure(conn, kind, rollup_table(kind, stream.name), "window_start", columns)


def _ensure(
    conn: Connection, kind: str, table: str, time: str, columns: list[tuple[str, str]]
) -> None:
    name, at = sql.Identifier(table), sql.Identifier(time)
    conn.execute(
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {} (sensor text NOT NULL, {} timestamptz NOT NULL)"
        ).format(name, at)
    )
    added = sql.SQL(", ").join(
        sql.SQL("ADD COLUMN IF NOT EXISTS {} {}").format(
            sql.Identifier(column),
            sql.SQL(kind_sql),  # pyright: ignore[reportArgumentType]
        )
        for column, kind_sql in columns
    )
    conn.execute(sql.SQL("ALTER TABLE {} {}").format(name, added))
    conn.execute(
        sql.SQL("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} (sensor, {})").format(
            sql.Identifier(f"{table}_key"), name, at
        )
    )
    conn.execute(
        sql.SQL(
            "SELECT create_hypertable({}, by_range({}, {}::interval),"
            " create_default_indexes => false, if_not_exists => true)"
        ).format(sql.Literal(table), sql.Literal(time), sql.Literal(CHUNK[kind]))
    )
