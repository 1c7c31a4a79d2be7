"""Golden cases, one or more for each kind of rule and quantity: worked out by hand.

Each story is told by the plain reference and by the engine, which must agree.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.registry import stream
from catalog.ticks import Tick
from tests.cases.story import both, doubts, flags, readings, tell, ticks
from tests.property.logs import START, US, Log, Record
from verify.oracle.reference import Values

HOUR = 3600
STATION = "air-quality-510104-01"


def beijing(day: date, hour: float = 0.0) -> float:
    """Return seconds from START to a local hour of a day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    return midnight.timestamp() + hour * HOUR - START


# threshold


def test_threshold_by_severity_with_for_clear_and_deadband() -> None:
    rows = [(0, 0.16), (30, 0.16), (150, 0.31), (180, 0.31), (210, 0.28)]
    rows += [(330, 0.10), (629, 0.10), (630, 0.10)]
    assert tell("waterlogging", "waterlogging.ponding", readings("p", "depth_m", *rows)) == [
        ("raised", 4, 30),  # 15 cm and more for 30 s
        ("changed", 1, 180),  # 30 cm for 30 s; 28 cm stays within the deadband of 3 cm
        ("cleared", 1, 630),  # below all deadbands for 300 s
    ]


def test_flapping_around_the_limit_once_a_second_is_one_episode() -> None:
    rows = [(float(s), 0.1505) for s in range(31)]
    rows += [(float(s), (0.1505, 0.1495)[s % 2]) for s in range(31, 631)]
    rows += [(float(s), 0.10) for s in range(631, 933)]
    assert tell("waterlogging", "waterlogging.ponding", readings("p", "depth_m", *rows)) == [
        ("raised", 4, 30),
        ("cleared", 4, 931),
    ]


@pytest.mark.parametrize(
    ("sensor", "severities"),
    [
        ("river-sanhuangmiao", [4, 3, 2, 1]),  # warning 440.55 m, guarantee 442.84, highest 446.29
        ("river-dongzikou", []),  # its bed is at 484 m: such a level is no reading of it
        ("stranger", []),  # no limits are known
    ],
)
def test_threshold_of_the_sensor_itself(sensor: str, severities: list[int]) -> None:
    rows = [(n * 600.0, 440.06 + n * 0.6) for n in range(13)]
    log = [*readings(sensor, "level_m", *rows), *ticks(7200, 7500)]  # the last rise is a jump
    told = tell("river_level", "river_level.flood", log)
    assert [severity for kind, severity, _ in told if kind != "confirmed"] == severities


@pytest.mark.parametrize(
    ("hour", "rule", "severity"),
    [(15, "noise.day", 4), (23, "noise.night", 3), (5, "noise.night", 3)],
)
def test_threshold_by_the_hour(hour: int, rule: str, severity: int) -> None:
    """Class 2: 60 dB from 6 to 22 o'clock, 50 dB at night, as a mean of 20 min."""
    level = 61.0 if rule == "noise.day" else 51.0
    start = beijing(date(2026, 11, 24), hour)
    log = readings(
        "noise-510104-01", "leq_db", *((start + n * 30, level + n % 2 / 5) for n in range(40))
    )
    assert [x[:2] for x in tell("noise", rule, log)] == [("raised", severity)]
    other = {"noise.day": "noise.night", "noise.night": "noise.day"}[rule]
    assert tell("noise", other, log) == []


@pytest.mark.parametrize(
    ("day", "mean", "raised"),
    [
        (date(2026, 2, 27), 70.0, False),  # GB 3095-2012: 75 µg/m³
        (date(2026, 2, 27), 76.0, True),
        (date(2026, 3, 2), 70.0, True),  # GB 3095-2026 until 2030: 60 µg/m³
        (date(2030, 12, 29), 55.0, False),
        (date(2031, 1, 2), 55.0, True),  # from 2031: 50 µg/m³
        (date(2015, 12, 8), 400.0, False),  # no class 2 limit was in force
    ],
)
def test_threshold_by_date(day: date, mean: float, raised: bool) -> None:
    rows = [(beijing(day, hour), mean + hour % 2) for hour in range(-1, 24)]
    log = readings(STATION, "pm25", *rows)
    assert bool(tell("air_quality", "air_quality.pm25_day", log)) is raised


# rolling quantities


