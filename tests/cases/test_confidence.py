"""Golden cases of confidence: what is in doubt raises all the same, what was proven wrong is
withdrawn, and what nobody has taken back counts on with the ticks.

Each story is told by the plain reference and by the engine, which must agree.
"""

import pytest

from catalog.ticks import Tick
from tests.cases.story import both, doubts, flags, live, of_rule, readings, tell
from tests.property.logs import START, US, Log
from verify.oracle.reference import Values

PONDING = "waterlogging.ponding"


def depth(*rows: tuple[float, float | None]) -> Log:
    """Return the readings of one gauge: (seconds after START, m)."""
    return readings("p", "depth_m", *rows)


# what is in doubt


def test_the_faster_the_water_rises_the_sooner_it_is_said() -> None:
    """Turn 2, A1: 0.15 m more every 30 s. Each reading is too quick (rate), and each is water."""
    log = live(depth(*((n * 30.0, n * 0.15) for n in range(15))), until=450)
    assert tell("waterlogging", PONDING, log) == [
        ("raised", 4, 60),  # 0.15 m at 30 s, for 30 s
        ("changed", 1, 90),  # 0.30 m at 60 s, for 30 s
        ("confirmed", 1, 120),
    ]
    assert doubts("waterlogging", PONDING, log) == [
        ("raised", 4, "rate"),
        ("changed", 1, "rate"),
        ("confirmed", 1, ""),
    ]


def test_a_worsening_on_a_sound_value_is_sure_and_needs_no_word_of_its_own() -> None:
    """Blue by a value that its device doubts; yellow by sound ones: confirmed by the first."""
    said: Values = {"depth_m": 0.16, "depth_m_flag": 3.0}
    doubted: Log = [(("p", (START + at) * US, said),) for at in (0, 30)]
    log = [*doubted, *depth((60, 0.21), (90, 0.21), (120, 0.21))]
    assert doubts("waterlogging", PONDING, log) == [
        ("raised", 4, "device"),
        ("confirmed", 4, ""),
        ("changed", 3, ""),
    ]


def test_a_sure_alert_that_worsens_on_a_doubtful_value_is_in_doubt_again() -> None:
    said: Values = {"depth_m": 0.21, "depth_m_flag": 3.0}
    rest: Log = [(("p", (START + at) * US, said),) for at in (60, 90, 120)]
    assert doubts("waterlogging", PONDING, [*depth((0, 0.16), (30, 0.16)), *rest]) == [
        ("raised", 4, ""),
        ("changed", 3, "device"),
        ("confirmed", 3, ""),
    ]


def test_falling_and_clearing_leave_the_doubt_as_it_is() -> None:
    said: Values = {"depth_m": 0.16, "depth_m_flag": 3.0}
    log: Log = [(("p", (START + at) * US, said),) for at in (0, 30)]
    assert doubts("waterlogging", PONDING, [*log, *depth((60, 0.0), (360, 0.0))]) == [
        ("raised", 4, "device"),
        ("cleared", 4, "device"),
    ]


def test_every_doubt_of_a_value_is_named_once_and_in_order() -> None:
    """Vehicles without speed (relation), 97 % taken (gross), and its device doubts that."""
    slow: Values = {"flow_veh_h": 300.0, "speed_km_h": 0.0, "occupancy_pct": 97.0}
    slow["occupancy_pct_flag"] = 3.0
    log: Log = [(("f", (START + n * 20) * US, slow),) for n in range(10)]
    assert doubts("traffic_flow", "traffic_flow.standstill", log) == [
        ("raised", 2, "device,gross,relation"),
    ]


@pytest.mark.parametrize(("said", "raised"), [(1, True), (2, True), (3, True), (4, False)])
def test_what_a_device_says_of_its_own_value(said: int, raised: bool) -> None:
    """Passed, not looked at, in doubt, wrong: only what is wrong is left out."""
    values: Values = {"depth_m": 0.16, "depth_m_flag": float(said)}
    log: Log = [(("p", (START + n * 30) * US, values),) for n in range(3)]
    assert bool(tell("waterlogging", PONDING, log)) is raised
    marks = [(n * 30, "depth_m", "device", said) for n in range(3)]
    assert flags("waterlogging", log) == (marks if said >= 3 else [])


