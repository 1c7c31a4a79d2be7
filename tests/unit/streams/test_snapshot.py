"""A stored state outlives a changed declaration, or is refused with word of what to do."""

import msgspec
import pytest

from catalog.errors import FatalError
from catalog.model import Metric, Stream, ThresholdRule, levels, text
from catalog.registry import stream
from engine.partition import PartitionEngine
from engine.snapshot import Parts
from tests.property.logs import START, US, feed

POND = stream("waterlogging")
EXTRA = Metric(
    name="battery_v", unit="V", title=text("电池", "Battery"), fail_span=(0, 9), typical=(3, 4)
)
FIRST = ThresholdRule(
    name="damp",
    title=text("潮湿", "Damp"),
    metric="depth_m",
    op=">=",
    thresholds=levels(blue=0.05),
    advice=text("看", "Look"),
)


def depth(engine: PartitionEngine, second: int, x: float) -> list[tuple[str, str]]:
    out = feed(engine, (("p-1", (START + second) * US, {"depth_m": x}),))
    return [(t.rule.partition(".")[2], t.kind) for t in out.transitions]


def raised(declared: Stream = POND) -> Parts:
    """Return the state while ponding is raised."""
    engine = PartitionEngine(declared)
    depth(engine, 0, 0.16)
    assert ("ponding", "raised") in depth(engine, 30, 0.16)
    return engine.snapshot()


def changed(**fields: object) -> PartitionEngine:
    """Return an engine of the stream as it is declared after a change."""
    return PartitionEngine(POND.model_copy(update=fields))


def test_a_new_metric_and_a_new_rule_before_the_others_keep_what_is_open() -> None:
    engine = changed(metrics=(EXTRA, *POND.metrics), rules=(FIRST, *POND.rules))
    engine.restore(raised())
    assert depth(engine, 60, 0.16) == [("damp", "raised")]
    assert depth(engine, 180, 0.0) == [("damp", "cleared")]
    assert depth(engine, 480, 0.0) == [("ponding", "cleared")]


def test_a_rule_that_is_gone_takes_nothing_else_with_it() -> None:
    state = raised(POND.model_copy(update={"rules": (FIRST, *POND.rules)}))
    engine = changed()
    engine.restore(state)
    assert depth(engine, 330, 0.0) == []
    assert depth(engine, 630, 0.0) == [("ponding", "cleared")]


def test_another_lateness_is_refused_with_word_of_what_to_do() -> None:
    with pytest.raises(FatalError, match=r"window.*python -m streams forget --yes"):
        changed(lateness_s=3600).restore(raised())


def test_another_format_is_refused_with_word_of_what_to_do() -> None:
    head = {"format": 2, "names": [], "ticks": 0, "at": 0}
    parts = {"base": msgspec.msgpack.encode({"head": head, "labels": {}, "arrays": {}})}
    with pytest.raises(FatalError, match=r"format 2, not 5\. Run `python -m streams forget"):
        PartitionEngine(POND).restore(parts)


def test_the_changed_parts_laid_over_the_stored_ones_are_the_whole_state() -> None:
    engine, stored = PartitionEngine(POND), dict[str, bytes]()
    minutes = [0, 0.5, 1, 4, 3, 9, 2, 30, 31]
    for number, minute in enumerate(minutes):
        for sensor in range(number + 1):
            at = round((START + minute * 60) * US) + sensor
            feed(engine, ((f"p-{sensor}", at, {"depth_m": 0.01 * number}),))
        changed = engine.changes()
        assert number == 0 or len(changed) < 6
        stored |= changed
    other = PartitionEngine(POND)
    other.restore(stored)
    assert other.snapshot() == engine.snapshot()
    assert set(engine.changes()) == {"base"}


def test_a_quantity_that_is_new_in_a_running_window_begins_with_nothing() -> None:
    """So does one of a state stored when such a window held zeros."""
    engine = changed(metrics=(EXTRA, *POND.metrics))
    engine.restore(raised())
    feed(engine, (("p-1", (START + 40) * US, {"battery_v": 3.5, "depth_m": 0.16}),))
    out = feed(engine, (("p-1", (START + 70) * US, {"battery_v": 3.5, "depth_m": 0.16}),))
    (row,) = (w for w in out.windows if w.starts[0] == START * US)
    assert [row.statistics[name][0, 0] for name in ("sum", "min", "max", "last")] == [3.5] * 4
