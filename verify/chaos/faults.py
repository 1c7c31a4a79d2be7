"""The faults: what each is called, which rows of the fault matrix it shows, what is done."""

from dataclasses import dataclass

from verify.chaos import cluster, code, facts, lost, network, outages, plans, processes
from verify.chaos.processes import BEYOND_SESSION_S
from verify.chaos.seen import Strike

RECOVERY_S = 30.0
DOWN_S = 60.0
BLOCKED_S = 120.0
"""Longer than every deadline of a client."""
FULL_S = 20.0


@dataclass(frozen=True)
class Fault:
    """One fault. ``recovery_s`` is how long the platform may take afterwards.

    A fault with ``disks`` needs the right to mount; one with three ``brokers``, and one after which
    the log is another (``new_log``), a platform of its own. The latter is judged by its rows.
    """

    name: str
    rows: tuple[int, ...]
    strike: Strike
    recovery_s: float = RECOVERY_S
    disks: bool = False
    brokers: int = 1
    new_log: bool = False


FAULTS = (
    Fault("kill gateway 10 times", (1,), processes.kill_gateway_often),
    Fault("kill sink at four points", (2,), processes.kill_sink_at_points),
    Fault("kill worker 10 times", (3,), processes.kill_worker_often),
    Fault("kill facts 10 times", (2,), facts.kill_facts_often),
    Fault("kill records as signs are told", (2,), plans.kill_records_at_sending),
    Fault("kill alerts", (2,), processes.kill("alerts")),
    Fault("bounce broker 5 times", (5,), outages.bounce_broker),
    Fault("freeze broker, kill gateway", (1, 6), outages.freeze_broker_and_kill_gateway),
    Fault("freeze broker 60 s", (6, 12), outages.freeze_broker(DOWN_S)),
    Fault("freeze gateway", (6,), processes.freeze("gateway", 6.0)),
    Fault(
        "freeze sink while another takes over",
        (7,),
        processes.freeze_while_another_takes_over("sink"),
    ),
    Fault("freeze worker", (7,), processes.freeze("worker", BEYOND_SESSION_S)),
    Fault(
        "freeze worker while another takes over",
        (7,),
        processes.freeze_while_another_takes_over("worker"),
    ),
    Fault("freeze alerts", (7,), processes.freeze("alerts", BEYOND_SESSION_S)),
    Fault("kill the leader of three brokers", (8,), cluster.kill_leader, brokers=3),
    Fault("kill two of three brokers", (8,), cluster.kill_two, brokers=3),
    Fault("kill the sink's backend in a batch", (9,), outages.kill_backends),
    Fault("kill database", (9,), outages.kill_database),
    Fault("cut the database's connections", (9,), network.cut),
    Fault("database down 60 s", (10,), outages.database_down(DOWN_S)),
    Fault("lose replies of commits", (11,), network.lose_commits),
    Fault(
        "let nothing pass to the database, 120 s", (12,), network.block(network.database, BLOCKED_S)
    ),
    Fault("let nothing pass to the broker, 120 s", (12,), network.block(network.broker, BLOCKED_S)),
    Fault("slow the database's connections", (13,), network.slow(network.database)),
    Fault("slow the broker's connections", (13,), network.slow(network.broker)),
    Fault("fill the database's disk", (15,), outages.fill_database_disk(FULL_S), disks=True),
    Fault("fill the broker's disk", (16,), outages.fill_broker_disk, disks=True),
    Fault("a rule raises on one reading", (22,), code.rule_fails),
    Fault("add and remove sink and worker every 5 s", (28,), processes.rebalance_storm),
    Fault("restart each process in turn", (29,), processes.roll),
    Fault("restore the database older", (33,), lost.restore_database),
    Fault("lose the log", (34,), lost.lose_log, new_log=True),
    Fault("restore the log older", (35,), lost.restore_log, new_log=True),
    Fault("restore log and database older", (36,), lost.restore_both, new_log=True),
)
"""What the traffic shows by itself: rows 18 to 21 (duplicates, conflicts, order, poison)."""

PARTS = (
    Fault("kill gateway", (1,), processes.kill("gateway")),
    Fault("kill sink", (2,), processes.kill("sink")),
    Fault("kill worker", (3,), processes.kill("worker")),
)
"""Small ones that a whole run has in others: for the smoke test and the controls."""


def fault(name: str) -> Fault:
    """Return a fault by name; ``KeyError`` when there is none."""
    return {f.name: f for f in (*FAULTS, *PARTS)}[name]
