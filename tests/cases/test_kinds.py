"""Golden cases of booleans, states, counters, and of limits by schedule and by the sun."""

from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.conditions import Condition, Schedule, Sun
from catalog.lifecycle.day_kinds import kind_of, kinds_of
from catalog.metrics import Rate
from catalog.model import (
    Metric,
    Placement,
    Stream,
    ThresholdRule,
    counter,
    levels,
    state,
    text,
)
from catalog.site import site
from catalog.sun import elevation
from engine import conditions
from tests.cases.story import both, doubts, flags, readings, tell, ticks
from tests.property.logs import START, US
from verify.oracle import conditions as plain

LAMP = "lamp-renmin-south"
DUSK, DAWN = 10 * 3600 + 4 * 60, 23 * 3600 + 38 * 60
"""Seconds after START (08:00 local of 2026-11-24) of sunset and of the next sunrise in Chengdu."""


def meter(**given: float) -> Stream:
    """Return a stream of one meter that rolls over at 1 000, 10 a minute at most."""
    total = counter("total", "m³", text("累计", "Total"), rolls_over_at=1000, rate_per_min=10)
    flow = Rate(name="flow", of="total", per_s=3600, unit="m³/h", title=text("流量", "Flow"))
    high = ThresholdRule(
        name="high",
        title=text("高", "High"),
        metric="flow",
        op=">=",
        thresholds=levels(yellow=300),
        decimals=0,
        advice=text("查", "Look"),
    )
    return Stream(
        name="meter",
        domain="water",
        title=text("水表", "Meter"),
        cadence_s=60,
        lateness_s=600,
        metrics=(total,),
        rates=(flow,),
        rules=(high,),
        placement=Placement(),
        headline="flow",
    )


def rates(*rows: tuple[float, float | None]) -> list[float | None]:
    """Return the flow of each minute; reference and engine must agree on it."""
    end = int(max(at for at, _ in rows))
    log = [*readings("m", "total", *rows), *ticks(end + 1, end + 130)]
    wanted, found = both(meter(), log)
    assert found["windows"] == wanted["windows"]
    shown = {key[2]: row["flow_last"] for key, row in sorted(found["windows"].items())}
    return [None if x is None or np.isnan(x) else round(x, 6) for x in shown.values()]


def test_a_counter_makes_a_rate_of_its_increase() -> None:
    assert rates((0, 100), (60, 101), (120, 103)) == [None, 60, 120]


def test_a_gap_makes_the_mean_rate_over_it_and_loses_nothing() -> None:
    assert rates((0, 100), (60, 101), (3660, 121)) == [None, 60, 20]


def test_a_counter_that_rolls_over_goes_on() -> None:
    """998 to 3 is 5 m³ in a minute, and nothing to doubt."""
    assert rates((0, 993), (60, 998), (120, 3)) == [None, 300, 300]
    assert doubts(meter(), "meter.high", readings("m", "total", (0, 993), (60, 998), (120, 3))) == [
        ("raised", 3, "")
    ]


def test_a_counter_set_back_to_zero_has_risen_by_what_it_shows() -> None:
    """From 500 to 4 no way round is short enough: it was reset, and 4 m³ have gone since."""
    assert rates((0, 499), (60, 500), (120, 4), (180, 5)) == [None, 60, 240, 60]
    assert flags(meter(), readings("m", "total", (0, 499), (60, 500), (120, 4))) == []


def test_a_fall_that_nothing_explains_is_doubted_and_makes_no_rate() -> None:
    """From 500 to 420: another meter was put in, or the reading is wrong."""
    assert rates((0, 499), (60, 500), (120, 420), (180, 421)) == [None, 60, None, 60]
    log = readings("m", "total", (0, 499), (60, 500), (120, 420))
    assert flags(meter(), log) == [(120, "total", "rate", 3)]


def test_a_late_value_of_a_counter_makes_no_rate_and_takes_none_away() -> None:
    assert rates((0, 100), (120, 104), (60, 101), (180, 105)) == [None, None, 120, 60]


def test_an_alert_upon_a_rise_too_fast_to_be_true_is_unconfirmed() -> None:
    log = readings("m", "total", (0, 100), (60, 101), (120, 500), (180, 506))
    assert doubts(meter(), "meter.high", log) == [("raised", 3, "rate"), ("confirmed", 3, "")]


# booleans and states


def test_an_open_cover_raises_at_its_first_reading_and_clears_when_closed() -> None:
    log = readings("cover-510104-01", "opened", (0, 0), (60, 1), (120, 1), (180, 0))
    assert tell("cover", "cover.open", log) == [("raised", 2, 60), ("cleared", 2, 180)]


@pytest.mark.parametrize("value", [0.5, 2, -1, 1e300])
def test_what_is_neither_true_nor_false_is_no_reading(value: float) -> None:
    log = readings("cover-510104-01", "opened", (0, value))
    assert flags("cover", log) == [(0, "opened", "gross", 4)]
    assert tell("cover", "cover.open", log) == []


def test_a_state_is_compared_by_name() -> None:
    """Automatic, by hand, failed: only the last one for ten minutes raises."""
    log = readings(LAMP, "control", (0, 1), (300, 2), (600, 3), (900, 3), (1200, 3), (1500, 1))
    log = [*log, *readings(LAMP, "control", (1800, 1), (2100, 1))]
    assert tell("lamp_circuit", "lamp_circuit.control_fault", log) == [
        ("raised", 4, 1200),
        ("cleared", 4, 2100),
    ]


