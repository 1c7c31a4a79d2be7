"""What is done to the servers: broker and database killed, frozen, away, out of disk."""

import os
import signal
import time
from contextlib import suppress

import psycopg

from deploy.memory import memory_mb
from deploy.process import Child
from deploy.wait import wait_until
from verify.chaos.disks import fill, free
from verify.chaos.seen import Seen, Strike
from verify.chaos.stack import Stack

BOUNCES = 5
AWAY_S = 14.0
"""Longer than the gateway waits for an acknowledgement, so that it says 503."""
GRACE_S = 0.5
"""An answer that was on its way when the fault began."""
FLAT_MB = 60.0
SEEN_WITHIN_S = 60.0
BACKENDS = 3
READINGS = "readings_noise"


def bounce_broker(stack: Stack, seen: Seen) -> None:
    """Kill the broker and start it again, five times; the last time it stays away for a while."""
    ledger, begun = stack.ledger, time.monotonic()
    for turn in range(BOUNCES):
        killed, known = time.monotonic(), len(ledger.accepted)
        _broker(stack).kill9()
        if turn == BOUNCES - 1:
            time.sleep(AWAY_S)
            seen.must("503 while away", ledger.count(503, killed))
        accepted = ledger.count(202, killed + GRACE_S)
        seen.must("202 while away", accepted, 0, 0)
        stack.own.start_broker()
        wait_until(lambda known=known: len(ledger.accepted) > known, 40.0, "a 202 again")
    seen.note("no answer", ledger.count(0, begun))


def freeze_broker(seconds: float) -> Strike:
    """Every connection to it stays open, and nothing answers."""

    def strike(stack: Stack, seen: Seen) -> None:
        ledger, before = stack.ledger, stack.own.generations()
        _broker(stack).signal_group(signal.SIGSTOP)
        frozen = time.monotonic()
        time.sleep(seconds)
        seen.must("503 meanwhile", ledger.count(503, frozen))
        seen.must("202 meanwhile", ledger.count(202, frozen + GRACE_S), 0, 0)
        _broker(stack).signal_group(signal.SIGCONT)
        stack.await_rows()
        seen.note("generations", stack.own.grown(before))

    return strike


def freeze_broker_and_kill_gateway(stack: Stack, seen: Seen) -> None:
    """What the gateway had not sent is gone with it; it must not have said 202 to any of that."""
    _broker(stack).signal_group(signal.SIGSTOP)
    time.sleep(3.0)
    stack.signal("gateway", signal.SIGKILL)
    _broker(stack).signal_group(signal.SIGCONT)


def kill_database(stack: Stack, seen: Seen) -> None:
    """Kill the whole database server, and start it again at once."""
    assert stack.own.database is not None
    stack.own.database.kill9()
    stack.own.start_database()


def database_down(seconds: float) -> Strike:
    """The gateway still takes readings; the sink says that it is unwell, and does not grow."""

    def strike(stack: Stack, seen: Seen) -> None:
        ledger, size = stack.ledger, memory_mb(stack.members["sink"].pid)
        assert stack.own.database is not None
        stack.own.database.kill9()
        down = time.monotonic()
        wait_until(lambda: not stack.healthy("sink"), SEEN_WITHIN_S, "the sink unwell")
        seen.note("seen after, s", time.monotonic() - down)
        time.sleep(max(0.0, down + seconds - time.monotonic()))
        seen.must("202 meanwhile", ledger.count(202, down))
        seen.must("5xx meanwhile", ledger.errors(down), 0, 0)
        grew = memory_mb(stack.members["sink"].pid) - size
        seen.must("sink's memory grew, MB", grew, -1e3, FLAT_MB)
        stack.own.start_database()

    return strike


def kill_backends(stack: Stack, seen: Seen) -> None:
    """Kill the sink's own backend while it writes a batch, held up by a lock for that."""
    begun = killed = time.monotonic()
    for _ in range(BACKENDS):
        # to kill one backend ends all sessions, this one too
        with suppress(psycopg.OperationalError), psycopg.connect(stack.dsn) as conn:
            conn.execute(f"LOCK TABLE {READINGS} IN EXCLUSIVE MODE".encode())
            backend = wait_until(lambda: _waiting(stack), 30.0, "the sink in a batch")
            killed = time.monotonic()
            os.kill(backend, signal.SIGKILL)
        stack.await_rows()
        seen.note("rows again at most, s", max(_seconds(seen), time.monotonic() - killed))
    retries = sum(stack.metrics("sink", "cityops_consumer_retries_total").values())
    seen.must("retries of the sink", retries)
    seen.must("5xx meanwhile", stack.ledger.errors(begun), 0, 0)


def fill_database_disk(seconds: float) -> Strike:
    """Nothing fits on the database's disk until it is freed."""

    def strike(stack: Stack, seen: Seen) -> None:
        disk, ledger, begun = stack.own.folder / "postgres", stack.ledger, time.monotonic()
        assert fill(disk), "the disk was full already"
        wait_until(lambda: not stack.healthy("sink"), SEEN_WITHIN_S, "the sink unwell")
        seen.note("seen after, s", time.monotonic() - begun)
        time.sleep(max(0.0, begun + seconds - time.monotonic()))
        seen.must("202 meanwhile", ledger.count(202, begun))
        free(disk)
        assert stack.own.database is not None
        if not stack.own.database.running():
            stack.own.start_database()

    return strike


def fill_broker_disk(stack: Stack, seen: Seen) -> None:
    """Nothing fits on the broker's disk until it is freed, and the broker is started again."""
    disk, begun = stack.own.folder / "kafka", time.monotonic()
    assert fill(disk), "the disk was full already"
    wait_until(lambda: stack.ledger.count(503, begun), SEEN_WITHIN_S, "a 503")
    seen.note("503 after, s", time.monotonic() - begun)
    free(disk)
    if not _broker(stack).running():
        stack.own.start_broker()


def _broker(stack: Stack) -> Child:
    assert stack.own.broker is not None
    return stack.own.broker


def _waiting(stack: Stack) -> int:
    """Return the sink's backend that waits for a lock; 0 when none does."""
    with psycopg.connect(stack.dsn) as conn:  # within a transaction the list would stay the same
        row = conn.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'cityops sink'"
            " AND wait_event_type = 'Lock' LIMIT 1"
        ).fetchone()
    return row[0] if row else 0


def _seconds(seen: Seen) -> float:
    return float(seen.figures.get("rows again at most, s", 0.0))
