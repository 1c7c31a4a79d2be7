"""What the tables hold, in the reference's own words."""

from typing import Any

from psycopg import Connection, sql

from catalog.contracts import aggregates_schema
from catalog.registry import stream
from storage.tables import aggregates_table, readings_table
from tests.oracle.log import Key, Letter, body
from tests.oracle.outputs import Row
from tests.oracle.reference import Values
from tests.oracle.rules import EPOCH

Rows = Connection[dict[str, Any]]


def readings(conn: Rows, streams: tuple[str, ...]) -> dict[Key, Values]:
    """Return every stored reading of the streams; a second row of a key under a key of its own."""
    found: dict[Any, Values] = {}
    for name in streams:
        metrics = stream(name).metric_names
        for row in _select(conn, readings_table(name), ("sensor", "observed_at", *metrics)):
            key = (name, row["sensor"], _us(row["observed_at"]))
            found[(*key, "second row") if key in found else key] = {m: row[m] for m in metrics}
    return found


def letters(conn: Rows) -> set[Letter]:
    """Return the dead letters that name a record of a readings topic."""
    names = ("topic", "partition", "offset", "code")
    rows = _select(conn, "dead_letters", (*names, "stage"))
    return {
        (r["topic"], r["partition"], r["offset"], r["code"])
        for r in rows
        if r["topic"] and ".readings." in r["topic"] and r["stage"] == "storing"
    }


def conflicts(conn: Rows) -> set[tuple[Key, str]]:
    """Return the bodies that came second, from the dead letters with code ``conflict``."""
    found: set[tuple[Key, str]] = set()
    for row in conn.execute(
        "SELECT stream, readings->0 AS reading, (readings->0->>'observed_at')::timestamptz AS at"
        " FROM dead_letters WHERE code = 'conflict'"
    ):
        skip = ("sensor", "observed_at")
        values: Values = {k: float(v) for k, v in row["reading"].items() if k not in skip}
        key = (row["stream"], row["reading"]["sensor"], _us(row["at"]))
        found.add((key, body(values)))
    return found


def minutes(conn: Rows, streams: tuple[str, ...]) -> dict[tuple[str, str, int], Row]:
    """Return every stored one-minute window of the streams, with its revision."""
    found: dict[tuple[str, str, int], Row] = {}
    for name in streams:
        for row in _select(
            conn, aggregates_table(name), tuple(aggregates_schema(stream(name)).names)
        ):
            found[(name, row.pop("sensor"), _us(row.pop("window_start")))] = row
    return found


def flags(conn: Rows) -> set[tuple[Any, ...]]:
    """Return (stream, sensor, observed_at, metric, test, flag) of every stored flag."""
    names = ("stream", "sensor", "observed_at", "metric", "test", "flag")
    return {
        (r["stream"], r["sensor"], _us(r["observed_at"]), r["metric"], r["test"], r["flag"])
        for r in _select(conn, "qc_flags", names)
    }


def transitions(conn: Rows) -> dict[str, Row]:
    """Return every recorded transition, all but the clocks of worker and alerts engine."""
    names = ("id", "episode", "rule", "stream", "sensor", "kind", "severity", "previous")
    names += ("metric", "value", "threshold", "observed_at")
    found = {}
    for row in _select(conn, "transitions", names):
        row["observed_at"] = _us(row["observed_at"])
        found[row["id"]] = row
    return found


def _select(conn: Rows, table: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))
    return conn.execute(query).fetchall()


def _us(moment: Any) -> int:
    return round((moment - EPOCH).total_seconds() * 1e6)
