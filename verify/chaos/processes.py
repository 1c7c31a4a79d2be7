"""What is done to our own processes: killed, frozen, joined by others, restarted in turn."""

import json
import random
import signal
import time
from collections import Counter

from catalog.contracts import aggregates_schema, decode_batch, decode_transition
from catalog.registry import stream
from catalog.topics import aggregates_topic, transitions_topic
from deploy.wait import wait_until
from verify.chaos.crashes import NOTE, POINTS
from verify.chaos.ledger import STREAMS
from verify.chaos.seen import Seen, Strike
from verify.chaos.stack import PREFIX, Stack
from verify.topics import records

BEYOND_SESSION_S = 13.0
"""Longer than the consumers' session of 10 s: the broker gives their partitions away."""
TIMES = 10
BACK_S = 40.0
STORM_EVERY_S = 5.0
STORMS = 3


def kill(member: str) -> Strike:
    """Kill a member once."""
    return lambda stack, seen: stack.signal(member, signal.SIGKILL)


def kill_gateway_often(stack: Stack, seen: Seen) -> None:
    """Kill it each time a request is on its way."""
    ledger, begun = stack.ledger, time.monotonic()
    for _ in range(TIMES):
        ledger.await_request(BACK_S)
        stack.signal("gateway", signal.SIGKILL)
        known = len(ledger.accepted)
        wait_until(lambda known=known: len(ledger.accepted) > known, BACK_S, "a 202 again")
    seen.must("requests cut", ledger.count(0, begun))


def kill_worker_often(stack: Stack, seen: Seen) -> None:
    """Kill it in the middle of windows, each time after it has stored a checkpoint."""
    dice, before = random.Random(len(stack.ledger.accepted)), _put_out_again(stack)
    for _ in range(TIMES):
        started = time.time()
        wait_until(lambda since=started: stack.judged(since), BACK_S, "a checkpoint")
        time.sleep(dice.uniform(0.3, 2.0))
        stack.signal("worker", signal.SIGKILL)
    started = time.time()
    wait_until(lambda: stack.judged(started), BACK_S, "a checkpoint")
    seen.must("outputs put out again", _put_out_again(stack) - before)


def kill_sink_at_points(stack: Stack, seen: Seen) -> None:
    """Let the sink die at each marked point, and ask what another session saw of its batch."""
    note = stack.folder / "sink" / NOTE
    for point, wanted in POINTS.items():
        note.unlink(missing_ok=True)
        stack.next_start["sink"] = point
        stack.signal("sink", signal.SIGKILL)
        wait_until(note.exists, BACK_S, f"the sink's death {point}")
        told = json.loads(note.read_text())
        known = len(stack.ledger.accepted)
        wait_until(lambda known=known: stack.stored(known), BACK_S, "rows again")
        seen.note(point, told["batch"])
        if (told["point"], told["batch"]) != (point, wanted):
            seen.wrong.append(f"the sink died as {told}, not {wanted} its commit")


def freeze(member: str, seconds: float) -> Strike:
    """Stop a member without ending it, and let it go on."""

    def strike(stack: Stack, seen: Seen) -> None:
        stack.signal(member, signal.SIGSTOP)
        time.sleep(seconds)
        stack.signal(member, signal.SIGCONT)

    return strike


def freeze_while_another_takes_over(member: str) -> Strike:
    """The frozen one wakes with a batch in its hands that another has stored meanwhile."""

    def strike(stack: Stack, seen: Seen) -> None:
        stack.signal(member, signal.SIGSTOP)
        stack.add(f"{member}-2")
        time.sleep(BEYOND_SESSION_S)
        stack.signal(member, signal.SIGCONT)
        time.sleep(3.0)
        stack.remove(f"{member}-2")

    return strike


def rebalance_storm(stack: Stack, seen: Seen) -> None:
    """Add and remove a sink and a worker every few seconds, once by ``kill -9``."""
    before, others = stack.own.generations(), ("sink-2", "worker-2")
    for turn in range(STORMS):
        for name in others:
            stack.add(name)
        time.sleep(STORM_EVERY_S)
        if turn == 1:
            stack.signal("sink-2", signal.SIGKILL)
        for name in others:
            stack.remove(name)
        time.sleep(STORM_EVERY_S)
    seen.must("generations of a group", stack.own.grown(before), 1, 2 * 2 * STORMS)


def roll(stack: Stack, seen: Seen) -> None:
    """Ask each member in turn to end, and go on when its successor runs."""
    ledger, begun, again = stack.ledger, time.monotonic(), _put_out_again(stack)
    drain = (begun, begun)
    for name in list(stack.members):
        asked, before = time.monotonic(), stack.members[name]
        stack.signal(name, signal.SIGTERM)
        wait_until(lambda name=name, old=before: stack.members[name] is not old, 30.0, name)
        known = len(ledger.accepted)
        wait_until(lambda known=known: len(ledger.accepted) > known, BACK_S, "a 202 again")
        if name == "gateway":
            drain = (asked, time.monotonic())
        time.sleep(3.0)
    outside = ledger.errors(begun) - ledger.errors(*drain)
    seen.must("5xx outside the gateway's drain", outside, 0, 0)
    for name in ("sink", "alerts"):
        retries = sum(stack.metrics(name, "cityops_consumer_retries_total").values())
        seen.must(f"batches the new {name} repeated", retries, 0, 1)
    seen.note("outputs put out again", _put_out_again(stack) - again)


def _put_out_again(stack: Stack) -> int:
    """Return how many windows and transitions are on their topics a second time."""
    kafka, found = stack.own.kafka, Counter[object]()
    for name in STREAMS:
        schema = aggregates_schema(stream(name))
        for record in records(kafka, aggregates_topic(PREFIX, name)):
            batch = decode_batch(record.value, schema)
            keys = (batch.column(c).to_pylist() for c in ("sensor", "window_start", "revision"))
            found.update((name, *key) for key in zip(*keys, strict=True))
    for record in records(kafka, transitions_topic(PREFIX)):
        found[decode_transition(record.value).id] += 1
    return found.total() - len(found)
