"""What a wall says is true: checked on the data frames of its panels, with known readings.

Each test is one of the faults that a real Grafana has shown: late or averaged numbers, tiles that
move, alerts hung on the wrong number.
"""

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from catalog.severity import STATES
from dashboards.looks import TILE
from dashboards.wall import wall_rows
from tests.support.boards import BY_UID
from tests.support.panels import WALL, alarm, frames, name_of, tile

COLOUR = {state.name: state.colour for state in STATES} | {"normal": TILE}


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
