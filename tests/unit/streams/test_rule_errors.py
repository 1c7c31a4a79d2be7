"""Rule code that raises on one reading (row 22): the others of its record are judged as ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from catalog.contracts import (
    DEAD_LETTER_TYPE,
    TRANSITION_TYPE,
    decode_dead_letter,
    decode_transition,
)
from catalog.frames import encode, frame_headers, readings_schema
from catalog.registry import stream
from catalog.topics import readings_topic
from engine import rules
from engine.outputs import Outputs
from engine.partition import PartitionEngine
from streams.desk import Desk

NOW = datetime(2026, 11, 24, tzinfo=UTC)
POND = stream("waterlogging")
FLOOD, MARK = 0.4, 0.41


def frame(at_s: int, **depths: float) -> pa.RecordBatch:
    columns: dict[str, list[Any]] = {
        "sensor": [*depths],
        "observed_at": [NOW + timedelta(seconds=at_s)] * len(depths),
        "depth_m": [*depths.values()],
    }
    return pa.RecordBatch.from_pydict(columns, schema=readings_schema(POND))


def raised(out: Outputs) -> list[str]:
    return [t.sensor for t in out.transitions if t.kind == "raised"]


def failing_on(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    """Make the look at limits raise when it meets a value."""
    levels = rules.levels

    def odd(*given: Any) -> np.ndarray:
        if (given[4] == value).any():
            raise ZeroDivisionError("a rule of ours")
        return levels(*given)

    monkeypatch.setattr(rules, "levels", odd)


def test_a_rule_that_raises_on_one_reading_still_judges_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_on(monkeypatch, MARK)
    engine = PartitionEngine(POND)
    engine.process(frame(0, a=FLOOD, odd=FLOOD, b=FLOOD), NOW)
    out = engine.process(frame(30, a=FLOOD, odd=MARK, b=FLOOD), NOW)
    assert raised(out) == ["a", "b"]
    assert [(f.what, f.sensor) for f in out.failures] == [("ponding", "odd")]
    assert "a rule of ours" in out.failures[0].error
    # the odd reading left its rule as it was: it has held since the first
    assert raised(engine.process(frame(60, odd=FLOOD), NOW)) == ["odd"]


def test_a_rule_that_raises_half_way_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, limit_of = PartitionEngine(POND), rules.limit_of

    def odd(state: Any, rule: Any, slot: int, at: int, severity: int) -> float | None:
        if state.names[slot] == "odd":
            raise ZeroDivisionError
        return limit_of(state, rule, slot, at, severity)

    engine.process(frame(0, a=FLOOD, odd=FLOOD, b=FLOOD), NOW)
    monkeypatch.setattr(rules, "limit_of", odd)
    out = engine.process(frame(30, a=FLOOD, odd=FLOOD, b=FLOOD), NOW)
    assert (raised(out), [f.sensor for f in out.failures]) == (["a", "b"], ["odd"])
    monkeypatch.undo()
    later = engine.process(frame(60, a=FLOOD, odd=FLOOD, b=FLOOD), NOW)
    assert raised(later) == ["odd"], "told once, when its rule can judge again"


@pytest.mark.parametrize("part", ["relations", "derived"])
def test_declared_functions_that_raise_are_missing_for_that_reading_only(part: str) -> None:
    declaring = stream("traffic_flow" if part == "derived" else "noise")
    declared = getattr(declaring, part)[0]
    name = declared.of[0]
    given = declared.by if part == "derived" else declared.broken

    def odd(columns: Any, *more: Any) -> Any:
        if (columns[name] == 42.0).any():
            raise ZeroDivisionError
        return given(columns, *more)

    field = "by" if part == "derived" else "broken"
    changed = (declared.model_copy(update={field: odd}), *getattr(declaring, part)[1:])
    engine = PartitionEngine(declaring.model_copy(update={part: changed}))
    plain = PartitionEngine(declaring)
    names = [*declaring.metric_names]
    columns: dict[str, list[Any]] = {
        "sensor": ["a", "odd", "b"],
        "observed_at": [NOW] * 3,
        **{n: [40.0, 42.0 if n == name else 40.0, 41.0] for n in names},
    }
    batch = pa.RecordBatch.from_pydict(columns, schema=readings_schema(declaring))
    out, wanted = engine.process(batch, NOW), plain.process(batch, NOW)
    assert [(f.what, f.sensor) for f in out.failures] == [(declared.name, "odd")]
    others = [flag for flag in wanted.flags if flag[1] != "odd"]
    assert [flag for flag in out.flags if flag[1] != "odd"] == others
    derived = [t.sensor for t in out.transitions]
    assert derived == [t.sensor for t in wanted.transitions if t.sensor != "odd"]
    assert out.accepted == 3


def test_the_dead_letter_names_rule_sensor_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_on(monkeypatch, MARK)
    desk, place = Desk("t"), (readings_topic("t", "waterlogging"), 0)
    desk.lay_out({place: 0}, {})
    headers = frame_headers(POND, "test", NOW + timedelta(seconds=30))
    desk.handle(place, 0, encode(frame(0, a=FLOOD, odd=MARK)), headers, NOW)
    desk.handle(place, 1, encode(frame(30, a=FLOOD, odd=MARK)), headers, NOW)
    letters = [decode_dead_letter(m.value) for m in desk.outbox if m.kind == DEAD_LETTER_TYPE]
    told = [decode_transition(m.value) for m in desk.outbox if m.kind == TRANSITION_TYPE]
    assert [(t.kind, t.sensor) for t in told] == [("raised", "a")]
    assert [(x.code, x.stage, x.id) for x in letters] == [
        ("rule_error", "processing", f"worker/{place[0]}/0/{n}/ponding") for n in (0, 1)
    ]
    assert letters[1].reason.startswith("ponding, odd at 2026-11-24T00:00:30+00:00: ZeroDivision")
    assert desk.benches[place].next_offset == 2
