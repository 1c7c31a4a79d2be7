"""Lines, limits, strips and alerts on a page are true: checked on the data frames of its panels.

Each test is one of the faults that a real Grafana has shown: lines full of holes, means that swing,
limits in the wrong colour.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from psycopg import Connection

from catalog.registry import streams
from catalog.severity import LEVELS, STATES
from dashboards.expand import PanelQuery
from tests.support.boards import BOARDS, BY_UID
from tests.support.panels import WALL, alarm, frames


@pytest.mark.parametrize("hours", [1.0, 3.0, 6.0])
def test_every_tile_has_its_line_with_one_step_and_no_holes(
    city: Connection, now: datetime, hours: float
) -> None:
    for query, columns, rows in frames(city, WALL, now, hours):
        if "vital_line" not in query.sql:
            continue
        assert len(columns) == 2, "one frame per tile: nothing is joined, so nothing is null"
        stream = next(s for s in streams().values() if f"'{s.name}'" in query.sql)
        assert len(rows) >= hours * 3600 / max(900, stream.cadence_s), query.sql
        assert all(value is not None for _, value in rows), query.sql
        steps = {later - sooner for (sooner, _), (later, _) in pairwise(rows[:-1])}
        assert len(steps) == 1 or len(rows) < 4, f"{query.sql}: {steps}"


def _holes(query: PanelQuery, columns: list[str], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """Yield the series that Grafana would draw with more holes than points within their span."""
    if query.form != "time_series" or columns[1:2] != ["metric"]:
        return
    times = sorted({row[0] for row in rows})
    for label in {row[1] for row in rows}:
        there = sorted(row[0] for row in rows if row[1] == label and row[-1] is not None)
        if len(there) > 2:
            spanned = sum(there[0] <= moment <= there[-1] for moment in times)
            if len(there) < spanned / 2:
                yield f"{query.dashboard} / {query.panel}: {label} {len(there)} of {spanned}"


@pytest.mark.parametrize("name", sorted(name for name in BOARDS if "/zh/" in name))
def test_no_line_is_made_of_holes(city: Connection, now: datetime, name: str) -> None:
    """Sensors that report at different moments never leave each other nulls between points."""
    for query, columns, rows in frames(city, BOARDS[name], now):
        assert list(_holes(query, columns, rows)) == []


def test_sensors_that_report_in_turn_make_a_calm_mean(city: Connection, now: datetime) -> None:
    """One water station at 6, another at 8, minutes apart: the mean is 7, not 6, 8, 6, 8."""
    city.execute(
        "UPDATE sensors SET status = 'retired' WHERE stream = 'surface_water' AND sensor <>"
        " ALL (SELECT sensor FROM sensors WHERE stream = 'surface_water' LIMIT 2)"
    )
    city.execute("DELETE FROM aggregates_surface_water")
    pair = city.execute(
        "SELECT sensor FROM sensors WHERE stream = 'surface_water' AND status <> 'retired'"
    ).fetchall()
    for shift, ((sensor,), value) in enumerate(zip(pair, (6.0, 8.0), strict=True)):
        city.execute(
            "INSERT INTO aggregates_surface_water (sensor, window_start, revision, n, ph_n,"
            " ph_good, ph_used, ph_sum, ph_min, ph_max, ph_last)"
            " SELECT %(s)s, t, 1, 1, 1, 1, 1, %(v)s, %(v)s, %(v)s, %(v)s"
            " FROM generate_series(date_trunc('hour', %(now)s::timestamptz) - interval '3 hours'"
            " + make_interval(mins => %(shift)s), %(now)s, interval '5 minutes') t",
            {"s": sensor, "v": value, "now": now, "shift": 1 + 2 * shift},
        )
    board = BY_UID["cityops-stream-surface-water"]
    found = [rows for query, _, rows in frames(city, board, now, 2.0) if "'ph'" in query.sql]
    values = [row[1] for rows in found for row in rows[1:-1]]
    assert len(values) > 15
    assert set(values) == {7.0}
    finer = city.execute(  # whoever asks for minutes gets no finer step than there is
        "SELECT value FROM dash.series('surface_water', 'ph', %s, %s, '1 minute')",
        [now - timedelta(hours=2), now],
    ).fetchall()
    assert {value for (value,) in finer[1:-1]} == {7.0}


def test_directions_have_a_mean_that_goes_round(city: Connection, now: datetime) -> None:
    city.execute(
        "UPDATE aggregates_weather SET wind_dir_deg_last ="
        " CASE WHEN extract(minute FROM window_start)::int % 2 = 0 THEN 350 ELSE 10 END"
    )
    end = now.replace(minute=now.minute // 10 * 10, second=0)  # whole steps hold both directions
    rows = city.execute(
        "SELECT value, low FROM dash.series('weather', 'wind_dir_deg', %s, %s, '10 minutes')",
        [end - timedelta(hours=2), end],
    ).fetchall()
    assert len(rows) > 8
    assert all(min(value, 360 - value) < 1 and low is None for value, low in rows)


def test_limit_lines_are_in_the_colour_of_their_level() -> None:
    """A dash of `thresholdsStyle` took the colour of the step above: 'below' was one off."""
    board = BY_UID["cityops-stream-water-supply"]
    pressure = next(p for p in board["panels"] if p["title"].startswith("压力（MPa"))
    (lines,) = [t["rawSql"] for t in pressure["targets"] if t["refId"] == "L"]
    drawn = re.findall(r'([\d.]+)::float8 AS "(.) < [\d.]+ (..)"', lines)
    assert drawn == [("0.05", "◆", "红色"), ("0.1", "▲", "橙色"), ("0.14", "■", "黄色")]
    colours = {
        override["matcher"]["options"]: prop["value"]["fixedColor"]
        for override in pressure["fieldConfig"]["overrides"]
        for prop in override["properties"]
        if prop["id"] == "color"
    }
    for level in LEVELS.values():
        assert colours[f"/^{level.icon} /"] == level.colour
    assert "thresholdsStyle" not in str(BOARDS)


def test_limits_of_one_sensor_have_the_same_colours(city: Connection, now: datetime) -> None:
    rows = city.execute(
        "SELECT DISTINCT label FROM dash.limits('water_supply', (SELECT min(sensor) FROM"
        " last_water_supply), 'pressure_mpa', %s, %s)",
        [now - timedelta(hours=1), now],
    ).fetchall()
    assert {label[0] for (label,) in rows} == {"◆", "▲", "■"}
    panel = next(p for p in BY_UID["cityops-sensor"]["panels"] if p["title"] == "汇总与阈值")
    known = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert {f"/^{level.icon} /" for level in LEVELS.values()} <= known


def test_a_strip_shows_where_and_since_when(city: Connection, now: datetime) -> None:
    board = BY_UID["cityops-domain-water"]
    level = {state.name: n for n, state in enumerate(STATES)}
    city.execute(
        "DELETE FROM aggregates_river_level WHERE window_start < now() - interval '3 hours'"
    )
    raised, cleared = now - timedelta(hours=2), now - timedelta(hours=1)
    alarm(city, "waterlogging", "pond-jinxin", "depth_m", 1, raised=raised, cleared=cleared)
    alarm(city, "water_supply", "ws-1", "pressure_mpa", 3, raised=now - timedelta(minutes=30))
    ((_, columns, rows),) = [
        one for one in frames(city, board, now) if "state_history('stream'" in one[0].sql
    ]
    assert columns[1:] == ["河道水位", "地表水质", "供水管网", "道路积水"]
    ponding = {row[0]: row[4] for row in rows}
    inside = {v for t, v in ponding.items() if raised <= t and t < cleared - timedelta(minutes=6)}
    outside = {v for t, v in ponding.items() if t < raised - timedelta(minutes=10) or t > cleared}
    assert inside == {level["red"]}
    assert outside == {level["normal"]}
    assert rows[-1][3] == level["yellow"]
    river = [row[1] for row in rows]
    assert river[0] == level["stale"]
    assert river[-1] == level["normal"]


def test_strips_of_districts_are_in_screen_order_and_of_the_streams_own(
    city: Connection, now: datetime
) -> None:
    (row,) = city.execute(
        "SELECT district FROM sensors WHERE stream = 'waterlogging' AND sensor = 'pond-jinxin'"
    ).fetchall()
    alarm(city, "waterlogging", "pond-jinxin", "depth_m", 1)
    titles = dict(city.execute("SELECT district, title_zh FROM dash.districts").fetchall())
    level = {state.name: n for n, state in enumerate(STATES)}
    for stream, expected in (("waterlogging", "red"), ("river-level", None), ("noise", "normal")):
        board = BY_UID[f"cityops-stream-{stream}"]
        ((_, columns, rows),) = [
            one for one in frames(city, board, now) if "state_history(" in one[0].sql
        ]
        assert columns[1:] == list(titles.values())
        shown = dict(zip(columns, rows[-1], strict=True))[titles[row[0]]]
        assert shown == (level[expected] if expected and shown is not None else shown)


def test_alerts_are_points_and_off_until_asked_for(city: Connection, now: datetime) -> None:
    for n in range(40):
        alarm(city, "waterlogging", f"pond-{n}", "depth_m", 1, raised=now - timedelta(minutes=n))
    for board in BOARDS.values():
        for note in board.get("annotations", {}).get("list", []):
            alerts = "dash.notes(" in note["target"]["rawSql"]
            assert note["enable"] is not alerts
            assert not (alerts and "timeend" in note["target"]["rawSql"])
    query = "SELECT count(*), count(timeend) FROM dash.notes(%s, now(), 'zh', NULL, 'waterlogging')"
    assert city.execute(query, [now - timedelta(hours=1)]).fetchone() == (40, 0)
