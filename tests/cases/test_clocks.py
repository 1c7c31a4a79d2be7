"""Golden cases of clocks: ahead, set back, and copies of what came from ahead.

Each story is told by the plain reference and by the engine, which must agree.
"""

import pytest

from tests.cases.story import both, flags, live, readings, tell, ticks
from tests.property.logs import START, US, Log, Received
from verify.oracle.reference import Reading

PONDING = "waterlogging.ponding"


def windows(log: Log) -> list[dict[int, int]]:
    """Return rows by minute (start in seconds after START), by the reference and by the engine."""
    found: list[dict[int, int]] = []
    for result in both("waterlogging", log):
        newest = sorted(result["windows"].items(), key=lambda item: item[0][3])
        found.append({key[2] // US - START: row["n"] for key, row in newest})
    return found


def test_one_reading_from_ahead_makes_no_sensor_deaf() -> None:
    """Turn 2, A2: 0.02 m of 290 s later among true readings; then 0.6 m every 5 s: red at once.

    0.6 m jumps at 5 s, is still there at 10 s and counts from 5 s on.
    """
    true = readings("p", "depth_m", (0, 0.02), (2, 0.02), (4, 0.02))
    stray = readings("p", "depth_m", (294, 0.02), received=4)
    water = readings("p", "depth_m", *((n * 5.0, 0.6) for n in range(1, 13)))
    log = live(true, stray, water, until=90)
    assert tell("waterlogging", PONDING, log) == [("raised", 1, 35)]
    assert (294, "*", "clock", 3) in flags("waterlogging", log)


@pytest.mark.parametrize(("ahead_us", "flagged"), [(2 * US, False), (2 * US + 1, True)])
def test_two_seconds_ahead_are_the_skew_of_a_good_clock(ahead_us: int, flagged: bool) -> None:
    at = START * US
    log = [Received((("p", at + ahead_us, {"depth_m": 0.0}),), at)]
    assert bool(flags("waterlogging", log)) is flagged


def test_readings_from_ahead_count_one_after_the_other_when_their_frame_came() -> None:
    """A reading each minute of the next five, all in one frame: none of them is lost."""
    row: list[Reading] = [("p", (START + 60 * n) * US, {"depth_m": 0.01 * n}) for n in range(1, 6)]
    log: Log = [Received(tuple(row), START * US), *readings("p", "depth_m", (60, 0.0))]
    assert windows(log) == [{0: 5}, {0: 5}]
    clocks = [(60 * n, "*", "clock", 3) for n in range(1, 6)]
    assert flags("waterlogging", log) == clocks


def test_a_copy_of_a_reading_from_ahead_is_no_second_one() -> None:
    """The gateway's client sends it again 3 s later; eight of them are remembered, not nine."""
    ahead = [readings("p", "depth_m", (300 + n, 0.0), received=n) for n in range(9)]
    end = readings("p", "depth_m", (60, 0.0))
    copy = readings("p", "depth_m", (308, 0.0), received=12)
    first = readings("p", "depth_m", (300, 0.0), received=13)
    log = [record for part in ahead for record in part]
    assert windows([*log, *end]) == [{0: 9}, {0: 9}]
    assert windows([*log, *copy, *end]) == [{0: 9}, {0: 9}]
    assert windows([*log, *first, *end]) == [{0: 10}, {0: 10}]


@pytest.mark.parametrize(("waited", "believed"), [(45, False), (46, True)])
def test_a_clock_that_was_set_back_is_believed_after_one_and_a_half_cadences(
    waited: int, believed: bool
) -> None:
    """Ahead by 90 s until 120 s; then it is right. While its last words may be true it is behind.

    What it says is water from then on: once it is believed, rules look at it.
    """
    ahead = readings("p", "depth_m", (90, 0.0), (120, 0.0))
    right = readings("p", "depth_m", (30, 0.18), (60, 0.18))
    log = [*ahead, *ticks(1, waited), *right]
    assert tell("waterlogging", PONDING, log) == ([("raised", 4, 60)] if believed else [])
    assert ((30, "*", "clock", 3) in flags("waterlogging", log)) is believed


def test_a_clock_that_is_set_back_takes_its_rules_along() -> None:
    """Dry since 100 s, set back by 30 s: dry since 70 s, and cleared 300 s later."""
    rows = readings("p", "depth_m", (0, 0.16), (30, 0.16), (100, 0.0))
    after = readings("p", "depth_m", (70, 0.0), (369, 0.0), (370, 0.0))
    assert tell("waterlogging", PONDING, [*rows, *ticks(1, 46), *after]) == [
        ("raised", 4, 30),
        ("cleared", 4, 370),
    ]


def test_beyond_lateness_a_clock_that_is_set_back_stays_late() -> None:
    before = readings("p", "depth_m", (400, 0.0))
    log = [*before, *live(until=60), *readings("p", "depth_m", (99, 0.6), (100, 0.6))]
    assert flags("waterlogging", log) == [
        (99, "*", "late", 3),
        (100, "*", "clock", 3),
        (100, "depth_m", "jump", 3),
        (100, "depth_m", "rate", 3),
    ]