@pytest.mark.parametrize(
    ("rule", "mm_per_h", "hours"),
    [
        ("rain_12h", 4.2, 12),  # 50 mm in 12 h, blue
        ("rain_6h", 8.4, 6),  # 50 mm in 6 h, yellow
        ("rain_3h", 16.8, 3),  # 50 mm in 3 h, orange
        ("rain_3h", 33.6, 3),  # 100 mm in 3 h, red
    ],
)
def test_rolling_sum_of_rain(rule: str, mm_per_h: float, hours: int) -> None:
    """Even rain reaches the limit with the last of its hours, and not before."""
    rows = [(n * 300.0, mm_per_h / 12) for n in range(hours * 12)]
    told = tell("weather", f"weather.{rule}", readings("w", "rain_mm", *rows))
    severity = {12: 4, 6: 3, 3: 2}[hours] if mm_per_h < 30 else 1
    assert told[-1][1] == severity
    assert hours * HOUR - 600 <= told[-1][2] < hours * HOUR


def test_rolling_sum_forgets_what_its_window_has_left() -> None:
    rows = [(0.0, 60.0), (3 * HOUR - 1, 0.0), (3 * HOUR, 0.0)]
    told = tell("weather", "weather.rain_3h", readings("w", "rain_mm", *rows))
    assert told == [("raised", 2, 0), ("cleared", 2, 3 * HOUR)]


@pytest.mark.parametrize(("minutes", "valid"), [(44, False), (45, True)])
def test_an_hour_needs_45_minutes_and_eight_hours_need_six(minutes: int, valid: bool) -> None:
    """GB 3095-2026, table 4: five full hours and one of ``minutes`` are six only from 45 on."""
    rows = [(hour * HOUR + m * 60, 200.0 + m % 7) for hour in range(5) for m in range(60)]
    rows += [(5 * HOUR + m * 60, 200.0 + m % 7) for m in range(minutes)]
    told = tell("air_quality", "air_quality.o3_8h", readings(STATION, "o3", *rows))
    assert told == ([("raised", 4, 5 * HOUR + 44 * 60)] if valid else [])


@pytest.mark.parametrize(("minutes", "hour"), [(44, 6), (45, 5)])
def test_an_hour_long_over_that_was_not_full_does_not_count(minutes: int, hour: int) -> None:
    rows = [(m * 60, 200.0 + m % 7) for m in range(minutes)]
    rows += [(h * HOUR + m * 60, 200.0 + m % 7) for h in range(1, 7) for m in range(60)]
    told = tell("air_quality", "air_quality.o3_8h", readings(STATION, "o3", *rows))
    assert told == [("raised", 4, hour * HOUR + 44 * 60)]


def test_a_station_that_reports_by_the_hour_needs_one_value_an_hour() -> None:
    rows = [(hour * HOUR, 200.0 + hour) for hour in range(6)]
    told = tell("air_quality", "air_quality.o3_8h", readings(STATION, "o3", *rows))
    assert told == [("raised", 4, 5 * HOUR)]


@pytest.mark.parametrize(("hours", "valid"), [(19, False), (20, True)])
def test_a_day_needs_twenty_hours(hours: int, valid: bool) -> None:
    rows = [(hour * HOUR, 90.0 + hour) for hour in range(hours)]
    told = tell("air_quality", "air_quality.pm25_day", readings(STATION, "pm25", *rows))
    assert bool(told) is valid


def test_levels_are_averaged_as_energy() -> None:
    """Ten minutes of 50 dB and ten of 60 dB are 57.4 dB, not 55."""
    rows = [(n * 30.0, 50.0 if n < 20 else 60.0) for n in range(40)]
    ends = [Tick(START + 2000), Tick(START + 2001)]
    for result in both("noise", [*readings("n", "leq_db", *rows), *ends]):
        last = max(key[2] for key in result["windows"])
        row = next(row for key, row in result["windows"].items() if key[2] == last)
        assert row["leq_20min_last"] == pytest.approx(57.40, abs=0.01)


def test_the_lowest_of_three_daily_highs() -> None:
    """Heat yellow: above 35 °C on three days in a row, by local days."""
    day = date(2026, 7, 10)
    highs = [36.0, 36.5, 36.2, 34.0]
    rows = [
        (beijing(day, 24 * n + hour), high - abs(hour - 16) * 0.5)
        for n, high in enumerate(highs)
        for hour in range(24)
    ]
    told = tell("weather", "weather.heat_3d", readings("w", "temp_c", *rows))
    third = round(beijing(day, 48 + 14))  # 35.2 °C at 14 o'clock of the third day
    assert told == [("raised", 3, third), ("cleared", 3, round(beijing(day, 72)))]


