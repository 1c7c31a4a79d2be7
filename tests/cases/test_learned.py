"""Golden cases of what a sensor shows of itself: its resolution, and the floor of its values.

Each story is told by the plain reference and by the engine, which must agree.
"""

import pytest

from catalog.registry import stream
from engine.partition import PartitionEngine
from tests.cases.story import flags, readings, tell
from tests.property.logs import Log, run_engine

HOUR, LANE = 3600, "speed_km_h"
RULE = ("traffic_flow", "traffic_flow.unusually_slow")


def lane(step: float, less: float, days: int = 6) -> Log:
    """Return hours of a lane, one step up and down, that is slower by ``less`` for the last two."""
    last = days * 24 - 2
    rows = [(n * HOUR, 50 + step * (n % 2) - less * (n >= last)) for n in range(last + 4)]
    return readings("lane", LANE, *rows)


@pytest.mark.parametrize(
    ("step", "less", "seen"),
    [(0.1, 3.0, ["raised"]), (2.0, 8.0, []), (2.0, 24.0, ["raised"])],
    ids=["a fine one", "within a few of its steps", "far beyond them"],
)
def test_no_spread_is_smaller_than_the_step_a_sensor_shows(
    step: float, less: float, seen: list[str]
) -> None:
    """Five days of 2 km/h up and down: a hundred changes show that step, and no spread is less.

    8 km/h less is -5.3 smoothed (a reading weighs 2 / 3), 2.7 steps; 24 less is 8 steps.
    """
    told = [kind for kind, *_ in tell(*RULE, lane(step, less))]
    assert told[:1] == seen


def shown(values: list[float]) -> int:
    """Return the step, in tenths, that hourly values of a lane show."""
    sent = readings("lane", LANE, *((n * HOUR, x) for n, x in enumerate(values)))
    engine = PartitionEngine(stream("traffic_flow"))
    run_engine(engine, sent)
    slot, place = engine.state.slots["lane"], 0
    return int(engine.state.arrays["u_step"][slot, place])


def test_a_step_is_the_greatest_common_divisor_of_a_hundred_changes() -> None:
    waves = [40 + 0.5 * (n * n % 7) for n in range(130)]
    assert shown(waves) == 5
    assert shown(waves[:90]) == 0, "too few changes to tell"
    assert shown([50.0] * 130) == 0, "what never changes shows no step"
    fine = [40 + 0.1 * (n * n % 7) for n in range(130)]
    assert shown(waves + fine) == 1, "another instrument is known by its own changes"


STATION = "air-quality-510104-01"


def nights(*rows: tuple[int, int, float]) -> list[int]:
    """Return the hours at which ozone is called stuck; (from, to, value) are its standstills."""
    at = {n: value for first, last, value in rows for n in range(first, last)}
    hours = max(at) + 2
    sent = readings(STATION, "o3", *((n * HOUR, at.get(n, 20.0 + n % 24)) for n in range(hours)))
    return [at // HOUR for at, *_, test, _ in flags("air_quality", sent) if test == "flat"]


def test_a_value_that_rests_at_its_floor_is_not_stuck() -> None:
    """Three nights of 13 h at the limit of detection make it the floor; there it may stay long."""
    seen = [(24 * day, 24 * day + 13, 2.0) for day in range(3)]
    assert nights(*seen, (80, 130, 2.0)) == nights(*seen)
    assert nights(*seen, (80, 130, 2.5)) != nights(*seen), "anywhere else it is stuck"
    assert nights(*seen[:2], (80, 130, 2.0)) != nights(*seen[:2]), "twice is not enough"
    lower = (76, 77, 1.0)
    assert nights(*seen, lower, (80, 130, 2.0)) != nights(*seen), "nor where it has been lower"
