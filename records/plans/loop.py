"""The one loop of all plans and detections: what holds, what follows, what is sent.

All state is in the database and each step is one transaction. A command is counted before it is on
the wire; after a kill its device is asked whether it has heard it before it is told again.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from psycopg import Connection
from pydantic import Field

from catalog.plan.model import Plan
from catalog.plan.registry import plans
from records.context import Context
from records.detections import SETTLE, detect
from records.loop import ACTOR
from records.plans import lifecycle, store, wire
from records.plans.causes import Cause, causes_of
from records.plans.devices import Fleet
from service.postgres import now_of
from service.reconnecting import keep_connected
from service.settings import Settings
from service.vitals import Vitals

TICK_S = 1.0
NAME = "plans"


class PlanSettings(Settings):
    """What the process of records is told beside what all are told."""

    devices: str = Field(
        default="", description="Where devices answer: KIND=http://…/{id},… (docs/plans.md)"
    )


def tick(conn: Connection, fleet: Fleet, now: Callable[[Connection], datetime] = now_of) -> int:
    """Take every step once; return how much was done.

    Proposed, approved, sent and read back is one round where nobody is asked.
    """
    context, at, known = Context(conn, ACTOR, "engine", now=now), now(conn), plans()
    live: dict[tuple[str, str], Cause] = {}
    every = store.advices(conn, at)  # read again only where something was done
    for plan in known.values():
        held = {a.cause for a in every if a.plan == plan.name and a.open}
        for cause in causes_of(conn, plan, at, held):
            live[plan.name, cause.id] = cause
    proposed = 0
    for plan in known.values():
        mine = [a for a in every if a.plan == plan.name]
        proposed += lifecycle.propose(context, plan, _of(plan, live), mine, at)
    every = store.advices(conn, at) if proposed else every
    followed = 0
    for plan in known.values():
        mine = [a for a in every if a.plan == plan.name and a.open]
        followed += lifecycle.follow(context, plan, _of(plan, live), mine, at)
    followed += sum(lifecycle.let_go(context, a) for a in every if a.open and a.plan not in known)
    every = store.advices(conn, at) if followed else every
    given = lifecycle.give(context, known, every, at) + store.make_blanks(conn, at)
    given += wire.send_due(context, fleet, every, known, live, at)
    every = store.advices(conn, at) if given else every
    return proposed + followed + given + wire.read_back(context, fleet, every, known, at)


def _of(plan: Plan, live: wire.LiveCauses) -> dict[str, Cause]:
    return {id: cause for (name, id), cause in live.items() if name == plan.name}


def run_plans(settings: PlanSettings, fleet: Fleet, vitals: Vitals, stop: threading.Event) -> None:
    """Run until ``stop``; a database that is away is waited out."""

    def work(conn: Connection) -> None:
        judged = 0
        while not stop.wait(TICK_S):
            if (minute := int(now_of(conn).timestamp() - SETTLE.total_seconds()) // 60) != judged:
                detect(Context(conn, ACTOR, "engine"), now_of(conn))
                judged = minute
            tick(conn, fleet)
            vitals.detail(plans_at=now_of(conn).isoformat(timespec="seconds"))
            vitals.trouble("", NAME)

    try:
        told = lambda said: vitals.trouble(said, NAME)  # noqa: E731
        keep_connected(settings.database(), NAME, work, stop, told)
    finally:
        fleet.close()