def test_rate_of_change() -> None:
    """The frequency falls 0.3 Hz in 5 s, that is 0.06 Hz/s: too fast from 0.05 on."""
    rows = [(0, 50.0), (5, 50.0), *((at, 49.7) for at in range(10, 50, 5))]
    log = readings("frequency-jinjiang", "frequency_hz", *rows)
    told = tell("grid_frequency", "grid_frequency.rocof", log)
    assert told == [("raised", 3, 10), ("cleared", 3, 45)]


@pytest.mark.parametrize(("less", "seen"), [(0.2, True), (0.1, False), (-0.2, False)])
def test_what_is_unusual_for_the_hour(less: float, seen: bool) -> None:
    """Odd hours 0.1 km/h above even ones, every day; then one even hour is slower.

    What is expected lies 13 / 24 of the way from the hour before: 0.046 off, now above, now below,
    0.023 when smoothed (a reading weighs 2 / 3). That is less than rounding makes: the spread is
    0.03. A hour slower by 0.2 is -0.156 smoothed, 5.2 spreads; by 0.1 -0.090, 3.0 spreads.
    """
    rows = [(n * HOUR, 50 + 0.1 * (n % 2) - less * (n == 60)) for n in range(64)]
    log = readings("lane", "speed_km_h", *rows)
    told = tell("traffic_flow", "traffic_flow.unusually_slow", log)
    # a beat of 5 min ends with the next reading, the hour after is 0.7 spreads off
    assert told == ([("raised", 4, 60 * HOUR + 300), ("cleared", 4, 62 * HOUR + 300)] * seen)


# several metrics


def test_an_expression_of_two_metrics() -> None:
    """Burst: 0.06 MPa less within 5 min while the flow rises by more than 15 %."""

    def burst(flow: float) -> list[tuple[str, int, int]]:
        log: list[Record] = []
        for minute in range(8):
            values: Values = {"pressure_mpa": 0.35, "flow_m3_h": 500.0 + minute % 2}
            if minute >= 4:
                # in steps that the rate test believes
                values = {"pressure_mpa": 0.35 - 0.03 * min(minute - 3, 2), "flow_m3_h": flow}
            log.append((("s", (START + minute * 60) * US, values),))
        return tell("water_supply", "water_supply.burst", log)

    assert burst(600.0) == [("raised", 2, 300)]
    assert burst(520.0) == []


@pytest.mark.parametrize(
    ("speed", "occupancy", "severities"),
    [
        (0.0, 0.0, []),  # nobody is there
        (0.0, 9.0, []),
        (5.0, 2.0, []),  # one slow vehicle on an empty road
        (0.0, 60.0, [2]),  # a queue stands on the loop
        (8.0, 30.0, [3]),
        (8.0, None, [3]),  # what has a speed is a vehicle
        (0.0, None, []),
    ],
)
def test_an_empty_road_does_not_stand_still(
    speed: float, occupancy: float | None, severities: list[int]
) -> None:
    values: Values = {"flow_veh_h": 0.0, "speed_km_h": speed, "occupancy_pct": occupancy}
    log: Log = [(("f", (START + n * 20) * US, values),) for n in range(20)]
    told = tell("traffic_flow", "traffic_flow.standstill", log)
    assert [severity for _, severity, _ in told] == severities


def test_a_queue_that_leaves_an_empty_road_has_ended() -> None:
    rows = [(60.0 if n < 10 else 0.0) for n in range(20)]
    log: Log = [
        (("f", (START + n * 20) * US, {"speed_km_h": 0.0, "occupancy_pct": x}),)
        for n, x in enumerate(rows)
    ]
    told = tell("traffic_flow", "traffic_flow.standstill", log)
    assert told == [("raised", 2, 180), ("cleared", 2, 320)]


@pytest.mark.parametrize(
    ("name", "test", "values", "marked"),
    [
        ("air_quality", "pm25_above_pm10", {"pm25": 121.0, "pm10": 100.0}, ["pm10", "pm25"]),
        ("air_quality", "", {"pm25": 119.0, "pm10": 100.0}, []),
        ("noise", "lmax_below_leq", {"leq_db": 60.0, "lmax_db": 59.0}, ["leq_db", "lmax_db"]),
        (
            "traffic_flow",
            "flow_without_speed",
            {"flow_veh_h": 300.0, "speed_km_h": 0.0},
            ["flow_veh_h", "speed_km_h"],
        ),
        ("traffic_flow", "", {"flow_veh_h": 0.0, "speed_km_h": 0.0}, []),
        (
            "transformer",
            "winding_below_oil",
            {"oil_temp_c": 70.0, "winding_temp_c": 60.0},
            ["winding_temp_c"],
        ),
    ],
)
def test_a_broken_relation_is_suspect(
    name: str, test: str, values: dict[str, float | None], marked: list[str]
) -> None:
    assert flags(name, [(("s", START * US, values),)]) == [(0, m, test, 3) for m in marked]


