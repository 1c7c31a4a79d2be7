"""What screens read of forecasts: the fan, what was said before, the record, what may come."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from service.postgres import connect

HOUR = timedelta(hours=1)
LEADS = [3600, 6 * 3600]
SENSOR = "transformer-510104-01"


@pytest.fixture
def conn(dsn: str) -> Iterator[psycopg.Connection]:
    """A database with one series, issued at this hour and six hours ago, and two scores."""
    with connect(dsn, "test", autocommit=True) as opened:
        issued = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        opened.execute(
            "INSERT INTO forecast_series (stream, metric, level, subject, status)"
            " VALUES ('transformer', 'oil_temp_c', 'sensor', %s, 'ready')",
            [SENSOR],
        )
        q = [80.0, 85.0, 90.0, 95.0, 100.0, 70.0, 80.0, 90.0, 100.0, 110.0]
        opened.execute(
            "INSERT INTO forecast_newest (series, issued_at, leads_s, q, weights)"
            " SELECT id, %s, %s, %s::real[], '{}' FROM forecast_series",
            [issued, LEADS, q],
        )
        opened.execute(
            "INSERT INTO forecasts (series, issued_at, leads_s, q, body)"
            " SELECT id, %s, %s, %s::real[], '' FROM forecast_series",
            [issued - 6 * HOUR, LEADS, q],
        )
        opened.execute(
            "INSERT INTO forecast_scores (series, valid_at, lead_s, truth, median, base_last,"
            " base_day, inside80, inside95) SELECT id, %s, 3600, 92, 90, 88, 82, true, true"
            " FROM forecast_series UNION ALL SELECT id, %s, 3600, 96, 90, 92, 86, false, true"
            " FROM forecast_series",
            [issued - 6 * HOUR, issued - 5 * HOUR],
        )
        yield opened


def test_the_fan_is_the_newest_issue_hour_by_hour(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        'SELECT "time" - issued_at, low95, low80, median, high80, high95, status'
        " FROM dash.forecast('transformer', 'oil_temp_c', %s)",
        [SENSOR],
    ).fetchall()
    assert rows == [
        (0 * HOUR, 80, 85, 90, 95, 100, "ready"),
        (5 * HOUR, 70, 80, 90, 100, 110, "ready"),
    ]


def test_an_old_issue_is_not_shown(conn: psycopg.Connection) -> None:
    conn.execute("UPDATE forecast_newest SET issued_at = issued_at - interval '5 hours'")
    count = conn.execute(
        "SELECT count(*) FROM dash.forecast('transformer', 'oil_temp_c', %s)", [SENSOR]
    ).fetchone()
    assert count == (0,)


def test_what_was_said_before_stands_beside_what_came(conn: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    rows = conn.execute(
        "SELECT median, truth FROM dash.forecast_as_of('transformer', 'oil_temp_c', %s, 1, %s, %s)",
        [SENSOR, now - 8 * HOUR, now],
    ).fetchall()
    assert rows == [(90, 92)]


def test_the_record_is_that_of_the_same_hours(conn: psycopg.Connection) -> None:
    row = conn.execute(
        "SELECT n, mae, gain_day_pct, gain_last_pct, inside80_pct"
        " FROM dash.forecast_skill('transformer', 1, 30)"
    ).fetchone()
    assert row == (2, 4, pytest.approx(60), pytest.approx(0), 50)


@pytest.mark.parametrize(
    ("limit", "chance"), [(70, 0.9875), (90, 0.5), (95, 0.1), (97.5, 0.0625), (120, 0.0125)]
)
def test_the_chance_follows_the_quantiles(
    conn: psycopg.Connection, limit: float, chance: float
) -> None:
    row = conn.execute("SELECT dash.chance_above(80, 85, 90, 95, 100, %s)", [limit]).fetchone()
    assert row == (pytest.approx(chance),)


def test_what_may_cross_a_limit_is_listed_with_its_likeliest_hour(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "SELECT sensor, chance, limit_value FROM dash.outlook(NULL, 6, 0.05, 'zh')"
    ).fetchall()
    assert rows
    assert {sensor for sensor, _, _ in rows} == {SENSOR}
    assert all(0.05 <= chance <= 0.9875 for _, chance, _ in rows)
    nearer = conn.execute("SELECT max(chance) FROM dash.outlook(NULL, 1, 0.05, 'en')").fetchone()
    assert nearer is not None
    assert nearer[0] <= max(chance for _, chance, _ in rows)


def test_the_record_of_warnings_counts_what_came_of_them(conn: psycopg.Connection) -> None:
    conn.execute(
        "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at, chance,"
        " outcome, crossed_at) SELECT id, 'transformer.oil_temp', 2, 95,"
        " now() - make_interval(hours => 10 + n), 0.8, CASE WHEN n < 3 THEN 'hit' WHEN n < 4"
        " THEN 'false' ELSE 'miss' END, CASE WHEN n < 3 THEN now() - make_interval(hours => 9 + n)"
        " END FROM forecast_series, generate_series(0, 4) n"
    )
    row = conn.execute(
        "SELECT hits, false_ones, misses, pod, far, lead_h, brier, on_trial"
        " FROM dash.warning_record('transformer.oil_temp', 30)"
    ).fetchone()
    assert row == (3, 1, 1, 0.75, 0.25, 2, pytest.approx((3 * 0.04 + 0.64) / 4), True)