# one cadence of patience


def test_a_lone_spike_raises_nothing_and_is_in_no_statistic() -> None:
    log = live(depth((0, 0.0), (30, 0.6), (60, 0.0), (90, 0.0)), until=300)
    assert tell("waterlogging", PONDING, log) == []
    assert (30, "depth_m", "spike", 4) in flags("waterlogging", log)
    for result in both("waterlogging", log):
        first = max(
            (key[3], row) for key, row in result["windows"].items() if key[2] == START * US
        )[1]
        counts = [first[name] for name in ("n", "depth_m_n", "depth_m_good", "depth_m_used")]
        assert (counts, first["depth_m_max"]) == ([2, 2, 1, 1], 0.0)


@pytest.mark.parametrize(
    ("up", "down", "flag"),
    [(0.51, 0.0, 4), (0.5, 0.0, 3), (0.6, 0.2, 3), (0.21, 0.0, 3), (0.2, 0.0, 0), (0.6, 0.45, 0)],
)
def test_how_far_a_spike_must_go_up_and_back(up: float, down: float, flag: int) -> None:
    """More than 0.2 m each way; more than 0.5 m each way is proven beyond doubt."""
    log = depth((0, 0.0), (30, up), (60, down))
    found = [f for at, _, test, f in flags("waterlogging", log) if (at, test) == (30, "spike")]
    assert found == ([flag] if flag else [])


def test_what_rises_at_once_and_stays_is_raised_as_if_it_had_never_been_held() -> None:
    """0.6 m at 30 s waits for the reading of 60 s, which is sound, and counts from 30 s on."""
    log = live(depth((0, 0.0), (30, 0.6), (60, 0.62), (90, 0.62)), until=120)
    assert tell("waterlogging", PONDING, log)[0] == ("raised", 1, 60)
    assert doubts("waterlogging", PONDING, log) == [("raised", 1, "")]


def test_a_flood_that_is_the_last_word_of_its_sensor_is_raised_after_a_cadence_and_a_second() -> (
    None
):
    """At 60 s a jump to 0.6 m, then nothing: looked at by the 31st tick, for 30 s by then."""
    log = live(depth((0, 0.0), (30, 0.02), (60, 0.6)), until=200)
    for result in both("waterlogging", log):
        (told,) = of_rule(result, PONDING)
        assert (told["kind"], told["severity"], told["observed_at"]) == (
            "raised",
            1,
            (START + 90) * US,
        )
        assert (told["confidence"], told["reason"]) == ("unconfirmed", "rate,jump")
    early = [record for record in log if not isinstance(record, Tick) or record.at <= START + 90]
    assert tell("waterlogging", PONDING, early) == []


def test_what_was_raised_after_a_cadence_and_proves_a_spike_is_withdrawn() -> None:
    log = live(depth((0, 0.0), (30, 0.02), (60, 0.6), (120, 0.02)), until=300)
    for result in both("waterlogging", log):
        raised, withdrawn = of_rule(result, PONDING)
        assert (raised["kind"], withdrawn["kind"]) == ("raised", "withdrawn")
        assert withdrawn["episode"] == raised["episode"]
        assert (withdrawn["severity"], withdrawn["reason"]) == (1, "spike")
        assert (withdrawn["metric"], withdrawn["value"]) == ("depth_m", 0.6)
        assert withdrawn["observed_at"] == (START + 120) * US


def test_a_level_that_a_spike_had_worsened_is_changed_back() -> None:
    """Blue since 30 s; at 90 s a jump to 0.6 m after which nothing comes for 90 s; then 0.16 m."""
    rows = [(0, 0.16), (30, 0.16), (60, 0.16), (90, 0.6), (180, 0.16)]
    assert tell("waterlogging", PONDING, live(depth(*rows), until=300)) == [
        ("raised", 4, 30),
        ("changed", 1, 120),
        ("changed", 4, 180),
    ]


def test_an_alert_that_a_held_reading_confirms_is_sure_even_if_it_has_jumped() -> None:
    """0.6 m at 60 s jumped; 0.61 m at 150 s shows that it was no spike, and confirms it."""
    log = live(depth((0, 0.0), (30, 0.02), (60, 0.6), (150, 0.61)), until=200)
    assert doubts("waterlogging", PONDING, log) == [
        ("raised", 1, "rate,jump"),
        ("confirmed", 1, ""),
    ]
    assert tell("waterlogging", PONDING, log)[1] == ("confirmed", 1, 150)