def test_a_level_below_the_bed_fails_and_one_above_all_known_is_suspect() -> None:
    """The bed is at 434 m, the highest level ever seen 446.29 m; a flood may rise above that."""
    rows = [(0, 433.9), (3600, 434.0), (20_000, 449.2), (23_600, 449.3)]
    log = readings("river-sanhuangmiao", "level_m", *rows)
    odd = [(at, test, flag) for at, _, test, flag in flags("river_level", log) if flag > 1]
    assert [x for x in odd if x[1] in ("below_the_bed", "above_all_known")] == [
        (0, "below_the_bed", 4),
        (23_600, "above_all_known", 3),
    ]


# sensor health


def test_a_value_that_fails_raises_health_and_no_other_rule() -> None:
    """5.5 m of water is outside the span: after 10 min the sensor is unwell, ponding is silent."""
    rows = [(n * 60.0, 5.5 if n < 12 else 0.0) for n in range(24)]
    log = readings("p", "depth_m", *rows)
    assert tell("waterlogging", "waterlogging.ponding", log) == []
    assert tell("waterlogging", "waterlogging.health", log) == [
        ("raised", 4, 600),
        ("cleared", 4, 12 * 60 + 600),
    ]
    for result in both("waterlogging", log):
        raised = next(t for t in result["transitions"].values() if t["kind"] == "raised")
        assert (raised["metric"], raised["value"]) == ("depth_m", 5.5)


def test_a_suspect_value_raises_its_rule_in_doubt_and_health() -> None:
    """Vehicles without speed contradict each other (flag 3): a standstill, or an unwell detector.

    The first reading that reaches it raises it in doubt, the next one confirms it.
    """
    values: Values = {"flow_veh_h": 300.0, "speed_km_h": 0.0, "occupancy_pct": 60.0}
    log: Log = [(("f", (START + n * 20) * US, values),) for n in range(40)]
    assert tell("traffic_flow", "traffic_flow.standstill", log) == [
        ("raised", 2, 180),
        ("confirmed", 2, 200),
    ]
    assert doubts("traffic_flow", "traffic_flow.standstill", log) == [
        ("raised", 2, "relation"),
        ("confirmed", 2, ""),
    ]
    assert tell("traffic_flow", "traffic_flow.health", log) == [("raised", 4, 600)]


