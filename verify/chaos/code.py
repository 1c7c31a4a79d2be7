"""What our own code may do wrong: a rule that raises an error on one reading."""

import signal
import time
from datetime import UTC, datetime, timedelta

import psycopg

from catalog.topics import shard_of
from deploy.wait import wait_until
from verify.chaos.guards import MARK, rule_raises
from verify.chaos.ledger import Reading
from verify.chaos.seen import Seen
from verify.chaos.stack import Stack

STREAM = "waterlogging"
FLOOD_M = 0.4
ON_TIME_S = 10.0
"""An error of one reading holds up nobody longer than this."""
BACK_S = 40.0


def rule_fails(stack: Stack, seen: Seen) -> None:
    """A frame with a reading on which a rule fails, and one that must raise an alert."""
    _restart_worker(stack, rule_raises.__name__)
    number = len(stack.ledger.accepted)
    odd, other = _neighbours(f"rule-{number}")
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    stack.ledger.also(STREAM, [_pond(odd, at, 0.12), _pond(other, at, FLOOD_M)])
    at += timedelta(seconds=30)
    stack.ledger.also(STREAM, [_pond(odd, at, MARK), _pond(other, at, FLOOD_M)])
    sent = time.monotonic()
    raised = "SELECT count(*) FROM transitions WHERE sensor = %s AND kind = 'raised'"
    wait_until(lambda: _ask(stack, raised, other), BACK_S, "the neighbour's alert")
    seen.must("neighbour's alert after, s", time.monotonic() - sent, 0.0, ON_TIME_S)
    kept = f"SELECT count(*) FROM readings_{STREAM} WHERE sensor = %s AND depth_m = {MARK}"
    wait_until(lambda: _ask(stack, kept, odd), BACK_S, "the reading as a row")
    letters = "SELECT count(*) FROM dead_letters WHERE code = 'rule_error' AND reason LIKE %s"
    wait_until(lambda: _ask(stack, letters, f"%{odd}%"), BACK_S, "the dead letter")
    counted = stack.metrics("worker", "cityops_worker_dead_letters_total").get("rule_error", 0)
    seen.must("counted by the worker", counted)
    _restart_worker(stack, "")
    seen.must("letters rule_error", _ask(stack, letters, f"%{odd}%"), 1, 1)


def _restart_worker(stack: Stack, switch: str) -> None:
    stack.next_start["worker"] = switch
    started = time.time()
    stack.signal("worker", signal.SIGKILL)
    wait_until(lambda: "worker" not in stack.next_start, BACK_S, "the worker starts")
    wait_until(lambda: stack.judged(started), BACK_S, "a checkpoint")


def _pond(sensor: str, at: datetime, depth_m: float) -> Reading:
    return {"sensor": sensor, "observed_at": at.isoformat(), "depth_m": depth_m}


def _neighbours(stem: str) -> tuple[str, str]:
    """Return two sensors of one shard, so that their readings share a frame."""
    first, *more = (f"{stem}-{n}" for n in range(64))
    return first, next(name for name in more if shard_of(name) == shard_of(first))


def _ask(stack: Stack, query: str, value: str) -> int:
    with psycopg.connect(stack.dsn) as conn:
        row = conn.execute(query.encode(), [value]).fetchone()
    return row[0] if row else 0