def test_while_a_reading_is_held_nothing_is_cleared_and_nothing_raised_against_its_word() -> None:
    """0.18 m at 30 s, then a jump down from 0.45 m: no tick raises what the newest word denies."""
    down = [(0, 0.0), (30, 0.45), (40, 0.45), (50, 0.0)]
    log = live(depth(*down), until=80)
    assert tell("waterlogging", PONDING, log) == []
    # a cadence later it is looked at: past its deadband, so that nothing has held for 30 s
    assert tell("waterlogging", PONDING, live(depth(*down), until=300)) == []
    # a jump up on the other hand lets what was there before go on
    up = [(0, 0.14), (30, 0.18), (58, 0.45)]
    assert tell("waterlogging", PONDING, live(depth(*up), until=62))[:1] == [("raised", 4, 60)]


def test_a_jump_from_long_ago_is_none() -> None:
    """90 s are three cadences: what changed in a longer time has not jumped, but may be quick."""
    near = flags("waterlogging", depth((0, 0.0), (90, 0.6)))
    far = flags("waterlogging", depth((0, 0.0), (91, 0.6)))
    assert [test for _, _, test, _ in near] == ["jump", "rate"]
    assert [test for _, _, test, _ in far] == ["rate"]


def test_a_metric_that_always_leaps_does_not_jump() -> None:
    """Occupancy of 5 and 50 % in turn: after a few of them 45 more are a usual step."""
    log: Log = [
        (("f", (START + n * 20) * US, {"occupancy_pct": (5.0, 50.0)[n % 2]}),) for n in range(160)
    ]
    at = [second for second, _, test, _ in flags("traffic_flow", log) if test == "jump"]
    assert 4 <= len(at) <= 12
    assert max(at) < 159 * 20 - 600


# ticks count on


def test_a_sensor_that_dies_after_it_has_seen_the_breach_is_raised() -> None:
    """Turn 2, A4: 0.18 m at 60 s is its last word (limit 0.15 m for 30 s)."""
    log = live(depth((0, 0.10), (30, 0.14), (60, 0.18)), until=200)
    for result in both("waterlogging", log):
        (told,) = of_rule(result, PONDING)
        assert (told["kind"], told["severity"], told["value"]) == ("raised", 4, 0.18)
        assert told["observed_at"] == (START + 90) * US
        assert told["confidence"] == "confirmed"


def test_it_is_raised_by_the_first_tick_beyond_its_cadence() -> None:
    log = live(depth((0, 0.10), (30, 0.14), (60, 0.18)), until=200)
    for last, raised in ((90, False), (91, True)):
        early = [r for r in log if not isinstance(r, Tick) or r.at <= START + last]
        assert bool(tell("waterlogging", PONDING, early)) is raised


def test_what_stands_past_its_deadband_clears_by_ticks_at_the_tick_s_time() -> None:
    """0.05 m at 60 s is the last word: 300 s later it is over, though nobody has said so again."""
    log = live(depth((0, 0.16), (30, 0.16), (60, 0.05)), until=400)
    assert tell("waterlogging", PONDING, log) == [("raised", 4, 30), ("cleared", 4, 360)]


def test_a_tick_confirms_nothing() -> None:
    said: Values = {"depth_m": 0.16, "depth_m_flag": 3.0}
    log = live([(("p", START * US, said),)], until=300)
    assert doubts("waterlogging", PONDING, log) == [("raised", 4, "device")]


def test_a_reading_that_was_on_its_way_is_no_change_before_the_last_one() -> None:
    """Cleared by a tick at 360 s; then a reading of 355 s comes, and one of 361 s: once more."""
    rows = live(depth((0, 0.16), (30, 0.16), (60, 0.05)), until=370)
    for result in both("waterlogging", [*rows, *depth((320, 0.16), (355, 0.16))]):
        times = [t["observed_at"] - START * US for t in of_rule(result, PONDING)]
        assert times == [30 * US, 360 * US, 360 * US + 1]
