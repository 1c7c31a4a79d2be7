"""What is done to three brokers: the leader dies, then a second one."""

import signal
import time

from catalog.topics import readings_topic
from verify.chaos.ledger import STREAMS
from verify.chaos.seen import Seen
from verify.chaos.stack import PREFIX, Stack

WITHOUT_LEADER_S = 15.0
TOO_FEW_S = 15.0
GRACE_S = 0.5


def kill_leader(stack: Stack, seen: Seen) -> None:
    """Two of three are left, which is enough: nobody outside notices more than a pause."""
    leader, begun = stack.own.leader(readings_topic(PREFIX, STREAMS[0])), time.monotonic()
    assert leader.child is not None
    leader.child.signal_group(signal.SIGKILL)
    time.sleep(WITHOUT_LEADER_S)
    ledger = stack.ledger
    seen.must("answers other than 202", ledger.others(begun), 0, 0)
    seen.must("202 without it", ledger.count(202, begun + GRACE_S))
    seen.note("longest wait for a 202, s", max(ledger.waits(begun), default=0.0))
    stack.own.start_broker()


def kill_two(stack: Stack, seen: Seen) -> None:
    """One is left, too few to keep anything safe: 503, and never 202, until they return."""
    ledger, victims = stack.ledger, stack.own.brokers[:2]
    for broker in victims:
        assert broker.child is not None
        broker.child.signal_group(signal.SIGKILL)
    killed = time.monotonic()
    time.sleep(TOO_FEW_S)
    seen.must("202 with one broker", ledger.count(202, killed + GRACE_S), 0, 0)
    seen.must("503 with one broker", ledger.count(503, killed))
    stack.own.start_broker()
