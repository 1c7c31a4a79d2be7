"""Joint rules: what does not move together any more is seen, what always moved so is not."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.base import Floats
from catalog.site import zone
from forecasts.joint.explain import explain
from forecasts.joint.groups import Signal
from forecasts.joint.judge import RELEARN_H, Found, Group, Limits, walk
from forecasts.joint.model import LEARN_ROWS, residuals, train

DAYS, SIGNALS = 30, 7
HOURS = DAYS * 24
LIMITS = Limits(((4, 4.0),), 2.0)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def _zone(seed: int = 1) -> Floats:
    """Return a made-up water zone: signals that follow demand and a pump, with noise."""
    rng, hours = np.random.default_rng(seed), np.arange(HOURS)
    demand = (
        10
        + 4 * np.sin(hours / 24 * 2 * np.pi)
        + np.convolve(rng.normal(size=HOURS), [0.5] * 4)[:HOURS]
    )
    pump = (demand > np.median(demand)).astype(float)
    mix = rng.uniform(0.6, 1.4, (2, SIGNALS)) * rng.choice([-1, 1], (2, SIGNALS))
    return np.column_stack([demand, pump * 5]) @ mix + 0.3 * rng.normal(size=(HOURS, SIGNALS)) + 50


def _decoupled(values: Floats, begin: int, hours: int, signal: int = 3) -> Floats:
    """Return the same with one signal that replays what it was two and a half days before."""
    out = values.copy()
    out[begin : begin + hours, signal] = values[begin - 60 : begin - 60 + hours, signal]
    return out


def _spans(found: list[Found]) -> list[tuple[int, int | None]]:
    return [(one.raised, one.end) for one in found]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_signal_that_is_replayed_is_seen_and_nothing_else(seed: int) -> None:
    values = _zone(seed)
    assert walk(values, LIMITS)[1] == []
    begin = 20 * 24 + 5
    _, found = walk(_decoupled(values, begin, 40), LIMITS)
    assert found
    assert begin <= found[0].raised < begin + 24
    assert all(begin <= one.raised < begin + 40 for one in found)
    # every value of it lies where that signal has been before: no limit of its own would see it


def test_with_less_than_a_week_it_is_learning() -> None:
    values = _decoupled(_zone(), 100, 40)[: LEARN_ROWS - 1]
    spreads, found = walk(values, LIMITS)
    assert found == []
    assert np.isnan(spreads).all()
    assert train(values, np.ones(len(values), bool)) is None
    assert np.isfinite(walk(_zone()[: LEARN_ROWS + 1], LIMITS)[0][-1])


def test_a_history_that_is_shorter_than_what_is_looked_back_at_is_learned_from() -> None:
    values = np.vstack([np.full((40 * 24, SIGNALS), np.nan), _zone()[: 15 * 24]])
    group = Group(values, np.zeros(len(values), bool), LIMITS)
    (verdict,) = group.hour(len(values) - 1)
    assert np.isfinite(verdict.spreads)
    assert group.model is not None
    assert group.model.members.all()


def test_members_that_are_missing_break_nothing_and_hide_nothing() -> None:
    values = _decoupled(_zone(), begin := 20 * 24, 40)
    rng = np.random.default_rng(7)
    values[rng.random(values.shape) < 0.05] = np.nan
    values[15 * 24 : 16 * 24] = np.nan  # nothing of anybody
    values[12 * 24 :, 0] = np.nan  # one died for good
    spreads, found = walk(values, LIMITS)
    assert len(found) == 1
    assert begin <= found[0].raised < begin + 24
    assert np.isnan(spreads[15 * 24 : 16 * 24]).all(), "of an hour without values nothing is said"
    assert np.isfinite(spreads[16 * 24 :]).mean() > 0.99


def test_a_sensor_that_was_replaced_is_learned_within_a_week() -> None:
    values = _zone()
    begin = 15 * 24
    values[begin:, 4] += 25.0
    group = Group(values, np.zeros(HOURS, bool), LIMITS)
    moves = [(now, v.move, v.reason) for now in range(HOURS) for v in group.hour(now) if v.move]
    assert [(move, reason) for _, move, reason in moves] == [
        ("raised", ""),
        ("cleared", "relearned"),
    ]
    assert moves[0][0] - begin < 6
    assert moves[1][0] - moves[0][0] == RELEARN_H
    assert not group.alarmed.any(), "these hours are learned from"
    again = _decoupled(values, 26 * 24, 40)
    assert {one.raised // 24 for one in walk(again, LIMITS)[1]} >= {begin // 24, 26}, "and it sees"


def test_what_a_newer_model_finds_normal_is_withdrawn() -> None:
    values = _zone()
    group = Group(values, np.zeros(HOURS, bool), LIMITS)
    for now in range(16 * 24):
        group.hour(now)
    # an alert that rests on a model of another time: the residual it calls usual is far too small
    model = group.model
    assert model is not None
    low = replace(model, level=model.level - 3)
    group.model = low
    now = 16 * 24
    assert [v.move for v in group.hour(now)] == ["raised"]
    ends = [
        (v.move, v.reason) for n in range(now + 1, now + 8 * 24) for v in group.hour(n) if v.move
    ]
    assert ends[0] == ("withdrawn", "retrained")
    assert group.standing.severity == 0


def test_an_alert_of_which_nothing_more_is_heard_ends() -> None:
    values = _decoupled(_zone(), begin := 20 * 24, 200)
    values[begin + 20 :] = np.nan
    _, found = walk(values, LIMITS)
    assert len(found) == 1
    assert found[0].end is not None
    assert found[0].end - (begin + 20) == 23, "a day after the last hour that was heard"


def test_an_explanation_names_the_signal_since_when_and_days_alike() -> None:
    values = _decoupled(_decoupled(_zone(), 14 * 24, 24), begin := 26 * 24, 40)
    group = Group(values, np.zeros(HOURS, bool), LIMITS)
    seen = None
    for now in range(HOURS):
        for verdict in group.hour(now):
            if verdict.move == "raised" and now >= begin:
                seen = now
        if seen is not None:
            break
    assert seen is not None
    names = tuple(Signal("water_supply", f"s{n}", "pressure_mpa") for n in range(SIGNALS))
    body = explain(group, seen, BEGIN, names, zone())
    assert body["signals"][0]["sensor"] == "s3"
    worst = body["signals"][0]
    usually = _zone()[seen, 3]
    assert abs(worst["expected"] - usually) < abs(worst["value"] - usually)
    since = (datetime.fromisoformat(body["since"]) - BEGIN).total_seconds() / 3600
    assert begin - 3 <= since <= seen
    assert body["lasted_s"] == (seen + 1 - since) * 3600
    assert body["spreads"] >= LIMITS.least


def test_the_residual_is_zero_where_everything_fits() -> None:
    rng = np.random.default_rng(3)
    factor = rng.normal(size=(400, 2))
    values = factor @ rng.normal(size=(2, 6))
    model = train(values, np.ones(400, bool))
    assert model is not None
    assert np.abs(residuals(model, values)).max() < 0.5
