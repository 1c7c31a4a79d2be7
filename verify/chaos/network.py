"""What is done to connections: replies lost, nothing passes, late and slow, cut."""

import time
from collections.abc import Callable

from deploy.wait import wait_until
from verify.chaos.proxy import Pace, Proxy
from verify.chaos.seen import Seen, Strike, p99
from verify.chaos.stack import Stack

WhichProxy = Callable[[Stack], Proxy]
LOST = 6
CUTS = 8
PACES = {
    "2 s ± 1 s": Pace(latency_s=2.0, jitter_s=1.0),
    "32 KB/s": Pace(bytes_per_s=32_000),
    "3-byte slices": Pace(slice_bytes=3),
}
PACE_S = 15.0
CALM_GENERATIONS = 4


def database(stack: Stack) -> Proxy:
    """The proxy before the database."""
    return stack.to_database


def broker(stack: Stack) -> Proxy:
    """The proxy before the broker."""
    assert stack.own.to_broker is not None
    return stack.own.to_broker


def lose_commits(stack: Stack, seen: Seen) -> None:
    """The database commits, and nobody is told."""
    lost = stack.to_database.lost + LOST
    stack.to_database.lose_replies(LOST)
    wait_until(lambda: stack.to_database.lost == lost, 30.0, f"{LOST} replies lost")
    seen.note("replies lost", LOST)


def block(which: WhichProxy, seconds: float) -> Strike:
    """Nothing passes and nothing is closed; every client must give its connections up by itself."""

    def strike(stack: Stack, seen: Seen) -> None:
        proxy, before = which(stack), dict(stack.restarts)
        links = proxy.block()
        time.sleep(seconds)
        proxy.unblock()
        seen.note("connections", len(links))
        seen.must("not given up by their clients", proxy.open_of(links), 0, 0)
        restarts = {n: c - before.get(n, 0) for n, c in stack.restarts.items()}
        seen.note("left for a restart", ", ".join(n for n, c in restarts.items() if c) or "none")

    return strike


def slow(which: WhichProxy) -> Strike:
    """Late, slow and cut into pieces, one after another."""

    def strike(stack: Stack, seen: Seen) -> None:
        proxy, before = which(stack), stack.own.generations()
        for name, pace in PACES.items():
            begun, proxy.pace = time.monotonic(), pace
            time.sleep(PACE_S)
            proxy.pace = Pace()
            waits = stack.ledger.waits(begun)
            seen.note(f"{name}: p99 of {len(waits)} waits for a 202, s", p99(waits))
        stack.await_rows()
        seen.must("generations of a group", stack.own.grown(before), 0, CALM_GENERATIONS)

    return strike


def cut(stack: Stack, seen: Seen) -> None:
    """Cut every connection to the database, again and again."""
    for _ in range(CUTS):
        stack.to_database.cut()
        time.sleep(0.7)
