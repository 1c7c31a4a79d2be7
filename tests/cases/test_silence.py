"""Golden cases of silence: of a sensor, of a stream, of everything; and why a sensor is silent.

Each story is told by the plain reference and by the engine, which must agree.
"""

from typing import Any

import pytest

from catalog.registry import stream
from catalog.sensors import sensors_of
from catalog.ticks import Hearing, Pulse, Tick, Word
from catalog.topics import shard_of
from tests.cases.story import both, live, of_rule, readings, story, tell, ticks
from tests.property.logs import START, US, Log, Received, Record, unpacked
from verify.oracle.reference import Values

Told = list[tuple[str, str, int]]
"""(rule and sensor, kind, seconds after START)."""


def told_of_silence(declared: str, log: Log) -> Told:
    """Return what was said of silence of any kind; reference and engine must agree on it.

    What is said of sensors that are in none of the frames is left out.
    """
    frames = [unpacked(record)[0] for record in log if isinstance(record, tuple | Received)]
    heard = {"*", *(sensor for frame in frames for sensor, _, _ in frame)}
    wanted, found = (
        sorted(
            (t["observed_at"] // US - START, f"{t['rule']} {t['sensor']}", t["kind"])
            for t in result["transitions"].values()
            if t["sensor"] in heard and ".silent" in t["rule"]
        )
        for result in both(declared, log)
    )
    assert found == wanted
    return [(rule, kind, at) for at, rule, kind in found]


def silent_city(declared: str, quiet: range, others: bool) -> Log:
    """Return 20 min of two sensors that are silent in ``quiet``, when other streams are or not."""
    names = [s.id for s in sensors_of(declared)][:2]
    metric = stream(declared).metrics[0]
    values: Values = {metric.name: metric.typical[0]}
    cadence, log, pulse = stream(declared).cadence_s, list[Record](), 0
    for at in range(1, 1200):
        if at % cadence == 0 and at not in quiet:
            log.append(tuple((name, (START + at) * US, values) for name in names))
            pulse = 0
        if others and at % 20 == 0:
            pulse = 0
        log.append(Tick(START + at, Pulse(pulse, 5)))
        pulse += 1
    return log


def test_a_silent_sensor_a_silent_stream_and_a_stranger_are_told_apart() -> None:
    known = [s.id for s in sensors_of("waterlogging")][:3]

    def send(second: int, *names: str) -> Record:
        dry: Values = {"depth_m": 0.0}
        return tuple((n, (START + second) * US, dry) for n in names)

    log: list[Record] = []
    for second in range(1, 1400):
        if second % 30 == 0 and (second <= 600 or second > 1200):
            talking = known if second <= 90 or second > 1200 else known[1:]
            log.append(send(second, *talking, *(["stranger"] if second <= 90 else [])))
        log.append(Tick(START + second))
    # the first falls silent alone; then all do, which is the stream's matter; then all are back
    assert tell("waterlogging", "waterlogging.silent", log, known[0]) == [
        ("raised", 4, 239),
        ("cleared", 4, 1229),
    ]
    assert tell("waterlogging", "waterlogging.silent_stream", log) == [
        ("raised", 3, 749),
        ("cleared", 3, 1230),
    ]
    assert not tell("waterlogging", "waterlogging.silent", log, *known[1:], "stranger")


def test_a_stream_is_silent_only_when_no_shard_hears_it() -> None:
    """Another shard that still hears its sensors leaves it at single sensors."""
    known = sensors_of("waterlogging")[0].id
    hello: Record = ((known, START * US, {"depth_m": 0.0}),)
    words: list[tuple[Hearing, str]] = [
        ("heard", "silent"),
        ("hushed", "silent_stream"),
        ("nobody", "silent_stream"),
    ]
    for word, rule in words:
        log: list[Record] = [hello, Word(2, word, START), *ticks(1, 199)]
        told = told_of_silence("waterlogging", log)
        assert [name.split()[0] for name, _, _ in told] == [f"waterlogging.{rule}"]


def test_a_stream_that_comes_back_gives_each_sensor_its_time_again() -> None:
    """The second sensor is heard 30 s after the first: that is no silence of its own."""
    first, second = (s.id for s in sensors_of("waterlogging")[:2])
    dry: Values = {"depth_m": 0.0}
    log: list[Record] = []
    for at in range(1, 900):
        if at % 30 == 0 and not 90 < at < 600:
            names = [first] if at == 600 else [first, second]
            log.append(tuple((name, (START + at) * US, dry) for name in names))
        log.append(Tick(START + at))
    assert tell("waterlogging", "waterlogging.silent", log, first, second) == []
    told = tell("waterlogging", "waterlogging.silent_stream", log)
    assert [kind for kind, _, _ in told] == ["raised", "cleared"]


def test_when_nothing_comes_from_any_stream_that_is_one_alert_of_the_platform() -> None:
    """The last comes at 300 s: red after 120 s, and neither stream nor sensor is told."""
    log = silent_city("air_quality", range(301, 900), others=False)
    assert told_of_silence("air_quality", log) == [
        ("platform.silent *", "raised", 420),
        ("platform.silent *", "cleared", 900),
    ]


def test_while_another_worker_hears_something_the_platform_is_not_silent() -> None:
    """The pulse is of one worker's shards; the word of another shard says that data still comes."""
    log = silent_city("air_quality", range(301, 900), others=False)
    told = told_of_silence("air_quality", [Word(2, "heard", START), *log])
    assert {rule for rule, _, _ in told} == {
        f"air_quality.silent {sensor.id}" for sensor in sensors_of("air_quality")[:2]
    }
    assert sorted(kind for _, kind, _ in told) == ["cleared", "cleared", "raised", "raised"]
    # that shard hears nothing any more either
    still = [Word(2, "heard", START), *log[:200], Word(2, "hushed", START + 200), *log[200:]]
    assert told_of_silence("air_quality", still) == told_of_silence("air_quality", log)


def test_while_other_streams_are_heard_it_is_the_stream_that_is_silent() -> None:
    log = silent_city("air_quality", range(301, 900), others=True)
    assert told_of_silence("air_quality", log) == [
        ("air_quality.silent_stream *", "raised", 599),
        ("air_quality.silent_stream *", "cleared", 900),
    ]


@pytest.mark.parametrize("name", ["waterlogging", "grid_frequency"])
def test_only_one_stream_speaks_for_the_platform_and_the_others_hold_back(name: str) -> None:
    """Frequency would be told after 30 s, long before the platform's 120 s."""
    log = silent_city(name, range(301, 900), others=False)
    assert told_of_silence(name, log) == []


def test_a_stream_that_does_not_come_back_with_the_others_is_told_after_its_full_time() -> None:
    """All fall silent at 300 s, the others are back at 900 s: this stream has 150 s more."""
    log = silent_city("waterlogging", range(301, 1200), others=False)
    back: Log = [
        Tick(r.at, Pulse(r.at % 20, 5)) if isinstance(r, Tick) and r.at >= START + 900 else r
        for r in log
    ]
    hushed = 46  # one and a half cadences
    assert told_of_silence("waterlogging", back) == [
        ("waterlogging.silent_stream *", "raised", 900 + 150 - hushed)
    ]


def test_a_platform_whose_quickest_source_is_slow_is_given_two_of_its_cadences() -> None:
    log = [Tick(START + at, Pulse(at % 3600, 3600)) for at in range(1, 3 * 3600)]
    assert told_of_silence("air_quality", log) == []
    still = [Tick(START + at, Pulse(at, 3600)) for at in range(1, 7300)]
    assert told_of_silence("air_quality", still) == [("platform.silent *", "raised", 7200)]


def test_a_writer_of_ticks_that_has_just_started_ends_no_silence_of_the_platform() -> None:
    log: list[Record] = [Tick(START + at, Pulse(at, 5)) for at in range(1, 200)]
    log += [Tick(START + 200 + at, Pulse(at, 0)) for at in range(300)]
    log += [Tick(START + 500, Pulse(0, 30))]
    assert told_of_silence("air_quality", log) == [
        ("platform.silent *", "raised", 120),
        ("platform.silent *", "cleared", 500),
    ]


def test_a_platform_that_has_never_heard_anything_is_not_silent() -> None:
    log = [Tick(START + at, Pulse(at, 0)) for at in range(1, 1000)]
    assert told_of_silence("air_quality", log) == []


def test_a_word_that_is_older_than_the_last_one_says_nothing() -> None:
    """After a restart a shard tells again what it has told."""
    known = sensors_of("waterlogging")[0].id
    log: list[Record] = [((known, START * US, {"depth_m": 0.0}),)]
    log += [Word(2, "heard", START + 10), Word(2, "hushed", START + 5)]
    log += [Tick(START + n) for n in range(1, 200)]
    assert [rule for rule, _, _ in told_of_silence("waterlogging", log)] == [
        f"waterlogging.silent {known}"
    ]


def test_what_a_shard_hears_is_told_once_at_each_change() -> None:
    known = sensors_of("waterlogging")[0].id
    hello: Record = ((known, START * US, {"depth_m": 0.0}),)
    log: list[Record] = [hello, *(Tick(START + n) for n in range(1, 100)), hello, Tick(START + 100)]
    for result in both("waterlogging", log):
        told = [(word.hearing, word.at - START) for word in result["words"]]
        assert told == [("heard", 1), ("hushed", 46), ("heard", 100)]


# why


HERE, THERE, AWAY = "pond-jinxin", "waterlogging-510105-01", "pond-shangmao"
"""The first two are of shard 0, the partition of these stories."""

SECOND_OF_2000 = 946_684_800 - START


def why(log: Log, sensor: str) -> list[tuple[str, int, str]]:
    """Return (kind, seconds after START, reason) of a sensor's silence, on which both agree."""
    told: list[list[dict[str, Any]]] = [
        of_rule(result, "waterlogging.silent", [sensor]) for result in both("waterlogging", log)
    ]
    assert told[0] == told[1]
    return [(t["kind"], t["observed_at"] // US - START, t["reason"]) for t in told[0]]


def other() -> Log:
    """Return another sensor of the stream, which goes on, so that the stream is heard."""
    return readings(THERE, "depth_m", *((n * 30.0, 0.0) for n in range(40)))


def test_a_sensor_of_which_nothing_comes_any_more() -> None:
    log = live(readings(HERE, "depth_m", (0, 0.0), (30, 0.0), (600, 0.0)), other(), until=700)
    assert why(log, HERE) == [("raised", 180, "nothing"), ("cleared", 600, "")]


def test_a_sensor_that_is_placed_here_and_has_never_come() -> None:
    """It is known from the start; the third is placed in another shard and is not missed here."""
    assert [shard_of(name) for name in (HERE, THERE, AWAY)] == [0, 0, 3]
    log = live(other(), until=400)
    assert why(log, HERE) == [("raised", 150, "never")]
    assert why(log, AWAY) == []


def test_of_a_stream_that_nobody_has_ever_heard_nothing_is_said() -> None:
    for result in both("waterlogging", ticks(1, 1000)):
        assert result["transitions"] == {}
        assert result["words"] == []


def test_a_device_whose_clock_fell_back_by_years_is_silent_because_it_is_late() -> None:
    """Turn 2, A3: 0.60 m every 20 s, at seconds of the year 2000: flagged, and no rule sees it."""
    before = readings(HERE, "depth_m", *((n * 20.0, 0.0) for n in range(6)))
    old = [
        Received(((HERE, (START + SECOND_OF_2000 + at) * US, {"depth_m": 0.6}),), (START + at) * US)
        for at in range(120, 480, 20)
    ]
    log = live(before, old, other(), until=480)
    assert why(log, HERE) == [("raised", 250, "late")]
    assert tell("waterlogging", "waterlogging.ponding", log) == []
    for result in both("waterlogging", log):
        assert {flag[4] for flag in result["flags"] if flag[1] == HERE} == {"late"}


def test_a_sensor_that_sends_nothing_usable_is_silent_until_it_does() -> None:
    """6 m is beyond the instrument; a row without a value is nothing either."""
    rows = [(n * 30.0, (6.0, None)[n % 2] if n else 0.0) for n in range(10)]
    log = live(readings(HERE, "depth_m", *rows, (300, 0.0)), other(), until=400)
    assert why(log, HERE) == [("raised", 150, "unusable"), ("cleared", 300, "")]


def test_a_reading_that_is_behind_is_heard() -> None:
    behind = readings(HERE, "depth_m", (-30.0, 0.0), received=40)
    log = live(readings(HERE, "depth_m", (0.0, 0.0)), behind, other(), until=240)
    assert why(log, HERE) == [("raised", 190, "nothing")]


def test_a_sensor_heard_again_within_the_same_tick_is_silent_and_back_a_microsecond_apart() -> None:
    log: list[Record] = [*live(readings(HERE, "depth_m", (0, 0.0)), other(), until=150)]
    log += readings(HERE, "depth_m", (150, 0.0))
    for result in both("waterlogging", log):
        assert story(result, "waterlogging.silent", HERE) == [
            ("raised", 4, 150),
            ("cleared", 4, 150),
        ]
