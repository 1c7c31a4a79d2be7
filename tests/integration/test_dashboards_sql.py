"""Every query of every dashboard, run as grafana_ro over 30 days of history."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from catalog.registry import streams
from catalog.sensors import sensors_of
from catalog.site import site
from dashboards.alerting import WATCHES, Watch
from dashboards.expand import PanelQuery, View, panel_queries
from tests.support.boards import BOARDS
from tests.support.databases import Databases
from tests.support.history import (
    month,
    write_alerts,
    write_backlog,
    write_deliveries,
    write_history,
    write_incidents,
    write_older_alerts,
)
from tests.support.record_history import write_records

NUMERIC = {20, 21, 23, 700, 701, 1700}
TIMESTAMPTZ, TEXT = 1184, 25
MOST_ROWS = 20_000
"""What a panel takes, and what its query may read without an index: ``dash.level`` keeps below it,
and where all of a table is wanted an index is no help. Bigger tables are there."""
RANGES = {"1 hour": timedelta(hours=1), "1 day": timedelta(days=1), "30 days": timedelta(days=30)}
CHINESE = {name: board for name, board in BOARDS.items() if "/zh/" in name}
ENGLISH = {name: board for name, board in BOARDS.items() if "/en/" in name}


@pytest.fixture(scope="module")
def now() -> datetime:
    """The end of the history: when these tests begin."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def city(databases: Databases, now: datetime) -> Iterator[Connection]:
    """Connection of the owner to a city with 30 days behind it."""
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn) as conn:
            conn.execute("SET LOCAL synchronous_commit = off")
            write_history(conn, month(now))
            write_alerts(conn, month(now))
            write_older_alerts(conn, month(now))
            write_incidents(conn, month(now))
            write_deliveries(conn)
            write_backlog(conn, month(now))
            write_records(conn, now)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("ANALYZE")
            yield conn


@pytest.fixture
def reader(city: Connection) -> Iterator[Connection]:
    """The same connection as grafana_ro."""
    city.execute("SET ROLE grafana_ro")
    yield city
    city.execute("RESET ROLE")


@pytest.mark.parametrize("name", sorted(CHINESE))
@pytest.mark.parametrize("length", RANGES)
def test_every_query_answers_in_its_panels_form(
    city: Connection, now: datetime, name: str, length: str
) -> None:
    for query in panel_queries(CHINESE[name], View(now - RANGES[length], now)):
        where = f"{query.dashboard} / {query.panel} over {length}"
        with city.transaction():
            before = _read_in_sequence(city)
            city.execute("SET LOCAL ROLE grafana_ro")
            cursor = city.execute(query.sql.encode())
            rows = cursor.fetchall()
            city.execute("RESET ROLE")
            after = _read_in_sequence(city)
        columns = [(c.name, c.type_code) for c in cursor.description or ()]
        empty = query.kind == "annotation" or _stands_elsewhere(query) or _is_young(query, length)
        assert rows or empty, f"{where}: empty"
        assert len(rows) <= MOST_ROWS, where
        _check_form(query, columns, rows, where)
        if query.kind == "table":
            bare = _without_unit(CHINESE[name], query.panel, columns)
            assert not bare, f"{where}: {bare} have neither unit nor words"
        big = {t: n for t, n in after.items() if n - before.get(t, 0) > MOST_ROWS}
        assert not big, f"{where} reads without an index: {big}"


@pytest.mark.parametrize("name", sorted(ENGLISH))
def test_english_queries_answer_too(reader: Connection, now: datetime, name: str) -> None:
    for query in panel_queries(ENGLISH[name], View(now - timedelta(hours=1), now)):
        assert reader.execute(query.sql.encode()).description is not None


def test_an_empty_range_gives_no_rows_and_no_error(reader: Connection, now: datetime) -> None:
    long_ago = View(now - timedelta(days=4000), now - timedelta(days=3999))
    for board in CHINESE.values():
        for query in panel_queries(board, long_ago):
            cursor = reader.execute(query.sql.encode())
            if query.form == "time_series" and "alert_counts" not in query.sql:
                # limits are drawn through any time; a tile ends in the present; silence is a state
                timeless = ("dash.limits", "VALUES ('", "dash.vital_line", "dash.state_history")
                if not any(one in query.sql for one in timeless):
                    assert cursor.fetchall() == [], f"{query.dashboard} {query.panel}"


def _is_young(query: PanelQuery, length: str) -> bool:
    """Tell whether a query asks for what a city of 30 days has not: forecasts, days before it."""
    before_it = "dash.usual" in query.sql and length == "30 days"
    return before_it or query.dashboard == "cityops-forecast"


def _stands_elsewhere(query: PanelQuery) -> bool:
    """Tell whether the chart is of a stream that has no sensor in the district shown."""
    shown = next(iter(site().districts))
    absent = [
        stream.title.zh
        for stream in streams().values()
        if shown not in {sensor.district for sensor in sensors_of(stream.name)}
    ]
    return query.dashboard == "cityops-district" and query.panel.startswith(tuple(absent))


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.key)
def test_an_alert_rule_asks_for_one_number(reader: Connection, watch: Watch) -> None:
    cursor = reader.execute(watch.sql.encode())
    rows = cursor.fetchall()
    assert [column.type_code in NUMERIC for column in cursor.description or ()] == [True]
    assert len(rows) == 1 and rows[0][0] is not None


def test_a_hostile_variable_stays_a_value(reader: Connection, now: datetime) -> None:
    evil = "x'); DELETE FROM dash.streams; --"
    view = View(
        now - timedelta(hours=1),
        now,
        dict.fromkeys(("district", "stream", "sensor", "metric"), evil),
    )
    before = reader.execute("SELECT count(*) FROM dash.streams").fetchone()
    for name in ("cityops-sensor", "cityops-district", "cityops-stream-noise"):
        for query in panel_queries(CHINESE[f"dashboards/zh/{name}.json"], view):
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
    if query.kind == "annotation":
        assert names[0] == "time" and names[-2:] == ["text", "tags"], where


def _without_unit(board: dict[str, Any], title: str, columns: list[tuple[str, int]]) -> set[str]:
    """Return the visible columns of numbers that a table shows without a unit or a mapping."""
    panel = next(one for one in board["panels"] if one["title"] == title)
    told = {
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] in ("unit", "mappings", "custom.hidden")
    }
    return {column for column, code in columns if code in NUMERIC} - told


def _read_in_sequence(conn: Connection) -> dict[str, int]:
    """Return the rows of each table and chunk that this transaction read without an index."""
    return dict(
        conn.execute(
            "SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0"
            " AND schemaname IN ('public', '_timescaledb_internal')"
        ).fetchall()
    )
