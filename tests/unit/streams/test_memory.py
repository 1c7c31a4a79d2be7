"""What is known of the usual stays small, however long the city runs."""

import pytest

from catalog.model import UnusualRule
from catalog.registry import stream, streams
from engine.state import State

MOST_BYTES = 600
"""Of each sensor and metric: 20 000 sensors with two metrics each take 24 MB in all."""
LEARNED = [n for n, s in streams().items() if any(isinstance(r, UnusualRule) for r in s.rules)]


@pytest.mark.parametrize("name", LEARNED)
def test_the_usual_takes_few_bytes_of_a_sensor_and_metric(name: str) -> None:
    state = State(stream(name), 0, lambda days: days * 0)
    metrics = len({r.metric for r in stream(name).rules if isinstance(r, UnusualRule)})
    held = sum(array.nbytes for key, array in state.arrays.items() if key.startswith("u_"))
    assert 0 < held / (len(state.arrays["u_beat"]) * metrics) <= MOST_BYTES
