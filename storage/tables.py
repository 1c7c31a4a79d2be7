"""The tables of one stream, derived from its declaration; made and widened, never narrowed."""

from psycopg import Connection, sql

from catalog.contracts import COUNTED, STATISTICS
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


def last_table(stream: str) -> str:
    """Return the name of a stream's table of last values, a child of ``sensor_last``."""
    return f"last_{stream}"


def rollup_table(kind: str, stream: str) -> str:
    """Return the name of a stream's hypertable of rollups: kind 15m, 1h or 1d."""
    return f"rollup_{kind}_{stream}"


def aggregate_columns(stream: Stream) -> list[tuple[str, str]]:
    """Return (column, SQL type) of the window statistics, in contract order."""
    return [
        (f"{metric}_{statistic}", "integer" if statistic in COUNTED else "double precision")
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
    _ensure_last(conn, stream.name, metrics)


def _ensure(
    conn: Connection, kind: str, table: str, time: str, columns: list[tuple[str, str]]
) -> None:
    """Touch only what is missing: even an ALTER TABLE that does nothing waits for every reader."""
    name, at = sql.Identifier(table), sql.Identifier(time)
    there = _columns(conn, table)
    if not there:
        conn.execute(
            sql.SQL("CREATE TABLE {} (sensor text NOT NULL, {} timestamptz NOT NULL)").format(
                name, at
            )
        )
    _widen(conn, table, there, columns)
    if there:
        return
    conn.execute(
        sql.SQL("CREATE UNIQUE INDEX {} ON {} (sensor, {})").format(
            sql.Identifier(f"{table}_key"), name, at
        )
    )
    conn.execute(
        sql.SQL(
            "SELECT create_hypertable({}, by_range({}, {}::interval),"
            " create_default_indexes => false)"
        ).format(sql.Literal(table), sql.Literal(time), sql.Literal(CHUNK[kind]))
    )


def _ensure_last(conn: Connection, stream: str, metrics: list[tuple[str, str]]) -> None:
    table = last_table(stream)
    there = _columns(conn, table)
    if not there:
        # half of each page stays free: when all sensors of a page report, their new rows find room
        # beside the old ones and the index need not change
        conn.execute(
            sql.SQL(
                "CREATE TABLE {0} (stream text NOT NULL DEFAULT {1}, CHECK (stream = {1}),"
                " PRIMARY KEY (sensor)) INHERITS (sensor_last) WITH (fillfactor = 45)"
            ).format(sql.Identifier(table), sql.Literal(stream))
        )
    _widen(conn, table, there, metrics)


def _widen(conn: Connection, table: str, there: set[str], columns: list[tuple[str, str]]) -> None:
    missing = [(column, kind_sql) for column, kind_sql in columns if column not in there]
    if missing:
        added = sql.SQL(", ").join(
            sql.SQL("ADD COLUMN {} {}").format(
                sql.Identifier(column),
                sql.SQL(kind_sql),  # pyright: ignore[reportArgumentType]
            )
            for column, kind_sql in missing
        )
        conn.execute(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(table), added))
        new = {column for column, _ in missing}
        if there and (
            used := [m for m in new if m.endswith("_used") and f"{m[:-5]}_good" in there]
        ):
            _count_used(conn, table, [m.removesuffix("_used") for m in used])


def _count_used(conn: Connection, table: str, metrics: list[str]) -> None:
    """Fill ``used`` in rows from before suspect values were used: what was good, was all."""
    pairs = [(sql.Identifier(f"{m}_used"), sql.Identifier(f"{m}_good")) for m in metrics]
    conn.execute(
        sql.SQL("UPDATE {} SET {} WHERE {} IS NULL AND {} IS NOT NULL").format(
            sql.Identifier(table),
            sql.SQL(", ").join(sql.SQL("{0} = coalesce({0}, {1})").format(*p) for p in pairs),
            *pairs[0],
        )
    )


def _columns(conn: Connection, table: str) -> set[str]:
    """Return the columns that a table has; none when there is no such table."""
    rows = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(%s))"
        " AND attnum > 0 AND NOT attisdropped",
        [table],
    )
    return {column for (column,) in rows}
