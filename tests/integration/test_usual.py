"""What is usual, from the rollups: the band on charts, and what explains an unusual alert."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from alerts.episode.episodes import apply
from alerts.episode.models import AlertFilter
from alerts.episode.queries import find_alerts
from alerts.settings import AlertSettings
from catalog.contracts import Transition
from catalog.site import zone
from service.postgres import connect

SENSOR, RULE = "traffic-flow-510104-01", "traffic_flow.unusually_slow"
HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    """Noon of a Wednesday in the site's zone that is not far away."""
    today = datetime.now(zone()).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - timedelta(days=(today.weekday() - 2) % 7)


@pytest.fixture
def conn(dsn: str, now: datetime) -> Iterator[Connection]:
    """Four weeks of speeds: 40 km/h at work, 60 at night; slow now, and slow a week ago."""
    with connect(dsn, "test", autocommit=True) as opened:
        with (
            opened.cursor() as cursor,
            cursor.copy(
                "COPY rollup_1h_traffic_flow (sensor, window_start, revision, n, speed_km_h_sum,"
                " speed_km_h_used) FROM STDIN"
            ) as copy,
        ):
            for back in range(1, 28 * 24):
                at = now - back * HOUR
                speed = (60.0 if at.hour < 6 else 40.0) + back % 3
                slow = back < 4 or 7 * 24 <= back < 7 * 24 + 5
                copy.write_row((SENSOR, at, 1, 180, (speed - 20 * slow) * 180, 180))
        opened.execute(
            "INSERT INTO aggregates_traffic_flow (sensor, window_start, revision, n,"
            " speed_km_h_sum, speed_km_h_used) VALUES (%s, %s, 1, 3, 54, 3)",
            [SENSOR, now - timedelta(minutes=10)],
        )
        yield opened


def test_the_usual_follows_the_hour_of_the_day(conn: Connection, now: datetime) -> None:
    rows = conn.execute(
        'SELECT "time", usual, low, high, days'
        " FROM dash.usual('traffic_flow', %s, 'speed_km_h', %s, %s)",
        [SENSOR, now - 24 * HOUR, now],
    ).fetchall()
    assert len(rows) == 25
    by_hour = {at.astimezone(zone()).hour: rest for at, *rest in rows}
    assert 60 <= by_hour[3][0] <= 62
    assert 40 <= by_hour[12][0] <= 42
    assert all(low <= usual <= high and days >= 3 for _, usual, low, high, days in rows)
    nothing = "SELECT count(*) FROM dash.usual('traffic_flow', %s, %s, %s, %s)"
    for metric, sensor in (("speed_km_h", "nobody"), ("no_such", SENSOR)):
        found = conn.execute(nothing, [sensor, metric, now - HOUR, now]).fetchone()
        assert found == (0,)


def test_an_unusual_alert_says_what_it_usually_is_and_when_it_was_so_before(
    conn: Connection, now: datetime
) -> None:
    at = now.astimezone(UTC) - timedelta(minutes=5)
    told = Transition(
        **{"id": "e1/raised", "episode": "e1", "rule": RULE, "stream": "traffic_flow"},
        **{"sensor": SENSOR, "kind": "raised", "severity": 4, "metric": "speed_km_h"},
        **{"value": 4.2, "threshold": 4.0, "observed_at": at, "produced_at": at},
    )
    change = apply(conn, told)
    assert change is not None
    (alert,) = find_alerts(conn, AlertFilter(rule=[RULE]))
    assert alert.explanation is not None
    (signal,) = alert.explanation["signals"]
    assert signal["value"] == 18.0
    assert 40 <= signal["expected"] <= 42
    days = [one["day"] for one in alert.explanation["similar"]]
    assert days == [(now - timedelta(days=7)).date().isoformat()]
    event = change.event(AlertSettings())
    assert "偏离常态 4.2 倍，已持续 30 分钟" in event.text_zh
    assert f"similar days: {days[0]}" in event.text_en
    assert event.data["explanation"]["signals"] == [signal]
