"""Rows of injected faults."""

from simulators.score import Score
from verify.truth.city import row


def test_a_row_adds_up_streams() -> None:
    told = row("spike", Score("spike", 3, 2, 4, 3, 1, [5.0]), Score("spike", 1, 1, 0, 0, 0, [9.0]))
    assert (told["made"], told["found"], told["flagged"], told["cannot be seen"]) == (4, 3, 4, 1)
    assert (told["recall"], told["precision"], told["delay s"]) == (0.75, 0.75, 7)
