"""A short chaos run on every `make test`: kills, a takeover and lost commits, then the judge."""

from collections.abc import Iterator

import pytest

from verify.chaos.faults import fault
from verify.chaos.run import strike
from verify.chaos.stack import Stack, running_stack

SEED = 20261124
SMOKE = ("kill sink", "kill worker", "lose replies of commits", "freeze broker, kill gateway")


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running_stack(SEED) as made:
        yield made


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_faults_change_nothing_that_was_promised(stack: Stack) -> None:
    outcome = strike(stack, [fault(name) for name in SMOKE], SEED)
    print(outcome, stack.restarts)
    assert not outcome.wrong, "\n".join(outcome.wrong)
    assert stack.restarts.keys() >= {"sink", "worker", "gateway"}
    assert stack.to_database.lost > 0
    assert stack.judge.reader.expected({}).conflicts, "the traffic held no conflicting bodies"
