"""Strike a running platform and judge what came of it."""

import random
import time
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from deploy.wait import wait_until
from verify.chaos import lost
from verify.chaos.backwards import moved_back
from verify.chaos.faults import Fault
from verify.chaos.seen import Figures, Seen
from verify.chaos.stack import FLOW_S, Stack
from verify.oracle.compare import Difference, compare
from verify.oracle.log import Expected, body
from verify.oracle.outputs import Row
from verify.oracle.rules import EPOCH

SETTLE_S = 120.0


@dataclass
class Outcome:
    """What one fault, or a run of them, led to."""

    faults: list[str]
    stored_s: list[float] = field(default_factory=list)
    judged_s: list[float] = field(default_factory=list)
    seen: list[Figures] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.wrong


def strike(stack: Stack, faults: list[Fault], seed: int, calm_s: float = 4.0) -> Outcome:
    """Do the faults one after another, settle, and judge all that was ever issued.

    Seconds are counted from the end of a fault until a reading accepted after it is a row
    (``stored_s``), and until the worker has stored a checkpoint (``judged_s``).
    """
    outcome = Outcome([fault.name for fault in faults])
    wait = random.Random(seed)
    stack.ledger.start()
    for fault in faults:
        time.sleep(wait.uniform(calm_s / 2, calm_s))
        outcome.seen.append(_struck(stack, fault, outcome))
        over, wall, known = time.monotonic(), time.time(), len(stack.ledger.accepted)
        wait_until(lambda known=known: stack.stored(known), FLOW_S, f"rows after {fault.name}")
        outcome.stored_s.append(time.monotonic() - over)
        wait_until(lambda wall=wall: stack.judged(wall), FLOW_S, f"checkpoint after {fault.name}")
        outcome.judged_s.append(time.monotonic() - over)
    time.sleep(calm_s)
    judged = lost.judge_rows if any(fault.new_log for fault in faults) else judge
    outcome.wrong += judged(stack) + _slow(outcome, faults)
    return outcome


def _struck(stack: Stack, fault: Fault, outcome: Outcome) -> Figures:
    """Do one fault; what was not as it must be meanwhile goes to the outcome."""
    seen = Seen()
    try:
        fault.strike(stack, seen)
    finally:
        outcome.wrong += [f"{fault.name}: {text}" for text in seen.wrong]
    return seen.figures


def _slow(outcome: Outcome, faults: list[Fault]) -> list[str]:
    """Return what took longer to come back than it may."""
    took = zip(faults, outcome.stored_s, outcome.judged_s, strict=True)
    return [
        f"{fault.name}: rows again after {rows:.1f} s, worker after {worker:.1f} s,"
        f" at most {fault.recovery_s:.0f} s"
        for fault, rows, worker in took
        if max(rows, worker) > fault.recovery_s
    ]


def judge(stack: Stack) -> list[str]:
    """Settle and return every hop that is wrong; empty when all promises are kept."""
    try:
        stack.settle(SETTLE_S)
    except TimeoutError as error:
        return [str(error)]
    hops, expected = stack.judge.compared()
    found = [*filter(None, hops), *promises(stack, expected)]
    with psycopg.connect(stack.dsn) as conn:
        back = moved_back(conn)
    wrong, stack.ledger.wrong = stack.ledger.wrong, []
    return [*map(str, found), *back, *wrong]


def promises(stack: Stack, expected: Expected) -> list[Difference]:
    """Compare the ledger with the log: accepted is in Kafka, refused is nowhere."""
    logged = {(key, body(values)) for key, values in expected.rows.items()} | expected.conflicts
    ledger = stack.ledger
    accepted = {_key(name, reading): 1 for name, reading in ledger.accepted}
    refused = {_key(name, reading) for name, reading in ledger.refused}
    issued = accepted.keys() | {_key(name, reading) for name, reading in ledger.beside}
    found = [
        compare(
            "gateway: accepted readings in Kafka", accepted, {k: 1 for k in accepted if k in logged}
        ),
        compare("gateway: refused readings in Kafka", {}, {k: 1 for k in refused if k in logged}),
        compare("gateway: readings nobody sent in Kafka", {}, dict.fromkeys(logged - issued, 1)),
    ]
    return [difference for difference in found if difference]


def _key(name: str, reading: Row) -> tuple[tuple[str, str, int], str]:
    values = {k: v for k, v in reading.items() if k not in ("sensor", "observed_at")}
    return (name, reading["sensor"], _micros(reading["observed_at"])), body(values)


def _micros(moment: str) -> int:
    return round((datetime.fromisoformat(moment) - EPOCH).total_seconds() * 1e6)
