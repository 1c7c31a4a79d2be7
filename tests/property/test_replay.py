"""Replay: however the log is cut, restarted, repeated or shuffled, the results are the same."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from catalog.model import Metric, Placement, Stream, Text
from catalog.registry import stream
from catalog.ticks import Tick
from engine.partition import PartitionEngine
from tests.property.draws import logs
from tests.property.logs import START, US, Frame, Record, Seen, feed, keep, run_engine
from verify.oracle.outputs import Row
from verify.oracle.reference import WindowKey

NAMES = ("noise", "waterlogging", "weather", "river_level", "air_quality", "traffic_link")
any_stream = st.sampled_from(NAMES).map(stream)

TITLE = Text(zh="试", en="test")
PLAIN = Stream(
    name="plain",
    domain="environment",
    title=TITLE,
    cadence_s=30,
    lateness_s=300,
    headline="x",
    metrics=(
        Metric(name="x", unit="1", title=TITLE, fail_span=(0, 100), typical=(10, 20)),
        Metric(name="y", unit="1", title=TITLE, fail_span=(0, 9), typical=(1, 2)),
    ),
    rules=(),
    placement=Placement(per_district=1),
)
"""A stream whose quality tests look at one reading alone, so that no order can matter."""


def newest(seen: Seen) -> dict[tuple[str, int], Row]:
    """Return the newest revision of each window, without its number."""
    best: dict[tuple[str, int], tuple[int, Row]] = {}
    for (_, sensor, start, revision), row in seen.windows.items():
        key = (sensor, start)
        if key not in best or best[key][0] < revision:
            best[key] = (revision, row)
    return {key: row for key, (_, row) in best.items()}


@given(data=st.data())
def test_a_restart_at_any_point_equals_never_stopping(data: st.DataObject) -> None:
    log = data.draw(logs(chosen := data.draw(any_stream)))
    cut = data.draw(st.integers(0, len(log)))
    whole = PartitionEngine(chosen)
    seen = run_engine(whole, log)
    first, second = PartitionEngine(chosen), PartitionEngine(chosen)
    parts = run_engine(first, log[:cut])
    second.restore(first.snapshot())
    for record in log[cut:]:
        keep(parts, chosen, feed(second, record))
    assert parts == seen
    assert second.snapshot() == whole.snapshot()


@given(data=st.data())
def test_a_prefix_worked_off_twice_puts_out_the_same_again(data: st.DataObject) -> None:
    log = data.draw(logs(chosen := data.draw(any_stream)))
    cut = data.draw(st.integers(0, len(log)))
    before = run_engine(PartitionEngine(chosen), log[:cut])
    again = run_engine(PartitionEngine(chosen), log)
    assert before.windows.items() <= again.windows.items()
    assert before.transitions.items() <= again.transitions.items()
    assert before.flags <= again.flags


@given(data=st.data())
def test_frames_cut_in_any_way_give_the_same_windows_flags_and_alerts(data: st.DataObject) -> None:
    # a reading from ahead counts by its place in the frame: such frames are not cut
    log = data.draw(logs(chosen := data.draw(any_stream), clocks=False))
    pieces: list[Record] = []
    for record in log:
        if not isinstance(record, tuple):
            pieces.append(record)
            continue
        cuts = sorted(data.draw(st.sets(st.integers(1, len(record)))) | {0, len(record)})
        pieces += [record[a:b] for a, b in pairwise(cuts)]
    whole = run_engine(PartitionEngine(chosen), log)
    cut = run_engine(PartitionEngine(chosen), pieces)
    assert newest(cut) == newest(whole)
    assert cut.flags == whole.flags
    assert cut.transitions == whole.transitions


@st.composite
def bursts(draw: st.DrawFn) -> Frame:
    """Draw distinct readings of two sensors, all within the lateness of each other."""
    keys = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, PLAIN.lateness_s))
    value = st.one_of(st.none(), st.integers(-64, 128 * 64).map(lambda x: x / 64))
    values = st.fixed_dictionaries({"x": value, "y": value})
    found = draw(st.dictionaries(keys, values, min_size=1, max_size=20))
    return tuple((name, (START + at) * US, v) for (name, at), v in found.items())


@given(data=st.data(), burst=bursts())
def test_copies_and_any_order_within_lateness_leave_the_aggregates(
    data: st.DataObject, burst: Frame
) -> None:
    copies = data.draw(st.lists(st.sampled_from(burst), max_size=10))
    shuffled = data.draw(st.permutations([*burst, *copies]))
    ends = [Tick(START + PLAIN.lateness_s + second) for second in (3600, 3601)]
    plain = run_engine(PartitionEngine(PLAIN), [burst, *ends])
    mixed = run_engine(PartitionEngine(PLAIN), [*((r,) for r in shuffled), *ends])
    assert newest(mixed) == newest(plain)
    assert mixed.flags == plain.flags
    assert (mixed.accepted, mixed.late) == (plain.accepted, 0) == (len(burst), 0)
    assert mixed.duplicates == len(copies)


@given(data=st.data())
def test_a_whole_log_sent_again_adds_late_flags_at_most(data: st.DataObject) -> None:
    chosen = data.draw(any_stream)
    log = [r for r in data.draw(logs(chosen, clocks=False)) if isinstance(r, tuple)]
    engine = PartitionEngine(chosen)
    once = run_engine(engine, log)
    windows: dict[WindowKey, Row] = {}
    twice = replace(once, windows=windows, flags=set(), accepted=0, duplicates=0, late=0)
    for record in log:
        keep(twice, chosen, feed(engine, record))
    assert (windows, twice.accepted) == ({}, 0)
    assert {test for _, _, _, _, test, _, _ in twice.flags} <= {"late"}