@pytest.mark.parametrize("value", [0, 4, 1.5])
def test_a_number_that_stands_for_no_state_fails(value: float) -> None:
    log = readings(LAMP, "control", (0, value))
    assert flags("lamp_circuit", log) == [(0, "control", "gross", 4)]


# sun and schedule


def test_lamps_must_burn_after_dusk_and_need_not_after_dawn() -> None:
    """Civil twilight ends 26 min after sunset and begins 26 min before sunrise."""
    night = range(DUSK - 3600, DAWN + 3600, 300)
    log = readings(LAMP, "lit_pct", *((at, 50.0) for at in night))
    told = tell("lamp_circuit", "lamp_circuit.dark", log)
    assert [(kind, severity) for kind, severity, _ in told] == [("raised", 3), ("cleared", 3)]
    raised, cleared = (at for _, _, at in told)
    assert abs(raised - (DUSK + 26 * 60 + 900)) <= 300
    assert abs(cleared - (DAWN - 26 * 60 + 900)) <= 300


def test_lamps_that_burn_by_night_are_no_alert() -> None:
    log = readings(LAMP, "lit_pct", *((at, 99.0) for at in range(DUSK, DAWN, 300)))
    assert tell("lamp_circuit", "lamp_circuit.dark", log) == []


@pytest.mark.parametrize(
    ("moment", "degrees"),
    [
        ("2026-06-21T05:03:00Z", 82.8),  # 90 - 30.66 + 23.44 at true noon of the solstice
        ("2026-12-22T05:03:00Z", 35.9),
        ("2026-03-20T05:11:00Z", 59.3),
    ],
)
def test_the_sun_at_noon_stands_where_geometry_puts_it(moment: str, degrees: float) -> None:
    at = np.array([int(datetime.fromisoformat(moment).timestamp() * US)], np.int64)
    assert elevation(at, *site().centre)[0] == pytest.approx(degrees, abs=0.15)


def test_the_sun_rises_and_sets_when_the_almanac_says() -> None:
    """Chengdu, 24 November 2026: sunrise 07:36, sunset 18:03 (to two minutes)."""
    at = np.arange(START - 3600, START + 12 * 3600, 10, dtype=np.int64) * US
    up = elevation(at, *site().centre) > -0.833
    edges = at[1:][np.diff(up)] // US - START
    assert [abs(edge - wanted) < 150 for edge, wanted in zip(edges, (-1440, DUSK), strict=True)]


CONDITIONS: tuple[Condition, ...] = (
    Schedule(hours=(22, 6)),
    Schedule(hours=(8, 24), days="working"),
    Schedule(days="free"),
    Schedule(months=(11, 2), hours=(0, 7)),
    Schedule(months=(4, 4)),
    Sun(below=-6),
    Sun(above=3),
)


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_engine_and_reference_agree_on_every_condition_all_year(condition: Condition) -> None:
    begin = int(datetime(2025, 12, 25, tzinfo=UTC).timestamp())
    at = np.arange(begin, begin + 380 * 86_400, 3 * 3600 - 7, dtype=np.int64) * US
    found = conditions.holds(condition, at, kinds_of)
    wanted = [plain.holds(condition, int(one), kind_of) for one in at]
    assert found.tolist() == wanted
    assert 0 < found.sum() < len(found)


def test_a_make_up_sunday_is_a_working_day() -> None:
    """10 October 2026 is a Saturday that is worked, 5 October a Monday that is not."""
    works = Schedule(days="working")
    for day, wanted in (((2026, 10, 10), True), ((2026, 10, 5), False)):
        at = int(datetime(*day, 4, tzinfo=UTC).timestamp()) * US
        assert conditions.holds(works, np.array([at], np.int64), kinds_of).tolist() == [wanted]


# what a declaration may not say


def test_a_declaration_without_meaning_is_refused() -> None:
    control = state("s", text("态", "State"), {"on": text("开", "on"), "off": text("关", "off")})
    total = counter("c", "m³", text("累", "Total"), rolls_over_at=10, rate_per_min=1)
    number = Metric(name="n", unit="m", title=text("数", "N"), fail_span=(0, 9), typical=(0, 1))

    def declare(metric: Metric, op: str, value: float, **more: object) -> Stream:
        rule = ThresholdRule(
            name="r",
            title=text("规", "Rule"),
            metric=metric.name,
            op=op,  # pyright: ignore[reportArgumentType]
            thresholds=levels(red=value),
            advice=text("查", "Look"),
            **more,  # pyright: ignore[reportArgumentType]
        )
        return Stream(
            name="x",
            domain="water",
            title=text("测", "X"),
            cadence_s=60,
            lateness_s=60,
            metrics=(metric,),
            rules=(rule,),
            placement=Placement(),
            headline=metric.name,
        )

    assert declare(control, "==", 2)
    for metric, op, value in ((control, ">=", 2), (control, "==", 3), (number, "==", 1)):
        with pytest.raises(ValueError, match=r"is compared by ==|is no value of"):
            declare(metric, op, value)
    with pytest.raises(ValueError, match="no deadband"):
        declare(control, "==", 2, deadband=1)
    with pytest.raises(ValueError, match="is no counter"):
        meter().model_validate(
            meter().model_dump() | {"metrics": [number.model_copy(update={"name": "total"})]}
        )
    assert declare(total, ">", 5)
    for wrong in ({"hours": (6, 6)}, {"hours": (-1, 3)}, {"months": (0, 3)}, {}):
        with pytest.raises(ValueError, match=r"hours|months|schedule"):
            Schedule.model_validate(wrong)
    with pytest.raises(ValueError, match="elevation"):
        Sun()
