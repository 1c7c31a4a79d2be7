"""Golden cases at the edge: a limit met exactly, rounding, hours, days, months and dates in force.

Worked out by hand from the standards; each is told by the plain reference and by the engine.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.registry import stream
from catalog.single import derive
from tests.cases.story import doubts, flags, readings, tell
from tests.property.logs import START, US, Log
from verify.oracle.reference import Values

HOUR = 3600
STATION = "air-quality-510104-01"
NOISE_2 = "noise-510104-01"


def beijing(day: date, hour: float = 0.0) -> float:
    """Return seconds from START to a local hour of a day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    return midnight.timestamp() + hour * HOUR - START


def turns(first: float, second: float, count: int, every_s: float) -> list[tuple[float, float]]:
    """Return two values in turn, so that no line is flat."""
    return [(n * every_s, second if n % 2 else first) for n in range(count)]


# a limit that is met exactly


@pytest.mark.parametrize(
    ("hz", "raised"), [(50.2, False), (49.8, False), (50.201, True), (49.799, True)]
)
def test_a_frequency_at_the_limit_is_within_it(hz: float, raised: bool) -> None:
    """GB/T 15945: ± 0.2 Hz is allowed; as binary fractions 50.2 - 50 is 0.2000000000000028."""
    log = readings("frequency-jinjiang", "frequency_hz", *((n * 5, hz) for n in range(6)))
    assert bool(tell("grid_frequency", "grid_frequency.deviation", log)) is raised


@pytest.mark.parametrize(
    ("first", "second", "raised"), [(9.4, 9.2, False), (9.398, 9.2, True), (9.39, 9.21, False)]
)
def test_a_voltage_of_seven_percent_below_is_within_the_limit(
    first: float, second: float, raised: bool
) -> None:
    """GB/T 12325: 9.30 kV of 10 kV, as a mean of ten minutes."""
    log: Log = [
        (("f", round((START + at) * US), {"ua_kv": x, "ub_kv": x + 0.5, "uc_kv": x + 0.5}),)
        for at, x in turns(first, second, 48, 15)
    ]
    assert bool(tell("feeder", "feeder.voltage_low", log)) is raised


@pytest.mark.parametrize(("per_reading", "raised"), [(50 / 81, True), (49.94 / 81, False)])
def test_fifty_millimetres_are_fifty_however_they_are_added_up(
    per_reading: float, raised: bool
) -> None:
    """CMA: 3 h of 50 mm and more, to the tenth that gauges tell; 49.94 mm are 49.9."""
    log = readings("w", "rain_mm", *((n * 120.0, per_reading) for n in range(81)))
    told = tell("weather", "weather.rain_3h", log)
    assert told == ([("raised", 2, 80 * 120)] if raised else [])


@pytest.mark.parametrize(("ratio", "severity"), [(0.5, 4), (0.4, 3), (0.3, 2), (0.501, None)])
def test_a_band_of_congestion_begins_at_its_limit(ratio: float, severity: int | None) -> None:
    """GB/T 33171, C: 0.5, 0.6 and 0.7; three readings a minute add up to a little more or less."""
    log = readings("l", "speed_ratio", *((n * 20.0, ratio) for n in range(12)))
    told = tell("traffic_link", "traffic_link.congestion", log)
    assert [x[1] for x in told] == ([severity] if severity else [])


@pytest.mark.parametrize(("limit_by", "raised"), [(0.0, False), (0.2, True)])
def test_a_noise_level_at_its_limit_is_within_it(limit_by: float, raised: bool) -> None:
    """Class 2 by day: 60 dB(A), compared to the tenth."""
    start = beijing(date(2026, 11, 24), 15)
    rows = [(start + at, x + limit_by) for at, x in turns(59.98, 60.02, 40, 30)]
    assert bool(tell("noise", "noise.day", readings(NOISE_2, "leq_db", *rows))) is raised


@pytest.mark.parametrize(("drop", "raised"), [(0.05, False), (0.051, True)])
def test_a_pressure_drop_at_the_limit_is_no_burst(drop: float, raised: bool) -> None:
    log: Log = [
        (
            (
                "s",
                (START + minute * 60) * US,
                {
                    "pressure_mpa": 0.40 - (drop / 2) * max(0, min(minute - 3, 2)),
                    "flow_m3_h": 600.0 if minute >= 4 else 500.0 + minute % 2,
                },
            ),
        )
        for minute in range(8)
    ]
    assert bool(tell("water_supply", "water_supply.burst", log)) is raised


# rounding