def test_a_sensor_that_often_stands_still_is_not_stuck() -> None:
    """Ozone rests at its floor for 14 h each night, read hourly; then it does so for ever.

    The first night has 12 readings in a row after 12 h, and fails; what came before, 11 h, is what
    is usual then. The next nights pass, by 13 h; what lasts twice as long, 26 h, would not: but
    three nights have shown that this is its floor, so that it may last 8 times as long, 104 h.
    """
    night = lambda n: n % 24 < 14 or n >= 72  # noqa: E731
    rows = [(n * HOUR, 2.0 if night(n) else 20.0 + n % 24) for n in range(180)]
    flat = [f for f in flags("air_quality", readings(STATION, "o3", *rows)) if f[2] == "flat"]
    assert [at // HOUR for at, *_ in flat] == [12, 13, *range(72 + 104, 180)]


def test_a_span_that_does_not_fit_the_sensor_doubts_nothing() -> None:
    """A main of 0.9 MPa where up to 0.7 is expected: after 12 readings that is how it is."""
    log = readings("main", "pressure_mpa", *((n * 30, 0.9 + n % 2 / 100) for n in range(40)))
    odd = [at for at, _, test, _ in flags("water_supply", log) if test == "gross"]
    assert odd == [n * 30 for n in range(12)]


def test_a_flat_line_raises_health() -> None:
    """Leq does not move for 10 min and 12 times: suspect; 10 min later the station is unwell."""
    log = readings("n", "leq_db", *((n * 60.0, 47.0) for n in range(25)))
    assert tell("noise", "noise.health", log) == [("raised", 4, 1320)]


def test_a_metric_that_fails_to_come_raises_health_if_it_came_before() -> None:
    def log(first: float | None) -> Log:
        peaks = [first, *[None] * 12]
        return [
            (("n", (START + n * 60) * US, {"leq_db": 45.0 + n % 3, "lmax_db": peak}),)
            for n, peak in enumerate(peaks)
        ]

    assert tell("noise", "noise.health", log(55.0)) == [("raised", 4, 660)]
    assert tell("noise", "noise.health", log(None)) == []


# derived quantities: the formulas themselves are in tests/unit/catalog/test_standards.py


def test_derived_quantities_raise_like_any_other() -> None:
    assert tell("air_quality", "air_quality.aqi", air([(0, 116.0), (60, 116.0)])) == [
        ("raised", 3, HOUR)  # index 152, HJ 633-2026, of the first hour whose length is known
    ]
    jam = readings("l", "speed_ratio", *((m * 60, 0.39) for m in range(5)))
    assert tell("traffic_link", "traffic_link.congestion", jam) == [("raised", 3, 180)]
    foul: Values = {"do": 1.5, "ph": 7.0, "codmn": 3.0, "nh3n": 0.2, "tp": 0.05}
    site = "surface-water-510104-01"
    water: Log = [((site, (START + n * 300) * US, foul),) for n in range(3)]
    assert tell("surface_water", "surface_water.target", water) == [("raised", 1, 600)]


def test_congestion_is_of_five_minutes_not_of_one() -> None:
    """GB/T 33171-2016, appendix C: one minute at a tenth of the free speed is no congestion."""
    one = [0.9, 0.9, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9]
    log = readings("l", "speed_ratio", *((n * 60, x) for n, x in enumerate(one)))
    assert tell("traffic_link", "traffic_link.congestion", log) == []
    log = readings("l", "speed_ratio", (0, 0.3), (600, 0.3), (1200, 0.3))  # a slow reporter
    assert tell("traffic_link", "traffic_link.congestion", log) == [("raised", 2, 600)]


def air(rows: list[tuple[float, float]]) -> Log:
    """Return a station's otherwise clean readings: (minutes after START, PM2.5)."""
    clean = {"so2": 5.0, "no2": 20.0, "co": 0.5, "o3": 40.0}
    return [
        ((STATION, round((START + m * 60) * US), {**clean, "pm25": x, "pm10": 1.2 * x}),)
        for m, x in rows
    ]


def test_the_air_index_is_of_hourly_means_of_45_minutes_at_least() -> None:
    """HJ 633-2026, 4.2.3; GB 3095-2026, table 4: a station that reports by the minute."""
    even = [(float(m), 116.0 + m % 2 / 64) for m in range(60)]
    told = tell("air_quality", "air_quality.aqi", air(even))
    assert told == [("raised", 3, 43 * 60)]  # four of five minutes fill the ninth five-minute mean
    # a third of the hour is missing: no index at all
    holes = [(m, x) for m, x in even if m < 20 or m >= 40]
    assert tell("air_quality", "air_quality.aqi", air(holes)) == []


def test_polluted_minutes_do_not_make_a_polluted_hour() -> None:
    """Ten minutes that rise to 298 µg/m³ (index 348) in an hour of 10: its mean is 43."""
    rows = [(float(m), 10.0 + m % 2 / 64) for m in range(50)]
    rows += [(float(m), 10.0 + 40.0 * (m - 49)) for m in range(50, 57)]
    rows += [(float(m), 298.0 + m % 2 / 64) for m in range(57, 60)]
    assert tell("air_quality", "air_quality.aqi", air(rows)) == []
    rows += [(float(m), 298.0 + m % 2 / 64) for m in range(60, 110)]
    told = tell("air_quality", "air_quality.aqi", air(rows))
    assert [severity for _, severity, _ in told] == [4, 3, 2, 1]


@pytest.mark.parametrize(("cadence_min", "at_min"), [(10, 40), (20, 40), (30, 30), (60, 60)])
def test_a_station_that_reports_less_often_needs_as_many_fewer_values(
    cadence_min: int, at_min: int
) -> None:
    """45 min of an hour are 5 values of 10 min, 3 of 20 min, 2 of 30 min, 1 of an hour."""
    rows = [(float(m), 116.0 + m / 64) for m in range(0, 121, cadence_min)]
    told = tell("air_quality", "air_quality.aqi", air(rows))
    assert told == [("raised", 3, at_min * 60)]


def test_every_kind_of_rule_and_quantity_is_used_by_the_catalog() -> None:
    names = ("weather", "noise", "air_quality", "grid_frequency", "water_supply")
    declared = [stream(name) for name in names]
    kinds = {r.kind for s in declared for r in s.rolling}
    assert kinds == {"mean", "sum", "max", "min", "level", "change"}
    assert {r.kind for s in declared for r in s.rules} == {
        *("threshold", "absence", "stream_absence", "health")
    }
