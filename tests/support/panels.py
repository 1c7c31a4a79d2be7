"""What the panels of a page show on a database, as Grafana would get it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from catalog.registry import streams
from dashboards.expand import PanelQuery, View, panel_queries
from tests.support.boards import BY_UID

WALL = BY_UID["cityops-wall"]


def frames(
    conn: Connection, board: Any, now: datetime, hours: float = 6.0
) -> Iterator[tuple[PanelQuery, list[str], list[tuple[Any, ...]]]]:
    """Yield each query of a page with the columns and rows that Grafana would get."""
    conn.execute("SET LOCAL ROLE grafana_ro")
    for query in panel_queries(board, View(now - timedelta(hours=hours), now)):
        cursor = conn.execute(query.sql.encode())
        yield query, [column.name for column in cursor.description or ()], cursor.fetchall()
    conn.execute("RESET ROLE")


def tile(conn: Connection, now: datetime, stream: str, hours: float = 6.0) -> dict[str, Any]:
    """Return what the wall's tile of a stream shows: its number, name, colour and unit."""
    shown: dict[str, Any] = {}
    for query, columns, rows in frames(conn, WALL, now, hours):
        if f"vital_line('{stream}'" in query.sql:
            shown |= {"value": rows[-1][1], "series": columns[1], "points": rows}
        if f"vital_mark('{stream}'" in query.sql:
            shown |= dict(zip(columns, rows[0], strict=True))
    return shown


def alarm(
    conn: Connection, stream: str, sensor: str, metric: str, severity: int, **at: Any
) -> None:
    """Open an alert as the engine does, by the first rule of the metric."""
    declared = streams()[stream]
    rule = next(r for r in declared.rules if getattr(r, "metric", None) == metric)
    raised = at.get("raised", datetime.now(UTC) - timedelta(minutes=5))
    cleared = at.get("cleared")
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at, cleared_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1, 1, %s, %s, %s)",
        [
            *(f"t-{stream}-{sensor}-{metric}-{raised}", declared.rule_id(rule), stream, sensor),
            *("cleared" if cleared else "active", severity, severity, metric),
            *(raised, raised, cleared),
        ],
    )


def name_of(conn: Connection, stream: str, sensor: str) -> str:
    row = conn.execute(
        "SELECT title_zh FROM sensors WHERE stream = %s AND sensor = %s", [stream, sensor]
    ).fetchone()
    assert row
    return row[0]
