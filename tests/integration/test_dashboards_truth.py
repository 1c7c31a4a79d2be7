"""What a wall says is true: checked on the data frames of its panels, with known readings.

Each test is one of the faults that a real Grafana has shown: late or averaged numbers, tiles that
move, lines full of holes, alerts hung on the wrong number.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from catalog.registry import streams
from catalog.severity import LEVELS, STATES
from dashboards.expand import PanelQuery, View, panel_queries
from dashboards.looks import TILE
from dashboards.wall import wall_rows
from tests.boards import BOARDS, BY_UID
from tests.databases import Databases
from tests.history import Past, write_history

WALL = BY_UID["cityops-wall"]
COLOUR = {state.name: state.colour for state in STATES} | {"normal": TILE}


@pytest.fixture(scope="module")
def now() -> datetime:
    """The end of the history: when these tests begin."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def quiet(databases: Databases, now: datetime) -> Iterator[str]:
    """Address of a city with seven hours behind it and no alert."""
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn) as conn:
            conn.execute("SET LOCAL synchronous_commit = off")
            write_history(conn, Past(now, 0.5, 7.0, 7.0, 7.0))
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("ANALYZE")
        yield dsn


@pytest.fixture
def city(quiet: str) -> Iterator[Connection]:
    """A transaction in that city in which every sensor has just been heard; undone afterwards."""
    with psycopg.connect(quiet) as conn:
        conn.execute("UPDATE sensor_last SET observed_at = now() - interval '2 seconds'")
        yield conn
        conn.rollback()


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


@pytest.mark.parametrize("hours", [1.0, 6.0, 24.0 * 30])
def test_the_number_is_the_newest_good_value_of_the_worst_sensor_whatever_time_is_chosen(
    city: Connection, now: datetime, hours: float
) -> None:
    city.execute("UPDATE last_waterlogging SET depth_m = 0.02")
    city.execute("UPDATE last_waterlogging SET depth_m = 0.31 WHERE sensor = 'pond-jinxin'")
    shown = tile(city, now, "waterlogging", hours)
    assert shown["value"] == 0.31
    assert shown["name"] == f"积水深度（最高） · {name_of(city, 'waterlogging', 'pond-jinxin')}"
    assert shown["unit"] == "suffix: m"
    assert shown["colour"] == TILE


def test_a_chosen_time_in_the_past_still_ends_in_the_number_now(
    city: Connection, now: datetime
) -> None:
    city.execute("UPDATE last_waterlogging SET depth_m = 0.31 WHERE sensor = 'pond-jinxin'")
    assert tile(city, now - timedelta(days=3), "waterlogging")["value"] == 0.31


@pytest.mark.parametrize("doubt", ["flagged as failed", "physically impossible"])
def test_a_value_proven_wrong_is_no_number(city: Connection, now: datetime, doubt: str) -> None:
    city.execute("UPDATE last_waterlogging SET depth_m = 0.02")
    wrong = 99.0 if doubt == "physically impossible" else 1.5
    city.execute("UPDATE last_waterlogging SET depth_m = %s WHERE sensor = 'pond-jinxin'", [wrong])
    if doubt == "flagged as failed":
        city.execute(
            "INSERT INTO qc_flags SELECT 'waterlogging', sensor, observed_at, 'depth_m', 'gross',"
            " 4, 1.5 FROM last_waterlogging WHERE sensor = 'pond-jinxin'"
        )
    assert tile(city, now, "waterlogging")["value"] < 0.2


def test_a_suspect_value_is_shown_because_a_flood_is_one(city: Connection, now: datetime) -> None:
    city.execute("UPDATE last_waterlogging SET depth_m = 0.6 WHERE sensor = 'pond-jinxin'")
    city.execute(
        "INSERT INTO qc_flags SELECT 'waterlogging', sensor, observed_at, 'depth_m', 'rate', 3, 0.6"
        " FROM last_waterlogging WHERE sensor = 'pond-jinxin'"
    )
    assert tile(city, now, "waterlogging")["value"] == 0.6


