"""Sudden falls: half of usual for three of four minutes, and what is no fall."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.detection import Detection, Fall, detections, problems
from engine.falls import evaluate

FALL = Fall(share=0.5, over=0.8, least=0.3)
T = FALL.back_min


def course(*last: float, usual: float = 0.9) -> np.ndarray:
    """Return two hours of a sensor at ``usual`` (never twice the same) that end in ``last``."""
    minutes = usual + 0.01 * np.sin(np.arange(T))
    minutes[T - len(last) :] = last
    return minutes[:, None]


@pytest.mark.parametrize(
    ("last", "fallen"),
    [
        ((0.2, 0.2, 0.2), True),
        ((0.2, 0.2, 0.9, 0.2), True),
        ((0.2, 0.2), False),
        ((0.2, 0.2, 0.2, 0.9, 0.9), False),
        ((0.45, 0.45, 0.45), True),
        ((0.47, 0.47, 0.47), False),
        ((0.2, np.nan, 0.2, 0.2), True),
        ((np.nan, np.nan, np.nan, np.nan), False),
        ((0.2, 0.21) * 30, True),  # an hour later it is not usual yet
    ],
)
def test_three_of_four_minutes_at_half_of_usual(last: Any, fallen: bool) -> None:
    assert evaluate(course(*last), FALL).fallen.tolist() == [fallen]


@pytest.mark.parametrize(
    ("last", "over"),
    [
        ((0.2, 0.9, 0.9, 0.9, 0.9), True),
        ((0.9, 0.9, 0.9, 0.7), False),
        ((0.2, 0.9, 0.9, 0.9), False),
        ((0.9, 0.9, np.nan, 0.9), False),
    ],
)
def test_it_is_over_when_the_last_four_are_near_usual(last: Any, over: bool) -> None:
    assert evaluate(course(*last), FALL).over.tolist() == [over]


def test_a_slow_rise_of_demand_is_no_fall() -> None:
    rush = np.linspace(0.98, 0.55, T)[:, None]
    assert not evaluate(rush, FALL).fallen[0]


@pytest.mark.parametrize(
    "minutes",
    [
        course(0.1, 0.1, 0.1, 0.1, usual=0.29),  # jammed before
        np.where(np.arange(T) < T - 39, np.nan, course(0.2, 0.2, 0.2)[:, 0])[:, None],  # just begun
        np.concatenate([course()[:-15], np.full((15, 1), 0.2)]),  # stuck
    ],
    ids=["jammed", "young", "stuck"],
)
def test_what_is_not_judged(minutes: np.ndarray) -> None:
    judged = evaluate(minutes, FALL)
    assert np.isnan(judged.usual[0]) and not judged.fallen[0] and not judged.over[0]


@given(
    st.lists(st.one_of(st.floats(0, 1.2), st.just(np.nan)), min_size=T, max_size=T),
    st.integers(0, 3),
)
def test_sensors_do_not_know_each_other(values: list[float], place: int) -> None:
    alone = evaluate(np.array(values)[:, None], FALL)
    beside = np.tile(course(0.2, 0.2, 0.2), (1, 4))
    beside[:, place] = values
    together = evaluate(beside, FALL)
    assert together.fallen[place] == alone.fallen[0] and together.over[place] == alone.over[0]
    assert not (alone.fallen[0] and alone.over[0])
    assert together.fallen.sum() == 3 + alone.fallen[0]


@pytest.mark.parametrize(
    "change",
    [{"share": 0.9}, {"hits": 5}, {"gap_min": 3}, {"known": 111}, {"share": 0}, {"back_min": 10}],
)
def test_a_fall_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fall.model_validate(FALL.model_dump() | change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stream": "noise"}, "no metric noise.speed_ratio"),
        ({"stream": "surface_water", "metric": "ph"}, "less than a reading a minute"),
        ({"record": "case2"}, "no record 'case2'"),
        ({"record": "task"}, "no record 'task' with a place"),
        ({"fields": {"category": "quake"}}, "'quake' is not one of the choices"),
        ({"passes": ("confirm", "x")}, "the platform has no move 'confirm'"),
        ({"passes": ("dismiss", "x")}, "dismiss has no reason 'x'"),
    ],
)
def test_a_wrong_detection_says_what_is_wrong(change: dict[str, Any], said: str) -> None:
    ours = detections()["speed_drop"]
    assert list(problems(ours)) == []
    assert any(said in found for found in problems(ours.model_copy(update=change)))
    assert isinstance(ours, Detection)
