"""Schema ``dash`` on a real database: what panels and pages read, and as whom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from catalog.registry import streams
from catalog.sensors import sensors
from catalog.site import site
from storage.tables import last_table
from storage.views import FOLDER, apply_views
from tests.support.databases import Databases
from tests.support.history import Past, write_alerts, write_history, write_incidents


@pytest.fixture(scope="module")
def now() -> datetime:
    """The end of the history: when these tests begin, not when the file is read."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def city(databases: Databases, now: datetime) -> Iterator[str]:
    """Address of a database with two hours of the whole city."""
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn) as conn:
            write_history(conn, Past(now))
            write_alerts(conn, Past(now))
            write_incidents(conn, Past(now))
        yield dsn


def ask(dsn: str, query: str, *values: Any) -> list[dict[str, Any]]:
    with psycopg.connect(dsn) as conn, conn.cursor(row_factory=dict_row) as cursor:
        conn.execute("SET ROLE grafana_ro")
        return cursor.execute(query.encode(), values).fetchall()


def test_every_sensor_has_a_state_and_stale_is_one(city: str) -> None:
    rows = ask(city, "SELECT * FROM dash.sensor_states()")
    assert len(rows) == len(sensors())
    assert {r["state"] for r in rows} >= {"red", "orange", "yellow", "blue", "normal", "stale"}
    assert all(r["value"] is not None and r["unit"] for r in rows if r["freshness"] == "fresh")


def test_districts_and_streams_count_the_same_sensors(city: str) -> None:
    districts = ask(city, "SELECT * FROM dash.district_states()")
    fresh = ask(city, "SELECT * FROM dash.freshness()")
    assert [d["district"] for d in districts] == list(site().districts)
    assert {f["stream"] for f in fresh} == set(streams())
    assert sum(d["sensors"] for d in districts) == sum(f["sensors"] for f in fresh)
    assert sum(d["fresh"] for d in districts) == sum(f["fresh"] for f in fresh)
    assert sum(d["alerts"] for d in districts) == len(streams())


@pytest.mark.parametrize(
    ("sensors", "fresh", "never", "state"),
    [
        (0, 0, 0, "never"),
        (4, 0, 4, "never"),
        (4, 1, 3, "stale"),
        (5, 2, 0, "stale"),
        (4, 2, 2, "normal"),
        (4, 4, 0, "normal"),
    ],
)
def test_normal_needs_half_of_the_sensors(
    city: str, sensors: int, fresh: int, never: int, state: str
) -> None:
    query = "SELECT dash.data_state(%s, %s, %s) AS state"
    assert ask(city, query, sensors, fresh, never) == [{"state": state}]