def test_a_limit_from_below_makes_the_lowest_the_worst(city: Connection, now: datetime) -> None:
    sensor = city.execute("SELECT min(sensor) FROM last_water_supply").fetchone()
    assert sensor
    city.execute("UPDATE last_water_supply SET pressure_mpa = 0.4")
    city.execute("UPDATE last_water_supply SET pressure_mpa = 0.12 WHERE sensor = %s", sensor)
    shown = tile(city, now, "water_supply")
    assert (shown["value"], shown["decimals"]) == (0.12, 3)
    assert shown["name"].endswith(name_of(city, "water_supply", sensor[0]))


def test_a_level_is_the_distance_to_its_own_limit(city: Connection, now: datetime) -> None:
    city.execute(
        "UPDATE last_river_level l SET level_m = (s.attributes ->> 'warning_level_m')::float8 - 2"
        " FROM sensors s WHERE s.stream = 'river_level' AND s.sensor = l.sensor"
    )
    high = city.execute("SELECT max(sensor) FROM last_river_level").fetchone()
    city.execute("UPDATE last_river_level SET level_m = level_m + 2.5 WHERE sensor = %s", high)
    assert tile(city, now, "river_level")["value"] == pytest.approx(0.5)


def test_the_ground_is_the_state_and_the_name_says_how_many(
    city: Connection, now: datetime
) -> None:
    city.execute("UPDATE last_waterlogging SET depth_m = 0.5 WHERE sensor = 'pond-jinxin'")
    alarm(city, "waterlogging", "pond-jinxin", "depth_m", 1)
    shown = tile(city, now, "waterlogging")
    assert shown["colour"] == COLOUR["red"] == "#E0322F"
    assert shown["name"].startswith("◆ 1 ")
    city.execute(
        "UPDATE sensor_last SET observed_at = now() - interval '1 day' WHERE stream = 'noise'"
    )
    silent = tile(city, now, "noise")
    assert silent["value"] is None
    assert silent["colour"] == COLOUR["stale"]
    assert silent["name"].startswith("✕ 数据陈旧 ")


def test_what_alarms_is_shown_and_not_another_quantity(city: Connection, now: datetime) -> None:
    """24 rainstorm alerts never hang on 5.5 °C."""
    (sensor,) = city.execute("SELECT min(sensor) FROM last_weather").fetchone() or ("",)
    city.execute("UPDATE aggregates_weather SET rain_3h_last = 3")
    city.execute("UPDATE aggregates_weather SET rain_3h_last = 62.5 WHERE sensor = %s", [sensor])
    alarm(city, "weather", sensor, "rain_3h", 2)
    shown = tile(city, now, "weather")
    assert shown["value"] == 62.5
    assert shown["unit"] == "suffix: mm"
    assert shown["name"] == f"▲ 1 3 小时雨量 · {name_of(city, 'weather', sensor)}"
    assert shown["colour"] == "#FF9830"


def test_with_limits_of_their_own_the_alarmed_sensor_is_the_worst(
    city: Connection, now: datetime
) -> None:
    """Class 4 where 4 is the target is fine, class 3 where 2 is the target is not."""
    pair = city.execute(
        "SELECT sensor FROM sensors WHERE stream = 'surface_water' ORDER BY sensor LIMIT 2"
    ).fetchall()
    city.execute("UPDATE aggregates_surface_water SET water_class_last = 2")
    for (sensor,), grade in zip(pair, (4, 3), strict=True):
        city.execute(
            "UPDATE aggregates_surface_water SET water_class_last = %s WHERE sensor = %s",
            [grade, sensor],
        )
    assert tile(city, now, "surface_water")["value"] == 4
    alarm(city, "surface_water", pair[1][0], "water_class", 3)
    shown = tile(city, now, "surface_water")
    assert shown["value"] == 3
    assert shown["name"].endswith(name_of(city, "surface_water", pair[1][0]))


