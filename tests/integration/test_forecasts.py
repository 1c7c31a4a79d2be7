"""Forecasts on a real database: issued once, from the past only, killed and run again, scored."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from psycopg import Connection

from catalog.guidance import guidances
from catalog.site import site
from forecasts import round as round_module
from forecasts.core.panel import Panel
from forecasts.early import limits_of, warn
from forecasts.fetch import Issue
from forecasts.groups import Group, groups
from forecasts.guidance import store
from forecasts.history import History
from forecasts.past import backtest_group
from forecasts.round import is_due, issue_time, run_group
from forecasts.store import series_ids
from service.postgres import connect
from storage.retention import KeepSettings, drop_old

END = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 36
GROUP = groups("noise")[0]
HOUR = timedelta(hours=1)


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """A database whose noise sensors have weeks of hours, with a daily wave."""
    with connect(dsn, "test", autocommit=True) as opened:
        _fill(opened, END - timedelta(days=DAYS), END + 6 * HOUR)
        yield opened


def _fill(conn: Connection, begin: datetime, end: datetime) -> None:
    rng = np.random.default_rng(1)
    conn.execute(
        "UPDATE sensors SET status = 'retired' WHERE stream = 'noise' AND sensor NOT LIKE %s",
        ["noise-510104-%"],
    )
    names = [
        row[0]
        for row in conn.execute(
            "SELECT sensor FROM sensors WHERE stream = 'noise' AND status <> 'retired'"
        )
    ]
    hours = round((end - begin) / HOUR)
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "COPY rollup_1h_noise (sensor, window_start, revision, n, leq_db_sum, leq_db_used)"
            " FROM STDIN"
        ) as copy,
    ):
        for name in names:
            for hour in range(hours):
                value = 50 + 8 * np.sin(hour / 24 * 2 * np.pi) + rng.normal()
                copy.write_row((name, begin + hour * HOUR, 1, 60, float(value * 60), 60))


def _issued(conn: Connection) -> list[tuple[int, datetime, bytes]]:
    return conn.execute("SELECT series, issued_at, body FROM forecasts ORDER BY 1, 2").fetchall()


def _round(conn: Connection, end: datetime) -> None:
    with conn.transaction():
        run_group(conn, GROUP, end)


def test_an_issue_is_made_once_and_is_made_of_the_past_alone(conn: Connection) -> None:
    assert is_due(conn, GROUP, END)
    _round(conn, END)
    first = _issued(conn)
    assert len(first) == 2
    assert {at for _, at, _ in first} == {END}
    assert not is_due(conn, GROUP, END)
    _round(conn, END)
    assert _issued(conn) == first, "again changes nothing"
    conn.execute("DELETE FROM forecasts; DELETE FROM forecast_models; DELETE FROM forecast_newest")
    conn.execute("UPDATE rollup_1h_noise SET leq_db_sum = 1e6 WHERE window_start >= %s", [END])
    _round(conn, END)
    assert _issued(conn) == first, "what comes after changes no byte"
    conn.execute("DELETE FROM forecasts; DELETE FROM forecast_models; DELETE FROM forecast_newest")
    conn.execute(
        "UPDATE rollup_1h_noise SET leq_db_sum = leq_db_sum + 60 WHERE window_start = %s",
        [END - HOUR],
    )
    _round(conn, END)
    assert _issued(conn) != first, "and the test can see a difference"


def test_no_guidance_is_used_that_was_not_known_before(conn: Connection) -> None:
    """What others issue or send after the hour of issue changes no byte, what came before does."""
    forecast = GROUP.forecast.model_copy(update={"ahead": ("weather.temp_c",)})
    group = Group(GROUP.stream, forecast, "sensor")
    for day in range(DAYS):
        _guidance(conn, END - timedelta(days=day, hours=6), float(day % 5))

    def issued() -> list[tuple[int, datetime, bytes]]:
        conn.execute("DELETE FROM forecasts; DELETE FROM forecast_models")
        with conn.transaction():
            run_group(conn, group, END)
        return _issued(conn)

    first = issued()
    _guidance(conn, END, 40.0)
    _guidance(conn, END - HOUR, 40.0, known_at=END)
    assert issued() == first
    _guidance(conn, END - 2 * HOUR, 40.0)
    assert issued() != first, "and the test can see a difference"


def _guidance(
    conn: Connection, at: datetime, value: float, known_at: datetime | None = None
) -> None:
    conn.execute(
        "INSERT INTO forecast_guidance (guidance, place, quantity, issued_at, known_at, leads_s,"
        " values) VALUES ('weather', %s, 'temp_c', %s, %s, %s, %s::real[])",
        [site().code, at, known_at or at, [n * 3600 for n in range(31)], [value] * 31],
    )


def test_guidance_is_stored_once_and_known_from_its_arrival(conn: Connection) -> None:
    weather, values = guidances()["weather"], {END: 20.0, END + HOUR: 21.0}
    old, new = (
        Issue("510104", "temp_c", END - timedelta(days=days), {END - timedelta(days=days): 1.0})
        for days in (2, 0)
    )
    new.values = values
    now = END + timedelta(minutes=40)
    assert store(conn, weather, [old, new], now) == 2
    new.values = {END: 99.0}
    assert store(conn, weather, [old, new], now + HOUR) == 0, "an issue is never changed"
    rows = conn.execute(
        "SELECT issued_at, known_at, leads_s, values FROM forecast_guidance ORDER BY issued_at"
    ).fetchall()
    delay = timedelta(seconds=weather.delay_s)
    assert rows == [
        (old.issued_at, old.issued_at + delay, [0], [1.0]),
        (END, now, [0, 3600], [20.0, 21.0]),
    ]


def test_a_round_that_is_killed_leaves_nothing_and_the_next_does_all(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise psycopg.OperationalError("killed between two writes")

    with monkeypatch.context() as patched:
        patched.setattr(round_module, "save_newest", dies)
        with pytest.raises(psycopg.OperationalError):
            _round(conn, END)
    assert _issued(conn) == []
    assert is_due(conn, GROUP, END)
    for hours in range(4):
        _round(conn, END + hours * HOUR)
    rows = _issued(conn)
    assert len(rows) == len({(series, at) for series, at, _ in rows}), "no double"
    assert {at for _, at, _ in rows} == {END + hours * HOUR for hours in range(4)}, "no hole"


def test_scores_compare_with_what_came_and_follow_corrections(conn: Connection) -> None:
    for hours in range(4):
        _round(conn, END + hours * HOUR)
    query = (
        "SELECT count(*), avg(abs(truth - median)), avg(abs(truth - base_day)), min(valid_at)"
        " FROM forecast_scores WHERE lead_s = 3600"
    )
    row = conn.execute(query).fetchone()
    assert row is not None
    count, off, naive, first = row
    sensors = len({series for series, _, _ in _issued(conn)})
    assert count == 3 * sensors
    assert first == END, "the hour that began when the forecast was issued"
    assert off < naive
    conn.execute(
        "UPDATE rollup_1h_noise SET leq_db_sum = leq_db_sum + 600 WHERE window_start = %s",
        [END + 2 * HOUR],
    )
    _round(conn, END + 4 * HOUR)
    changed = conn.execute(query).fetchone()
    assert changed is not None
    assert changed[0] == 4 * sensors
    assert changed[1] > off


def test_a_backtest_gives_bands_to_a_fresh_install(conn: Connection) -> None:
    _round(conn, END)
    state = "SELECT DISTINCT status FROM forecast_series"
    assert conn.execute(state).fetchall() == [("learning",)]
    with conn.transaction():
        said = backtest_group(conn, GROUP, END, 12, write=True)
    assert said is not None
    _round(conn, END + HOUR)
    assert conn.execute(state).fetchall() == [("ready",)]
    bands = conn.execute("SELECT q[2] < q[3] AND q[3] < q[4] FROM forecast_newest").fetchall()
    assert all(row == (True,) for row in bands)
    kinds = conn.execute("SELECT DISTINCT origin FROM forecast_scores").fetchall()
    assert ("backtest",) in kinds


def test_a_silent_sensor_is_stale_and_gets_no_forecast(conn: Connection) -> None:
    conn.execute(
        "DELETE FROM rollup_1h_noise WHERE sensor = 'noise-510104-01' AND window_start >= %s",
        [END - 4 * HOUR],
    )
    _round(conn, END)
    row = conn.execute(
        "SELECT s.status, n.series FROM forecast_series s"
        " LEFT JOIN forecast_newest n ON n.series = s.id WHERE subject = 'noise-510104-01'"
    ).fetchone()
    assert row == ("stale", None)


def test_a_warning_is_raised_once_comes_true_once_and_stands_in_the_record(dsn: str) -> None:
    group, subject = groups("transformer")[0], "transformer-510104-01"
    spec = group.spec
    limit = limits_of(group, (subject,), END.date())[0]
    above = float(limit.values[0])
    calm, hot = np.full((1, 24), above - 20), np.full((1, 24), above - 20)
    hot[0, -1] = above + 1
    still = hot.copy()
    still[0, -2:] = above + 1
    likely = np.tile(above + np.array([-4.0, -2, 2, 4, 6]), (1, len(spec.leads), 1))
    with connect(dsn, "test", autocommit=True) as conn:
        ids = series_ids(conn, group, (subject,))
        for hours, values in enumerate((calm, calm, hot, still)):
            end = END + hours * HOUR
            history = History((subject,), Panel.of(values, 3600), end - 24 * HOUR)
            warn(conn, group, end, ids, history, likely)
        rows = conn.execute(
            "SELECT raised_at, ended_at, crossed_at, outcome FROM forecast_warnings"
            " WHERE rule = %s AND severity = %s",
            [limit.rule, limit.severity],
        ).fetchall()
    assert rows == [(END, END + 2 * HOUR, END + HOUR, "hit")]


def test_old_forecasts_and_scores_are_dropped_and_young_ones_stay(conn: Connection) -> None:
    for age_days in (400, 1):
        at = END - timedelta(days=age_days)
        conn.execute("INSERT INTO forecasts VALUES (1, %s, %s, '{}', '{}', '')", [at, at])
        conn.execute(
            "INSERT INTO forecast_scores (series, valid_at, lead_s, truth, median)"
            " VALUES (1, %s, 3600, 1, 1)",
            [at],
        )
        _guidance(conn, at, 1.0)
    drop_old(conn, KeepSettings(), END)
    for table in ("forecasts", "forecast_scores", "forecast_guidance"):
        assert conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (1,)


def test_an_hour_is_waited_for() -> None:
    assert issue_time(END + timedelta(seconds=119)) == END - HOUR
    assert issue_time(END + timedelta(seconds=120)) == END
