"""What is done to a running platform. Each fault ends by itself; none touches the ledger."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.wait import wait_until
from tests.chaos.disks import fill, free
from tests.chaos.stack import Stack

BEYOND_SESSION_S = 13.0
"""Longer than the consumers' session of 10 s: the broker gives their partitions away."""

DATABASE_DOWN_S = 60.0
FULL_S = 12.0
BLOCKED_S = 40.0
"""Longer than every deadline of a client of the database."""
SLOW_S = 25.0
RECOVERY_S = 30.0


@dataclass(frozen=True)
class Fault:
    """One fault: a name, the rows of the fault matrix it shows, and what is done.

    ``recovery_s`` is how long the platform may take afterwards. A fault with ``disks`` needs the
    right to mount.
    """

    name: str
    rows: tuple[int, ...]
    strike: Callable[[Stack], None]
    recovery_s: float = RECOVERY_S
    disks: bool = False


def _kill(member: str) -> Callable[[Stack], None]:
    return lambda stack: stack.signal(member, signal.SIGKILL)


def _freeze(member: str, seconds: float) -> Callable[[Stack], None]:
    def strike(stack: Stack) -> None:
        stack.signal(member, signal.SIGSTOP)
        time.sleep(seconds)
        stack.signal(member, signal.SIGCONT)

    return strike


def _freeze_while_another_takes_over(member: str) -> Callable[[Stack], None]:
    """The frozen one wakes with a batch in its hands that another has stored meanwhile."""

    def strike(stack: Stack) -> None:
        stack.signal(member, signal.SIGSTOP)
        stack.add(f"{member}-2")
        time.sleep(BEYOND_SESSION_S)
        stack.signal(member, signal.SIGCONT)
        time.sleep(3.0)
        stack.remove(f"{member}-2")

    return strike


def _bounce_broker(stack: Stack) -> None:
    assert stack.own.broker is not None
    stack.own.broker.kill9()
    stack.own.start_broker()


def _freeze_broker_and_kill_gateway(stack: Stack) -> None:
    """What the gateway had not sent is gone with it; it must not have said 202 to any of that."""
    assert stack.own.broker is not None
    stack.own.broker.signal_group(signal.SIGSTOP)
    time.sleep(3.0)
    stack.signal("gateway", signal.SIGKILL)
    stack.own.broker.signal_group(signal.SIGCONT)


def _database_down(seconds: float) -> Callable[[Stack], None]:
    def strike(stack: Stack) -> None:
        assert stack.own.database is not None
        stack.own.database.kill9()
        time.sleep(seconds)
        stack.own.start_database()

    return strike


def _lose_commits(stack: Stack) -> None:
    stack.proxy.lose_replies(6)
    time.sleep(6.0)


def _scale(stack: Stack) -> None:
    for name in ("sink-2", "worker-2"):
        stack.add(name)
    time.sleep(8.0)
    stack.signal("sink-2", signal.SIGKILL)
    time.sleep(2.0)
    for name in ("sink-2", "worker-2"):
        stack.remove(name)


def _freeze_broker(seconds: float) -> Callable[[Stack], None]:
    """Every connection to it stays open, and nothing answers."""

    def strike(stack: Stack) -> None:
        assert stack.own.broker is not None
        stack.own.broker.signal_group(signal.SIGSTOP)
        time.sleep(seconds)
        stack.own.broker.signal_group(signal.SIGCONT)

    return strike


def _slow_database(stack: Stack) -> None:
    stack.proxy.slow(latency_s=0.5, bytes_per_s=32_000)
    time.sleep(SLOW_S)
    stack.proxy.slow(0.0, 0.0)


def _block_database(stack: Stack) -> None:
    stack.proxy.block()
    time.sleep(BLOCKED_S)
    stack.proxy.unblock()


def _cut_connections(stack: Stack) -> None:
    for _ in range(8):
        stack.proxy.cut()
        time.sleep(0.7)


def _fill_database_disk(stack: Stack) -> None:
    disk = stack.own.folder / "postgres"
    assert fill(disk), "the disk was full already"
    time.sleep(FULL_S)
    free(disk)
    assert stack.own.database is not None
    if not stack.own.database.running():
        stack.own.start_database()


def _fill_broker_disk(stack: Stack) -> None:
    disk = stack.own.folder / "kafka"
    assert fill(disk), "the disk was full already"
    time.sleep(FULL_S)
    free(disk)
    assert stack.own.broker is not None
    if not stack.own.broker.running():
        stack.own.start_broker()


def _roll(stack: Stack) -> None:
    """Ask each member in turn to end, and go on when its successor runs."""
    for name in list(stack.members):
        before = stack.members[name]
        stack.signal(name, signal.SIGTERM)
        wait_until(lambda name=name, old=before: stack.members[name] is not old, 30.0, name)
        time.sleep(3.0)


FAULTS = (
    Fault("kill gateway", (1,), _kill("gateway")),
    Fault("kill sink", (2,), _kill("sink")),
    Fault("kill worker", (3,), _kill("worker")),
    Fault("kill alerts", (2,), _kill("alerts")),
    Fault("bounce broker", (5,), _bounce_broker),
    Fault("freeze broker, kill gateway", (1, 6), _freeze_broker_and_kill_gateway),
    Fault("freeze sink while another takes over", (7,), _freeze_while_another_takes_over("sink")),
    Fault("freeze worker", (7,), _freeze("worker", BEYOND_SESSION_S)),
    Fault(
        "freeze worker while another takes over",
        (7,),
        _freeze_while_another_takes_over("worker"),
    ),
    Fault("freeze gateway", (6,), _freeze("gateway", 6.0)),
    Fault("freeze alerts", (7,), _freeze("alerts", BEYOND_SESSION_S)),
    Fault("kill database", (9,), _database_down(1.0)),
    Fault("database down 60 s", (10,), _database_down(DATABASE_DOWN_S)),
    Fault("lose replies of commits", (11,), _lose_commits),
    Fault("freeze broker 40 s", (6, 12), _freeze_broker(40.0)),
    Fault("let nothing pass to the database, 40 s", (12,), _block_database),
    Fault("slow the database's connections", (13,), _slow_database),
    Fault("cut the database's connections", (9,), _cut_connections),
    Fault("fill the database's disk", (15,), _fill_database_disk, disks=True),
    Fault("fill the broker's disk", (16,), _fill_broker_disk, disks=True),
    Fault("add and remove sink and worker", (28,), _scale),
    Fault("restart each process in turn", (29,), _roll),
)
"""What the traffic shows by itself: rows 18 to 21 (duplicates, conflicts, order, poison)."""


def fault(name: str) -> Fault:
    """Return a fault by name; ``KeyError`` when there is none."""
    return {f.name: f for f in FAULTS}[name]
