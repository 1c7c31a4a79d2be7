"""A start is waited for as long as something moves, and no longer."""

import itertools
from collections.abc import Callable, Hashable

import pytest

from deploy import wait
from deploy.errors import StartError
from deploy.progress_signs import of_processes
from deploy.status import Row
from deploy.wait import wait_while_moving


def counted(until: int) -> Callable[[], bool]:
    rounds = itertools.count()
    return lambda: next(rounds) >= until


def test_what_moves_is_waited_for_longer_than_it_may_stand_still() -> None:
    moves = itertools.count()
    signs: Callable[[], set[Hashable]] = lambda: {next(moves)}  # noqa: E731
    assert wait_while_moving(counted(30), signs, lambda: "all", still_s=0.05, every_s=0.01)


def test_what_only_repeats_itself_does_not_move() -> None:
    turns = itertools.cycle([set[Hashable]("a"), set[Hashable]("b"), set[Hashable]()])
    with pytest.raises(StartError, match="nothing has moved for 0 s: the sink"):
        wait_while_moving(
            counted(10**9), lambda: next(turns), lambda: "the sink", still_s=0.1, every_s=0.01
        )


def test_it_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wait, "SAY_EVERY_S", 0.05)
    wait_while_moving(counted(20), set, lambda: "Kafka answering", still_s=9, every_s=0.01)
    assert "cityops: waiting for Kafka answering" in capsys.readouterr().err


def row(lag: int | None = None, rows: int = 0, well: bool = False) -> Row:
    return Row("sink", well, "", {"lag": lag, "rows_total": rows})


@pytest.mark.parametrize(
    ("before", "after", "flows", "moved"),
    [
        (row(lag=1000), row(lag=400), True, True),
        (row(lag=400), row(lag=390), True, False),  # it swings
        (row(lag=400), row(lag=5000), True, False),
        (row(rows=1), row(rows=5000), False, True),
        (row(rows=1), row(rows=5000), True, False),  # data flows: more of it moves nothing
        (row(), row(well=True), True, True),
    ],
)
def test_what_is_movement(before: Row, after: Row, flows: bool, moved: bool) -> None:
    seen = of_processes([before], {}, flows)
    assert bool(of_processes([after], {}, flows) - seen) is moved