@pytest.mark.parametrize(
    ("mean", "raised"),
    [(60.4, False), (60.5, False), (60.6, True), (61.5, True), (60.0, False)],
)
def test_a_mean_is_rounded_as_its_limit_is_written(mean: float, raised: bool) -> None:
    """GB/T 8170: to the whole µg/m³, 60.5 to the even 60; above 60 is above."""
    day = date(2026, 4, 10)
    rows = [(beijing(day, hour), mean + (-0.25, 0.25)[hour % 2]) for hour in range(24)]
    assert bool(tell("air_quality", "air_quality.pm25_day", readings(STATION, "pm25", *rows))) is (
        raised
    )


@pytest.mark.parametrize(
    ("day", "pm25", "severities"),
    [
        (date(2026, 3, 2), 60.4, []),  # HJ 633-2026: rounded to 60 first, index 100
        (date(2026, 3, 2), 60.6, [4]),  # 61: 100.9, rounded up to 101
        (date(2026, 3, 2), 115.4, [4]),  # 115: index 150
        (date(2026, 3, 2), 115.6, [3]),  # 116: 151.4, rounded up to 152
    ],
)
def test_the_index_of_2026_rounds_the_concentration_then_the_index_up(
    day: date, pm25: float, severities: list[int]
) -> None:
    told = tell("air_quality", "air_quality.aqi", hourly_air(day, pm25, 2))
    assert [severity for _, severity, _ in told] == severities


@pytest.mark.parametrize(("pm25", "severities"), [(75.0, []), (75.01, [4]), (115.01, [3])])
def test_the_index_of_2012_is_of_the_day_and_rounds_up(pm25: float, severities: list[int]) -> None:
    """HJ 633-2012: the mean of 24 hours as it is, its index rounded up: 75.01 gives 101."""
    log = hourly_air(date(2020, 5, 11), pm25, 20, by=0.25)
    told = tell("air_quality", "air_quality.aqi", log)
    assert [severity for _, severity, _ in told] == severities


def hourly_air(day: date, pm25: float, hours: int, by: float = 0.0) -> Log:
    """Return a station's hourly readings, otherwise clean; particles move by so much in turn."""
    clean = {"so2": 5.0, "no2": 20.0, "co": 0.5, "o3": 40.0}
    log = []
    for hour in range(hours):
        x = pm25 + (-by, by)[hour % 2]
        at = round((START + beijing(day, hour)) * US)
        log.append(((STATION, at, {**clean, "pm25": x, "pm10": x + 1}),))
    return log


@pytest.mark.parametrize(
    ("item", "limits"),
    [
        ("do", (7.5, 6.0, 5.0, 3.0, 2.0)),
        ("codmn", (2.0, 4.0, 6.0, 10.0, 15.0)),
        ("nh3n", (0.15, 0.5, 1.0, 1.5, 2.0)),
        ("tp", (0.02, 0.1, 0.2, 0.3, 0.4)),
    ],
)
def test_a_water_class_ends_with_its_limit(item: str, limits: tuple[float, ...]) -> None:
    """GB 3838, table 1: at the limit still the class, past it the next; past V worse than V (6)."""
    declared = stream("surface_water").derived[0]
    past = -0.001 if item == "do" else 0.001
    for number, limit in enumerate(limits, 1):
        assert derive(declared, {item: limit}, 0) == number
        assert derive(declared, {item: limit + past}, 0) == number + 1


@pytest.mark.parametrize(("ph", "found"), [(6.0, 1), (9.0, 1), (5.99, 6), (9.01, 6)])
def test_ph_is_within_six_and_nine_or_worse_than_any_class(ph: float, found: int) -> None:
    assert derive(stream("surface_water").derived[0], {"ph": ph}, 0) == found


# hours, days, months


def test_the_noise_of_the_day_is_not_measured_by_the_limit_of_the_night() -> None:
    """58 dB until 22 o'clock are allowed (60), 45 after it too (50): no alert in between."""
    begin = beijing(date(2026, 11, 24), 21.5)
    levels = [(58.0 if n < 60 else 45.0) + n % 2 / 5 for n in range(180)]
    log = readings(NOISE_2, "leq_db", *((begin + n * 30, x) for n, x in enumerate(levels)))
    assert tell("noise", "noise.night", log) == []


def test_a_loud_night_is_told_after_its_first_twenty_minutes_and_ends_with_the_night() -> None:
    """58 dB from before 22 o'clock on: the mean from 22:00 on is whole in its 20th minute."""
    begin = beijing(date(2026, 11, 24), 21.5)
    log = readings(NOISE_2, "leq_db", *((begin + at, x) for at, x in turns(58.0, 58.2, 180, 30)))
    ten, six = round(begin) + 1800, round(beijing(date(2026, 11, 25), 6))
    assert tell("noise", "noise.night", log) == [("raised", 3, ten + 19 * 60)]
    early = beijing(date(2026, 11, 25), 5.5)
    rest = readings(NOISE_2, "leq_db", *((early + at, x) for at, x in turns(58.0, 58.2, 90, 30)))
    assert tell("noise", "noise.night", [*log, *rest])[-1] == ("cleared", 3, six + 300)