def test_classes_are_called_what_people_call_them(city: Connection, now: datetime) -> None:
    city.execute("UPDATE aggregates_surface_water SET water_class_last = 2")
    mark = next(
        (columns, rows)
        for query, columns, rows in frames(city, WALL, now)
        if "vital_mark('surface_water'" in query.sql
    )
    called = [dict(zip(mark[0], row, strict=True)) for row in mark[1]]
    assert {one["mapped"]: one["called"] for one in called}[2] == "Ⅱ 类"
    assert len({one["name"] for one in called}) == 1
    chart = next(
        p
        for p in BY_UID["cityops-stream-surface-water"]["panels"]
        if p["title"] == "水质类别" and p["type"] == "timeseries"
    )
    assert chart["fieldConfig"]["defaults"]["mappings"][0]["options"]["6"]["text"] == "劣Ⅴ 类"


def test_with_one_limit_for_all_the_highest_is_the_worst_alarmed_yet_or_not(
    city: Connection, now: datetime
) -> None:
    (other,) = city.execute("SELECT min(sensor) FROM last_waterlogging").fetchone() or ("",)
    city.execute("UPDATE last_waterlogging SET depth_m = 0.2 WHERE sensor = %s", [other])
    city.execute("UPDATE last_waterlogging SET depth_m = 0.4 WHERE sensor = 'pond-jinxin'")
    alarm(city, "waterlogging", other, "depth_m", 3)
    assert tile(city, now, "waterlogging")["value"] == 0.4


def test_while_it_rains_the_weather_is_the_rain_of_the_last_hour(
    city: Connection, now: datetime
) -> None:
    city.execute("UPDATE aggregates_weather SET rain_mm_sum = 0")
    assert tile(city, now, "weather")["unit"] == "celsius"
    (sensor,) = city.execute("SELECT min(sensor) FROM last_weather").fetchone() or ("",)
    city.execute(
        "UPDATE aggregates_weather SET rain_mm_sum = 0.5 WHERE sensor = %s"
        " AND window_start > now() - interval '1 hour'",
        [sensor],
    )
    (minutes,) = city.execute(
        "SELECT count(*) FROM aggregates_weather WHERE sensor = %s"
        " AND window_start > now() - interval '1 hour'",
        [sensor],
    ).fetchone() or (0,)
    shown = tile(city, now, "weather")
    assert shown["value"] == pytest.approx(minutes / 2)
    assert shown["name"] == f"1 小时雨量 · {name_of(city, 'weather', sensor)}"
    line = [value for _, value in shown["points"]]
    assert line[-2] == pytest.approx(line[-1], rel=0.2)  # the line is in the number's own terms
    assert line[0] == 0


def test_tiles_keep_their_places_and_series_their_names(city: Connection, now: datetime) -> None:
    def order() -> list[tuple[str, str, str]]:
        return [
            (query.panel, query.ref, columns[1])
            for query, columns, _ in frames(city, WALL, now)
            if "vital_line" in query.sql
        ]

    before = order()
    assert [name for _, _, name in before] == [
        vital.title.zh for row in wall_rows() for vital in row.vitals
    ]
    for stream, metric in (("waterlogging", "depth_m"), ("weather", "rain_3h")):
        (sensor,) = city.execute(f"SELECT min(sensor) FROM last_{stream}".encode()).fetchone() or (
            "",
        )
        alarm(city, stream, sensor, metric, 1)
    assert order() == before


@pytest.mark.parametrize("hours", [1.0, 3.0, 6.0])
def test_every_tile_has_its_line_with_one_step_and_no_holes(
    city: Connection, now: datetime, hours: float
) -> None:
    for query, columns, rows in frames(city, WALL, now, hours):
        if "vital_line" not in query.sql:
            continue
        assert len(columns) == 2, "one frame per tile: nothing is joined, so nothing is null"
        assert len(rows) >= hours * 3600 / 900, query.sql
        assert all(value is not None for _, value in rows), query.sql
        steps = {later - sooner for (sooner, _), (later, _) in pairwise(rows[:-1])}
        assert len(steps) == 1, f"{query.sql}: {steps}"


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
            " ph_good, ph_sum, ph_min, ph_max, ph_last)"
            " SELECT %(s)s, t, 1, 1, 1, 1, %(v)s, %(v)s, %(v)s, %(v)s"
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
