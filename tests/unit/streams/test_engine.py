"""The engine on small hand-made logs: each line of its semantics once."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from catalog.contracts import aggregates_schema
from catalog.registry import stream
from catalog.ticks import Tick
from engine.crowd import Crowds
from engine.partition import PartitionEngine
from engine.state import State
from tests.support.frames import START, noise_batch

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TICK = int(START.timestamp())
STATIONS = ("noise-510104-01", "noise-510104-02")


@pytest.fixture
def engine() -> PartitionEngine:
    return PartitionEngine(stream("noise"))


def run(engine: PartitionEngine, *rows: tuple[float, float], sensor: str = "n-1") -> Any:
    return engine.process(noise_batch([(sensor, at, level) for at, level in rows]), NOW)


def rows(out: Any) -> list[dict[str, Any]]:
    batch = out.aggregates_batch()
    return [] if batch is None else batch.to_pylist()


def windows(out: Any) -> list[tuple[int, int, float, float]]:
    batch = out.aggregates_batch()
    if batch is None:
        return []
    return [(r["revision"], r["n"], r["leq_db_sum"], r["leq_db_last"]) for r in batch.to_pylist()]


def test_a_window_is_put_out_when_the_next_begins(engine: PartitionEngine) -> None:
    assert windows(run(engine, (0, 50), (30, 52))) == []
    assert windows(run(engine, (60, 60))) == [(1, 2, 102.0, 52.0)]


def test_a_window_that_is_filled_from_the_past_is_put_out_once_nothing_more_comes(
    engine: PartitionEngine,
) -> None:
    run(engine, (0, 50))
    assert windows(engine.tick(Tick(TICK + 1000), NOW)) == []
    run(engine, (10, 52))
    assert windows(engine.tick(Tick(TICK + 1001), NOW)) == []
    assert windows(engine.tick(Tick(TICK + 1002), NOW)) == [(1, 2, 102.0, 52.0)]


def test_a_tick_ends_a_quiet_window_two_seconds_after_its_end(engine: PartitionEngine) -> None:
    run(engine, (0, 50))
    assert windows(engine.tick(Tick(TICK + 61), NOW)) == []
    assert windows(engine.tick(Tick(TICK + 62), NOW)) == [(1, 1, 50.0, 50.0)]
    assert windows(engine.tick(Tick(TICK + 63), NOW)) == []


def test_a_late_reading_makes_a_new_revision_but_no_newer_last(engine: PartitionEngine) -> None:
    run(engine, (0, 50), (50, 55))
    run(engine, (70, 60))
    assert windows(run(engine, (20, 40))) == [(2, 3, 145.0, 55.0)]


def test_a_copy_changes_nothing(engine: PartitionEngine) -> None:
    run(engine, (0, 50), (70, 60))
    out = run(engine, (0, 50), (0, 99), (70, 1))
    assert (out.duplicates, out.accepted, windows(out)) == (3, 0, [])


def test_beyond_lateness_is_flagged_and_counts_nowhere(engine: PartitionEngine) -> None:
    run(engine, (1000, 50))
    out = run(engine, (0, 50))
    assert (out.late, out.accepted, windows(out)) == (1, 0, [])
    assert [(f[3], f[4]) for f in out.flags] == [("*", "late")]


def test_a_value_outside_the_fail_span_is_flagged_and_not_good(engine: PartitionEngine) -> None:
    out = run(engine, (0, 200), (1, 50))
    assert [(f[3], f[4], f[5]) for f in out.flags] == [("leq_db", "gross", 4)]
    (row,) = rows(run(engine, (61, 50)))
    assert (row["n"], row["leq_db_n"], row["leq_db_good"], row["leq_db_sum"]) == (2, 2, 1, 50.0)
    assert (row["lmax_db_n"], row["lmax_db_sum"]) == (0, None)


def test_a_jump_is_a_spike_once_the_next_reading_shows_that_it_was_alone(
    engine: PartitionEngine,
) -> None:
    out = run(engine, (0, 50), (1, 90), (2, 50), (3, 50))
    assert [(f[2] // 1_000_000 - TICK, f[4], f[5], f[6]) for f in out.flags] == [
        (1, "jump", 3, 90.0),
        (1, "spike", 4, 90.0),
    ]
    (row,) = rows(run(engine, (61, 50)))
    assert (row["leq_db_n"], row["leq_db_good"], row["leq_db_used"]) == (4, 3, 3)
    assert row["leq_db_max"] == 50.0


def test_a_jump_that_stays_counts(engine: PartitionEngine) -> None:
    out = run(engine, (0, 50), (1, 90), (2, 91))
    assert [f[4] for f in out.flags] == ["jump"]
    (row,) = rows(run(engine, (61, 90)))
    assert (row["leq_db_good"], row["leq_db_max"]) == (3, 91.0)


def test_a_stuck_value_becomes_suspect_then_fails(engine: PartitionEngine) -> None:
    out = run(engine, *[(at, 50.0) for at in range(0, 1860, 60)])
    flat = [(f[2] // 1_000_000 - TICK, f[5]) for f in out.flags if f[4] == "flat"]
    assert flat[0] == (720, 3)  # 12 times after the first
    assert flat[-1] == (1800, 4)


def test_silence_is_counted_in_ticks_and_cleared_by_arrival(engine: PartitionEngine) -> None:
    run(engine, (0, 50), sensor=STATIONS[0])
    told = []
    for second in range(1, 152):
        run(engine, (second, 50), sensor=STATIONS[1])
        told += engine.tick(Tick(TICK + second), NOW).transitions
    assert {(t.kind, t.sensor, t.reason) for t in told if t.sensor == STATIONS[0]} == {
        ("raised", STATIONS[0], "nothing")
    }
    others = {(t.kind, t.reason) for t in told if t.sensor not in STATIONS[:2]}
    assert others == {("raised", "never")}, "whom the catalog places is missed from the start"
    assert engine.tick(Tick(TICK + 100), NOW).transitions == []
    out = run(engine, (200, 50), sensor=STATIONS[0])
    assert [t.kind for t in out.transitions] == ["cleared"]


def test_ponding_is_raised_after_for_escalates_and_clears_past_the_deadband() -> None:
    pond = stream("waterlogging")
    engine = PartitionEngine(pond)

    def depth(second: int, value: float) -> list[tuple[str, int]]:
        batch = noise_batch([("p", second, value)])
        batch = pa.RecordBatch.from_arrays(
            [batch.column(0), batch.column(1), batch.column(2)],
            names=["sensor", "observed_at", "depth_m"],
        )
        return [(t.kind, t.severity) for t in engine.process(batch, NOW).transitions]

    assert depth(0, 0.10) == []
    assert depth(60, 0.16) == []
    assert depth(120, 0.16) == [("raised", 4)]
    assert depth(180, 0.22) == []
    assert depth(240, 0.22) == [("changed", 3)]
    assert depth(300, 0.19) == []
    assert depth(360, 0.10) == []
    assert depth(600, 0.10) == []
    assert depth(660, 0.10) == [("cleared", 3)]


def test_snapshot_and_restore_change_nothing(engine: PartitionEngine) -> None:
    run(engine, (0, 50), (30, 52))
    other = PartitionEngine(stream("noise"))
    other.restore(engine.snapshot())
    assert windows(run(other, (60, 60))) == windows(run(engine, (60, 60))) != []
    assert other.snapshot() == engine.snapshot()


def test_the_batch_has_the_contract_schema(engine: PartitionEngine) -> None:
    run(engine, (0, 50))
    batch = run(engine, (60, 50)).aggregates_batch()
    assert batch is not None
    assert batch.schema.equals(aggregates_schema(stream("noise")))


def test_a_list_of_names_seen_before_still_means_its_own_sensors(engine: PartitionEngine) -> None:
    """Names are looked up once per list; lists that begin alike, or are cut out, are others."""
    lists = [("a", "bc"), ("ab", "c"), ("a", "bc"), ("abc",), ("bc", "a"), ("a",), ("a", "a")]
    for second, names in enumerate(lists * 2):
        at = second * 1000
        batch = noise_batch([("x", at, 40.0), *((n, at, 40.0 + ord(n[-1]) % 7) for n in names)])
        engine.process(batch.slice(1), NOW)
    state = engine.state
    placed = PartitionEngine(stream("noise")).state.names
    assert state.names == [*placed, "a", "bc", "ab", "c", "abc"]
    newest = {
        n: (state.arrays["newest"][slot] // 1_000_000 - TICK) // 1000
        for n, slot in state.slots.items()
        if n not in placed
    }
    assert newest == {"a": 13, "bc": 11, "ab": 8, "c": 8, "abc": 10}


@pytest.mark.parametrize(("sensors", "kept"), [(30_000, True), (100, False)])
def test_crowds_of_all_sensors_are_kept_and_no_more(sensors: int, kept: bool) -> None:
    crowds, state = Crowds(), State(stream("noise"))
    state.slots_of([f"s-{n}" for n in range(sensors)])
    lists = [
        pa.array([f"s-{(n + at // 500) % sensors}" for n in range(at, at + 500)])
        for at in range(0, 30_000, 500)
    ]
    found = [crowds.find(state, names) for names in lists]
    again = [crowds.find(state, names) for names in lists]
    assert all(a is b for a, b in zip(found, again, strict=True)) == kept
    assert crowds.find(state, lists[-1]) is again[-1] is not None


def test_a_new_sensor_takes_one_row_however_often_it_is_named() -> None:
    state = State(stream("noise"))
    before, placed = len(state.arrays["newest"]), state.names.copy()
    first = len(placed)
    assert state.slots_of(["a", "b", "a"] * 1000) == [first, first + 1, first] * 1000
    assert (state.names, len(state.arrays["newest"])) == ([*placed, "a", "b"], before)


def test_a_list_with_a_new_name_or_none_is_nobody_known() -> None:
    crowds, state = Crowds(), State(stream("noise"))
    state.slots_of(["a"])
    for names in ([], ["a", "b"], ["a", None], [None]):
        assert crowds.find(state, pa.array(names, pa.string())) is None, names
    assert not crowds.known


def test_crowds_are_looked_up_anew_after_a_restore(engine: PartitionEngine) -> None:
    run(engine, (0, 50), sensor="first")
    other = PartitionEngine(stream("noise"))
    run(other, (0, 50), sensor="second")
    run(other, (0, 50), sensor="third")
    other.restore(engine.snapshot())
    run(other, (1, 50), sensor="third")
    assert other.state.names[-2:] == ["first", "third"]
