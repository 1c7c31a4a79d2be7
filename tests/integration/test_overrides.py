"""What people set for single sensors: kept for good, audited, told to the worker in its order."""

import psycopg
import pytest
from typer.testing import CliRunner

from storage.__main__ import app
from storage.overrides import Target, Wish, history, newest, set_override

MAIN = Target("water_supply", "main-1", "pressure_mpa")


@pytest.fixture
def conn(dsn: str, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection:
    """A connection to a database that knows one sensor; commands go there too."""
    monkeypatch.setenv("CITYOPS_DSN", dsn)
    made = psycopg.connect(dsn, autocommit=True)
    made.execute(
        "INSERT INTO sensors (stream, sensor, status) VALUES (%s, %s, 'registered')",
        [MAIN.stream, MAIN.sensor],
    )
    return made


def test_the_worker_is_told_the_newest_of_each_metric(dsn: str, conn: psycopg.Connection) -> None:
    first = set_override(conn, MAIN, Wish(span=(0.0, 1.0), reason="a"), "li")
    second = set_override(conn, MAIN, Wish(resolution=0.01, reason="b"), "li")
    other = Target(MAIN.stream, MAIN.sensor, "ph")
    third = set_override(conn, other, Wish(floor=1.0, reason="c"), "li")
    told = [(s, o.metric, o.revision, o.span, o.resolution) for s, o in newest(dsn)]
    assert first < second < third
    assert told == [
        ("water_supply", "pressure_mpa", second, None, 0.01),
        ("water_supply", "ph", third, None, None),
    ]
    with pytest.raises(psycopg.Error, match="append"):
        conn.execute("DELETE FROM sensor_overrides")
    conn.close()


def test_by_command_a_span_is_set_listed_and_ended(conn: psycopg.Connection) -> None:
    runner, place = CliRunner(), [MAIN.stream, MAIN.sensor, MAIN.metric]
    refused = ["override", "set", *place, "--low", "0", "--reason", "half a span"]
    assert runner.invoke(app, refused).exit_code == 2
    given = ["--low", "0", "--high", "1.2", "--reason", "the high zone"]
    assert runner.invoke(app, ["override", "set", *place, *given]).exit_code == 0
    shown = runner.invoke(app, ["override", "list", *place[:2]], env={"COLUMNS": "200"}).stdout
    assert "0 … 1.2" in shown
    assert "the high zone" in shown
    ended = ["override", "end", *place, "--reason", "moved"]
    assert [runner.invoke(app, ended).exit_code for _ in range(2)] == [0, 2]
    assert [row.reason for row in history(conn, MAIN.stream, MAIN.sensor)] == [
        "moved",
        "the high zone",
    ]
    audited = conn.execute("SELECT what, detail->>'via' FROM audit ORDER BY seq").fetchall()
    assert audited == [("sensor.override", "shell"), ("sensor.override_end", "shell")]
    conn.close()
