"""Every query of every dashboard runs as grafana_ro, in the form its panel needs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from dashboards.build import dashboards
from dashboards.expand import PanelQuery, View, panel_queries
from tests.databases import Databases
from tests.history import Past, write_alerts, write_history

NUMERIC = {20, 21, 23, 700, 701, 1700}
TIMESTAMPTZ, TEXT = 1184, 25
MAY_BE_EMPTY = {
    "死信": "nothing was refused in a healthy city",
    "消费进度": "no process has run in this database",
    "通知送达": "no receiver is registered in this database",
    "接收方": "no receiver is registered in this database",
}
BOARDS = {name: board for name, board in dashboards().items() if "/zh/" in name}
ENGLISH = {name: board for name, board in dashboards().items() if "/en/" in name}


@pytest.fixture(scope="module")
def hour() -> View:
    """The last hour, counted from when these tests begin."""
    now = datetime.now(UTC).replace(microsecond=0)
    return View(now - timedelta(hours=1), now)


@pytest.fixture(scope="module")
def reader(databases: Databases, hour: View) -> Iterator[Connection]:
    """Connection of grafana_ro to a city of the last two hours."""
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn) as conn:
            write_history(conn, Past(hour.end))
            write_alerts(conn, Past(hour.end))
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("ANALYZE")
            conn.execute("SET ROLE grafana_ro")
            yield conn


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_query_answers_in_its_panels_form(reader: Connection, hour: View, name: str) -> None:
    for query in panel_queries(BOARDS[name], hour):
        cursor = reader.execute(query.sql.encode())
        rows = cursor.fetchall()
        columns = [(c.name, c.type_code) for c in cursor.description or ()]
        where = f"{query.dashboard} / {query.panel}"
        assert rows or query.panel in MAY_BE_EMPTY or "annotation" in query.panel, f"{where}: empty"
        assert len(rows) <= 20_000, where
        _check_form(query, columns, rows, where)


@pytest.mark.parametrize("name", sorted(ENGLISH))
def test_english_queries_answer_too(reader: Connection, hour: View, name: str) -> None:
    for query in panel_queries(ENGLISH[name], hour):
        assert reader.execute(query.sql.encode()).description is not None


def test_an_empty_range_gives_no_rows_and_no_error(reader: Connection, hour: View) -> None:
    long_ago = View(hour.end - timedelta(days=4000), hour.end - timedelta(days=3999))
    for board in BOARDS.values():
        for query in panel_queries(board, long_ago):
            cursor = reader.execute(query.sql.encode())
            if query.form == "time_series" and "alert_counts" not in query.sql:
                # limits are drawn through any time; a silent tile of the wall is one empty point
                full = [row for row in cursor.fetchall() if row[-1] is not None]
                assert "dash.limits" in query.sql or full == [], f"{query.dashboard} {query.panel}"


def test_a_hostile_variable_stays_a_value(reader: Connection, hour: View) -> None:
    evil = "x'); DELETE FROM dash.streams; --"
    view = View(
        hour.start, hour.end, dict.fromkeys(("district", "stream", "sensor", "metric"), evil)
    )
    before = reader.execute("SELECT count(*) FROM dash.streams").fetchone()
    for name in ("cityops-sensor", "cityops-district", "cityops-stream-noise"):
        for query in panel_queries(BOARDS[f"dashboards/zh/{name}.json"], view):
            reader.execute(query.sql.encode())
    assert reader.execute("SELECT count(*) FROM dash.streams").fetchone() == before


def _check_form(
    query: PanelQuery, columns: list[tuple[str, int]], rows: list[Any], where: str
) -> None:
    names = [name for name, _ in columns]
    assert len(set(names)) == len(names), f"{where}: a column appears twice"
    if query.form == "time_series":
        assert columns[0] == ("time", TIMESTAMPTZ), where
        labels = [name for name, code in columns if code == TEXT]
        numbers = [name for name, code in columns[1:] if code in NUMERIC]
        # the plugin names a series after a lone text column only when it is called "metric"
        assert labels in ([], ["metric"], ["metric", "district"]), where
        assert len(numbers) + len(labels) + 1 == len(columns), f"{where}: {columns}"
        times = [row[0] for row in rows]
        assert times == sorted(times), f"{where}: not in time order"
    if query.kind == "variable":
        assert set(names) == {"__text", "__value"}, where
    if query.kind == "geomap":
        assert {"lon", "lat", "level"} <= set(names), where