def test_a_district_is_not_normal_while_one_of_its_domains_is_silent(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        for name, declared in streams().items():
            ago = "1 day" if declared.domain == "water" else "1 second"
            conn.execute(
                f"INSERT INTO {last_table(name)} (sensor, observed_at, received_at) SELECT sensor,"
                f" now() - interval '{ago}', now() FROM sensors WHERE stream = '{name}'".encode()
            )
    districts = ask(dsn, "SELECT * FROM dash.district_states()")
    wet = {
        d["district"]
        for d in ask(dsn, "SELECT * FROM dash.district_states('water')")
        if d["sensors"]
    }
    assert wet
    assert {d["worst"] for d in districts if d["district"] in wet} == {"stale"}
    assert all(2 * d["fresh"] > d["sensors"] for d in districts if d["sensors"])  # most are heard
    assert {d["worst"] for d in ask(dsn, "SELECT * FROM dash.district_states('grid')")} <= {
        "normal",
        "never",
    }


def test_active_alerts_are_worst_first_and_bounded(city: str) -> None:
    rows = ask(city, "SELECT * FROM dash.active_alerts(5)")
    assert [r["severity"] for r in rows] == sorted(r["severity"] for r in rows)
    assert len(rows) == 5
    assert rows[0]["severity"] == 1
    all_of_them = ask(city, "SELECT * FROM dash.active_alerts(1000)")
    assert sum(r["severity"] == 1 for r in rows) == min(
        5, sum(r["severity"] == 1 for r in all_of_them)
    )
    assert all(r["title_zh"] and r["sensor_zh"] and r["unit"] for r in rows)


def test_one_vital_sign_per_stream_in_catalog_order(city: str) -> None:
    with psycopg.connect(city) as conn:  # on a slow machine some have been silent since the start
        conn.execute(
            "UPDATE sensor_last SET observed_at = now() WHERE observed_at > now() - interval '1 h'"
        )
    rows = ask(city, "SELECT * FROM dash.vital_signs()")
    by_stream = {r["stream"]: r for r in rows}
    assert set(by_stream) == set(streams())
    assert all(r["value"] is not None for r in rows)
    assert all(r["worst_sensor"] for r in rows)
    assert by_stream["river_level"]["value"] < 60  # above its own limit, not above the sea


@pytest.mark.parametrize(
    ("step", "hours", "expected"), [(30, 1, "raw"), (60, 2, "1m"), (300, 2, "1m")]
)
def test_series_is_ordered_bounded_and_within_its_band(
    city: str, now: datetime, step: int, hours: int, expected: str
) -> None:
    names = ask(city, "SELECT * FROM dash.level('noise', true, %s, %s, 25)", step, hours * 3600)
    assert names[0]["name"] == expected
    rows = ask(
        city,
        "SELECT * FROM dash.series('noise', 'leq_db', %s, %s, make_interval(secs => %s))",
        *(now - timedelta(hours=hours), now, step),
    )
    assert 3600 * hours / step * 0.9 <= len(rows) <= 3600 * hours / step + 1
    assert [r["time"] for r in rows] == sorted(r["time"] for r in rows)
    assert all(r["low"] <= r["value"] <= r["high"] for r in rows)


def test_series_of_nonsense_is_empty_not_an_error(city: str, now: datetime) -> None:
    query = "SELECT * FROM dash.series(%s, %s, %s, %s, '1 minute')"
    hour = timedelta(hours=1)
    assert ask(city, query, "noise'; DROP TABLE sensors --", "leq_db", now - hour, now) == []
    assert ask(city, query, "noise", "n", now - hour, now) == []
    assert ask(city, query, "noise", "leq_db", now, now - hour) == []
    assert ask(city, query, "noise", "leq_db", now - 99 * hour, now - 98 * hour) == []


def test_an_incident_is_marked_where_its_alerts_are(city: str, now: datetime) -> None:
    (active,) = ask(city, "SELECT * FROM dash.active_incidents()")
    assert (active["kind"], active["title_zh"], active["alerts"]) == ("waterlogging", "城市内涝", 2)
    query = """SELECT "text" FROM dash.incident_notes(%s, %s, 'zh', NULL, %s, %s)"""
    hour = now - timedelta(hours=1)
    (note,) = ask(city, query, hour, now, "weather", None)
    assert note["text"] == f"▲ 城市内涝 · {active['sensor_zh']} · 2 起告警"
    assert ask(city, query, hour, now, "waterlogging", active["sensor"]) == [note]
    assert ask(city, query, hour, now, "waterlogging", "another") == []
    assert ask(city, query, hour, now, "feeder", None) == []
    past = "SELECT * FROM dash.incidents(%s, %s)"
    assert ask(city, past, hour - timedelta(days=9), hour - timedelta(days=8)) == []


def test_a_merged_incident_is_not_shown_twice(city: str, now: datetime) -> None:
    with psycopg.connect(city) as conn:
        conn.execute("UPDATE incidents SET status = 'merged', merged_into = id")
        query = "SELECT count(*) FROM dash.incidents(%s, %s)"
        assert conn.execute(query, [now - timedelta(hours=1), now]).fetchone() == (0,)
        conn.rollback()


def test_planned_work_is_marked_with_its_reason(city: str, now: datetime) -> None:
    query = "SELECT * FROM dash.maintenance(%s, %s, 'en')"
    hour, begun = now - timedelta(hours=1), now - timedelta(hours=2)
    with psycopg.connect(city) as conn:
        conn.execute(
            "INSERT INTO silences (kind, matchers, author, reason, starts_at, ends_at)"
            " VALUES ('maintenance', '[]', 'li', 'pump station', %s, %s)",
            [begun, now - timedelta(minutes=30)],
        )
        found = conn.execute(query.encode(), [hour, now]).fetchall()
        outside = conn.execute(query.encode(), [begun - timedelta(hours=2), begun]).fetchall()
        conn.rollback()
    assert found == [
        (hour, now - timedelta(minutes=30), "⚒ Maintenance · pump station · li", "maintenance")
    ]
    assert outside == []


def test_corrected_windows_are_marked_on_the_time_axis(city: str, now: datetime) -> None:
    query = """SELECT "text", tags FROM dash.corrections(%s, %s, 'zh', 'noise')"""
    hour = now - timedelta(hours=1)
    assert ask(city, query, hour, now) == []
    with psycopg.connect(city) as conn:
        conn.execute(
            "UPDATE aggregates_noise SET revision = 2 WHERE window_start ="
            " (SELECT max(window_start) FROM aggregates_noise) AND sensor IN"
            " (SELECT sensor FROM sensors WHERE stream = 'noise' ORDER BY sensor LIMIT 3)"
        )
        found = conn.execute(query.encode(), [hour, now]).fetchall()
        conn.rollback()
    assert found == [("↺ 迟到数据修订 3 个窗口", "correction")]


def test_the_platform_tells_its_backlog(city: str) -> None:
    values = {r["name"]: r["value"] for r in ask(city, "SELECT * FROM dash.platform()")}
    assert values["stored_per_s"] > 1
    assert values["dead_letters_open"] == 0
    assert values["oldest_undelivered_s"] == 0


def test_views_are_applied_once_and_again_when_a_file_changes(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert apply_views(conn) == []
        conn.execute("UPDATE dash.applied SET checksum = 'old' WHERE name = '20_states.sql'")
        conn.execute("DROP FUNCTION dash.freshness() CASCADE")
        conn.execute("CREATE FUNCTION dash.freshness() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        assert apply_views(conn) == ["20_states.sql"]
        assert len(conn.execute("SELECT * FROM dash.freshness()").fetchall()) == len(streams())


def test_replacing_functions_does_not_wait_for_a_reader(dsn: str) -> None:
    with psycopg.connect(dsn) as reader, psycopg.connect(dsn, autocommit=True) as conn:
        reader.execute("SELECT * FROM dash.vital_signs()").fetchall()  # holds its locks
        conn.execute("SET statement_timeout = '5s'")
        conn.execute("UPDATE dash.applied SET checksum = 'old' WHERE name <> '10_metadata.sql'")
        assert len(apply_views(conn)) == len([*FOLDER.glob("*.sql")]) - 1
        found = reader.execute("SELECT count(*) FROM dash.vital_signs()").fetchone()
    assert found == (len(streams()),)


@pytest.fixture
def own(databases: Databases, now: datetime) -> Iterator[psycopg.Connection]:
    """A database of its own with a short history, written to as its owner."""
    with databases.fresh(migrated=True) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        write_history(conn, Past(now, raw_hours=0.2, window_hours=0.5))
        conn.execute("UPDATE sensor_last SET observed_at = now()")
        yield conn


def test_a_level_below_the_warning_level_is_called_near_it(own: psycopg.Connection) -> None:
    own.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) SELECT 'near-' || n, 'river_level.flood',"
        " 'river_level', sensor, 'active', n, n, 'level_m', 1, 1, now(), now() FROM"
        " (VALUES (4, 'river-dongzikou'), (3, 'river-jinmahe')) v (n, sensor)"
    )
    rows = own.execute(
        "SELECT severity, title_zh FROM dash.active_alerts() WHERE stream = 'river_level'"
    ).fetchall()
    assert rows == [(3, "超警戒水位"), (4, "接近警戒水位")]
    past = own.execute(
        "SELECT title_en FROM dash.alert_history(now() - interval '1 hour', now())"
        " WHERE episode = 'near-4'"
    ).fetchone()
    assert past == ("Near flood warning level",)


def test_completeness_counts_from_a_sensors_start(own: psycopg.Connection) -> None:
    """On its first day a platform that lost nothing was told to be 5 % complete."""
    own.execute("TRUNCATE aggregates_noise, rollup_15m_noise, rollup_1h_noise")
    own.execute("UPDATE sensors SET created_at = now() - interval '1 hour' WHERE stream = 'noise'")
    own.execute(
        "INSERT INTO rollup_1h_noise (sensor, window_start, revision, n, leq_db_n, leq_db_good)"
        " SELECT sensor, now() - interval '1 hour', 1, 120, 120, 120 FROM sensors"
        " WHERE stream = 'noise'"
    )
    own.execute(
        "INSERT INTO rollup_15m_noise (sensor, window_start, revision, n, leq_db_n, leq_db_good)"
        " SELECT sensor, now() - interval '1 hour', 1, 120, 120, 120 FROM sensors"
        " WHERE stream = 'noise'"
    )
    row = own.execute(
        "SELECT sensors, expected, received, complete_pct FROM"
        " dash.completeness(now() - interval '1 day', now()) WHERE stream = 'noise'"
    ).fetchone()
    assert row is not None
    sensors_, expected, received, complete = row
    cadence = streams()["noise"].cadence_s
    assert expected == pytest.approx(sensors_ * 3600 / cadence, rel=0.01)
    assert received == 120 * sensors_
    assert complete == pytest.approx(min(100, 100 * 120 * cadence / 3600), rel=0.01)