def test_three_hot_days_are_local_days_across_the_end_of_a_month() -> None:
    """36 °C on 29 and 30 June and 1 July, each at half past eleven at night and after."""
    first = date(2026, 6, 29)
    rows = [
        (beijing(first, 24 * n + h), x)
        for n in range(3)
        for h, x in ((12, 33.0), (23.5, 36.0), (23.75, 36.1))
    ]
    told = tell("weather", "weather.heat_3d", readings("w", "temp_c", *rows))
    assert told == [("raised", 3, round(beijing(first, 2 * 24 + 23.5)))]


def test_two_local_days_are_not_three_because_of_utc() -> None:
    """Half past midnight and half past eleven at night of one day lie on two days of UTC."""
    first = date(2026, 6, 30)
    hot = [(beijing(first, h), 36.0) for h in (0.5, 23.5, 24 + 23.5, 24 + 23.75)]
    assert tell("weather", "weather.heat_3d", readings("w", "temp_c", *hot)) == []


def test_a_limit_changes_at_local_midnight() -> None:
    """70 µg/m³ in 24 h: allowed until 28 February 2026 (75), not from 1 March on (60)."""
    begin = date(2026, 2, 27)
    rows = [(beijing(begin, hour), 70.0 + hour % 2) for hour in range(56)]
    told = tell("air_quality", "air_quality.pm25_day", readings(STATION, "pm25", *rows))
    assert told == [("raised", 4, round(beijing(date(2026, 3, 1))))]


# validity, and values in doubt


def test_an_outage_leaves_a_daily_mean_without_a_verdict() -> None:
    """Five hours without values leave 19 of 24: neither raised nor cleared until 20 count again."""
    day = date(2026, 4, 10)
    rows = [(beijing(day, hour), 70.0 + hour % 2) for hour in range(24)]
    rows += [(beijing(day, hour), 10.0 + hour % 2) for hour in range(29, 54)]
    told = tell("air_quality", "air_quality.pm25_day", readings(STATION, "pm25", *rows))
    assert [kind for kind, _, _ in told] == ["raised", "cleared"]
    cleared_h = (told[1][2] - beijing(day)) / HOUR
    # at hour 43 the window holds hours 20..23 of 70 and 29..43 of 10: 19 hours, no mean yet
    assert cleared_h > 43


def test_a_lone_jump_raises_nothing_and_one_that_stays_counts_from_its_first_reading() -> None:
    """0.4 m within 30 s waits for the next reading: gone, it was a spike; there, it is water."""
    rows = [(0, 0.0), (30, 0.4), (60, 0.0), (90, 0.0), (120, 0.4), (150, 0.4), (180, 0.4)]
    log = readings("p", "depth_m", *rows)
    assert tell("waterlogging", "waterlogging.ponding", log) == [("raised", 1, 150)]
    assert doubts("waterlogging", "waterlogging.ponding", log) == [
        ("raised", 1, ""),  # 0.4 m at 150 s is no change any more
    ]
    found = [(at, test, flag) for at, _, test, flag in flags("waterlogging", log)]
    first = [(30, "jump", 3), (30, "rate", 3), (30, "spike", 3)]
    assert found == [*first, (120, "jump", 3), (120, "rate", 3)]


def test_a_contradiction_of_particles_raises_an_index_in_doubt_and_health() -> None:
    """PM2.5 of 400 with PM10 of 100 cannot be: one of them is wrong, and nobody knows which."""
    values: Values = {"pm25": 400.0, "pm10": 100.0, "so2": 5.0, "no2": 20.0, "co": 0.5, "o3": 40.0}
    log: Log = [
        ((STATION, (START + n * 60) * US, {**values, "pm25": 400.0 + n % 2}),) for n in range(70)
    ]
    assert doubts("air_quality", "air_quality.aqi", log)[0][2] == "relation"
    assert [kind for kind, _, _ in tell("air_quality", "air_quality.health", log)] == ["raised"]


def test_a_missing_value_neither_raises_nor_clears_what_is_derived_of_it() -> None:
    """Flow without pressure says nothing of a burst."""
    log: Log = [
        (("s", (START + m * 60) * US, {"pressure_mpa": None, "flow_m3_h": 500.0 + 40 * m}),)
        for m in range(10)
    ]
    assert tell("water_supply", "water_supply.burst", log) == []
