"""Early warnings become alerts, each once, and end as what came of them; on trial they do not."""

import json
from datetime import timedelta

import pytest

from alerts.sources.early import tell_early
from catalog.sensors import sensors_of
from forecasts.early import record_of
from tests.support.alerting import Desk

RULE = "transformer.oil_temp"
SENSOR = sensors_of("transformer")[0].id
HOUR = timedelta(hours=1)


def _series(desk: Desk) -> int:
    row = desk.conn.execute(
        "INSERT INTO forecast_series (stream, metric, level, subject)"
        " VALUES ('transformer', 'oil_temp_c', 'sensor', %s) ON CONFLICT (stream, metric, level,"
        " subject) DO UPDATE SET status = 'ready' RETURNING id",
        [SENSOR],
    ).fetchone()
    assert row is not None
    return row[0]


def _warn(desk: Desk, severity: int, *, on_trial: bool = False, limit: float = 95.0) -> None:
    desk.conn.execute(
        "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at, chance,"
        " expected_at, on_trial) VALUES (%s, %s, %s, %s, %s, 0.8, %s, %s)",
        [_series(desk), RULE, severity, limit, desk.now, desk.now + 3 * HOUR, on_trial],
    )


def _end(desk: Desk, outcome: str, severity: int | None = None) -> None:
    desk.conn.execute(
        "UPDATE forecast_warnings SET outcome = %s, ended_at = %s WHERE outcome = 'open'"
        " AND severity = coalesce(%s, severity)",
        [outcome, desk.now, severity],
    )


def _tell(desk: Desk) -> list[tuple[str, int, str]]:
    """Look twice, as a restarted engine would; return all that has been said, oldest first."""
    for _ in range(2):
        with desk.conn.transaction():
            tell_early(desk.conn, desk.notifier, desk.settings, desk.now)
    return desk.conn.execute(
        "SELECT kind, severity, reason FROM transitions WHERE rule = %s ORDER BY recorded_at, id",
        [f"{RULE}_early"],
    ).fetchall()


def test_a_warning_on_trial_is_told_to_nobody(desk: Desk) -> None:
    _warn(desk, 2, on_trial=True)
    assert _tell(desk) == []
    assert desk.said() == []


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("hit", ("cleared", 3, "came")),
        ("withdrawn", ("withdrawn", 3, "taken_back")),
        ("false", ("withdrawn", 3, "stayed_away")),
        ("void", ("withdrawn", 3, "unverified")),
    ],
)
def test_a_warning_is_told_once_a_level_milder_and_ends_as_it_came(
    desk: Desk, outcome: str, said: tuple[str, int, str]
) -> None:
    _warn(desk, 2)
    assert _tell(desk) == [("raised", 3, "forecast")]
    assert desk.said() == ["raised"], "through the present path, to the receiver"
    row = desk.conn.execute("SELECT body FROM outbox").fetchone()
    assert row is not None
    body = json.dumps(json.loads(row[0]), ensure_ascii=False)
    assert "概率 80 %" in body
    assert "chance 80 %" in body
    _end(desk, outcome)
    assert _tell(desk)[1:] == [said]
    open_ones = desk.conn.execute("SELECT count(*) FROM episodes WHERE cleared_at IS NULL")
    assert open_ones.fetchone() == (0,)


def test_the_worst_level_is_told_and_a_milder_one_stays(desk: Desk) -> None:
    _warn(desk, 3, limit=85.0)
    _warn(desk, 2)
    assert _tell(desk) == [("raised", 3, "forecast")]
    _end(desk, "withdrawn", severity=2)
    assert _tell(desk)[1:] == [("changed", 4, "forecast")]
    _end(desk, "hit")
    assert _tell(desk)[2:] == [("cleared", 4, "came")]


def test_page_and_process_agree_on_what_is_on_trial(desk: Desk) -> None:
    """`dash.warning_record` says what `forecasts.early.record_of` decides by."""
    series = _series(desk)
    (now,) = desk.conn.execute("SELECT date_trunc('second', now())").fetchone() or (None,)
    assert now is not None
    for hits, not_come, chance in ((19, 0, 0.9), (12, 9, 0.8), (10, 11, 0.8), (11, 10, 1.0)):
        desk.conn.execute("DELETE FROM forecast_warnings")
        for n in range(hits + not_come):
            outcome = "hit" if n < hits else ("false", "withdrawn")[n % 2]
            desk.conn.execute(
                "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at,"
                " chance, expected_at, ended_at, outcome)"
                " VALUES (%s, %s, 2, 95, %s, %s, %s, %s, %s)",
                [series, RULE, now - (n + 2) * HOUR, chance, now, now - HOUR, outcome],
            )
        record = record_of(desk.conn, RULE, 2, now)
        row = desk.conn.execute(
            "SELECT hits, false_ones + withdrawn, brier, skill, on_trial"
            " FROM dash.warning_record(%s, 365)",
            [RULE],
        ).fetchone()
        assert row is not None
        assert row[:2] == (record.hits, record.not_come) == (hits, not_come)
        assert row[2:4] == (pytest.approx(record.brier), pytest.approx(record.skill))
        assert row[4] == record.on_trial
