"""Same seed and time, same readings: whatever the steps, restarts and scenarios to come."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.registry import stream, streams
from simulators.control import LiveState
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.fleet import US
from simulators.default import StreamSimulator
from simulators.faults import MANY_FAULTS
from simulators.live import LiveCity, Plan, begins
from simulators.physics import ponding, rivers

NOW = datetime(2026, 11, 24, tzinfo=UTC)
# across a Beijing midnight, so that integrated physics change their block
START = datetime(2026, 7, 14, 15, 50, tzinfo=UTC).timestamp()
SPAN_S = 1200
SECONDS = st.integers(1, SPAN_S - 1)


def whole(seed: int, name: str, cuts: list[int]) -> pa.Table:
    simulator, city = StreamSimulator(stream(name), seed), City(seed)
    edges = [START, *(START + c for c in sorted(set(cuts))), START + SPAN_S]
    parts = [simulator.readings(city, a, b) for a, b in pairwise(edges)]
    return pa.Table.from_batches(parts).combine_chunks()


@pytest.mark.parametrize("name", list(streams()))
def test_steps_change_nothing(name: str) -> None:
    once = whole(7, name, [])
    assert once.num_rows
    assert whole(7, name, [1, 2, 3, 599, 600, 601, 1100]).equals(once)


@settings(max_examples=15, deadline=None)
@given(st.lists(SECONDS, max_size=6), st.sampled_from(["waterlogging", "transformer", "noise"]))
def test_any_steps_change_nothing(cuts: list[int], name: str) -> None:
    assert whole(3, name, cuts).equals(whole(3, name, []))


def test_another_seed_is_another_city() -> None:
    one, two = whole(1, "noise", []), whole(2, "noise", [])
    assert not one.equals(two)


def test_faulty_live_city_started_again_makes_the_same_readings() -> None:
    plan = Plan(names=("noise", "feeder"), faults=MANY_FAULTS)
    first, again = LiveCity(plan, START), LiveCity(plan, START + 300)
    first.step(START + 300, NOW)
    first.waiting.clear()
    told = [live.step(START + 600, NOW) for live in (first, again)]
    one, two = ([t for t in labels if t.kind != "stuck"] for labels in told)
    assert one == two
    keys = [keys_of(first), keys_of(again)]
    assert keys[1] <= keys[0], "only what was held back before the start is missing"
    assert len(keys[1]) > 0.9 * len(keys[0])


def test_an_hour_made_up_at_once_is_the_hour_lived() -> None:
    plan = Plan(names=("noise", "feeder"), faults=MANY_FAULTS)
    lived, made_up = LiveCity(plan, START), LiveCity(plan, START)
    for second in range(60, 3601, 60):
        lived.step(START + second, NOW)
    made_up.catch_up(START + 3600)
    assert keys_of(made_up) == keys_of(lived)
    lag_s = [w.made_at.timestamp() - newest_of(w.batch) for w in made_up.waiting]
    assert -1 <= min(lag_s) <= max(lag_s) <= 600, "received when due, not all at the end"


@pytest.mark.parametrize(
    ("left_off", "seed", "expected"),
    [(None, 1, -3600), (-60.0, 1, -60), (-90_000.0, 1, -3600), (60.0, 1, 0), (-60.0, 2, -3600)],
)
def test_a_city_begins_where_it_left_off_or_with_its_history(
    left_off: float | None, seed: int, expected: float
) -> None:
    said = None
    if left_off is not None:
        said = LiveState(1, seed, 1.0, START + left_off, NOW, [])
    assert begins(Plan(history_s=3600.0), said, START) == START + expected
    assert begins(Plan(), said, START) == START


def newest_of(batch: pa.RecordBatch) -> float:
    return batch.column("observed_at").cast(pa.int64()).to_numpy().max() / US


def keys_of(live: LiveCity) -> set[tuple[object, ...]]:
    rows = [w.batch.to_pylist() for w in live.waiting]
    return {tuple(row.items()) for batch in rows for row in batch}


def test_a_scenario_leaves_the_past_alone() -> None:
    calm, start = City(1), START + 600
    events = [
        Event(id="a", name="rainstorm", start=start, duration_s=300),
        Event(id="b", name="heatwave", start=start, duration_s=300),
        Event(id="c", name="feeder_trip", start=start, duration_s=300, where="feeder-510104-01"),
    ]
    for name in streams():
        simulator = StreamSimulator(stream(name), 1)
        before = simulator.readings(calm, START, start)
        assert simulator.readings(calm.with_events(events), START, start).equals(before), name


def test_midnight_leaves_no_step() -> None:
    """Two blocks integrated from different warm-ups meet."""
    city, midnight = City(1), datetime(2026, 7, 14, 16, 0, tzinfo=UTC).timestamp()
    at = np.array([midnight - 1.0, midnight])
    gauges, ponds = city.fleet("river_level"), city.fleet("waterlogging")
    for sensor in range(len(gauges)):
        flow = rivers.flow(city, gauges, at, np.full(2, sensor))
        assert flow[1] == pytest.approx(flow[0], rel=5e-3)
    for sensor in range(0, len(ponds), 10):
        depth = ponding.depth(city, ponds, at, np.full(2, sensor))
        assert depth[1] == pytest.approx(depth[0], abs=2e-3)


def test_each_sensor_reports_once_a_cadence() -> None:
    fleet = City(5).fleet("traffic_link")
    rows = fleet.due(int(START * US), int((START + 600) * US))
    assert np.bincount(rows.index).tolist() == [10] * len(fleet)
    assert (np.diff(rows.at_us) >= 0).all()
