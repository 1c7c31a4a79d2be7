"""Facts under kills: an account of every fen kept apart, and the process of facts ended ten times.

The traffic is the strike's own: uploads that come twice, late, corrected and taken out.
"""

import random
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg

from catalog.registry import facts
from catalog.topics import all_topics
from deploy.wait import wait_until
from service.kafka import ensure_topics
from verify.chaos.seen import Seen
from verify.chaos.stack import PREFIX, Stack
from verify.oracle.facts import fact_hops

NAME = "gantry_passage"
TIMES = 10
A_TIME = 60
BACK_S = 60.0


@dataclass
class Account:
    """What was accepted: of each fact the highest revision, in the order it was answered."""

    http: httpx.Client
    dice: random.Random
    now: datetime
    truth: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def send(self, turn: int) -> None:
        """Send new facts, some of them late; repeat some; correct or take out a few."""
        fresh = [self._passage(turn * A_TIME + n) for n in range(A_TIME)]
        known = list(self.truth.values())
        again = self.dice.sample(known, min(20, len(known)))
        others = [
            one
            | {"revision": one["revision"] + 1, "fee_fen": one["fee_fen"] // 2}
            | {"void": self.dice.random() < 0.3}
            for one in self.dice.sample(known, min(5, len(known)))
        ]
        for batch in (fresh, again, others):
            if batch:
                wait_until(lambda batch=batch: self._post(batch), BACK_S, "a 202 for facts")

    def fen(self) -> int:
        """Return what must have been earned."""
        return sum(one["fee_fen"] for one in self.truth.values() if not one["void"])

    def _passage(self, n: int) -> dict[str, Any]:
        late = timedelta(hours=self.dice.choice([0, 0, 0, 0, 1, 20, 60]))
        at = self.now - late - timedelta(seconds=self.dice.randrange(600))
        one = {"thing": f"gantry-{n % 12 + 1:02d}", "id": f"chaos-{n}", "at": at.isoformat()}
        one |= {"medium": "obu", "result": "ok", "fee_fen": 100 + n, "plate": "川A12345"}
        return one | {"revision": 1, "void": False}

    def _post(self, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = self.http.post(f"/v1/facts/{NAME}", json={"facts": batch})
        except httpx.TransportError:
            return False
        if answer.status_code == 202:
            for one in batch:
                self.truth[one["thing"], one["id"]] = one
        return answer.status_code == 202


def kill_facts_often(stack: Stack, seen: Seen) -> None:
    """Kill the process of facts while it stores and while it tells of minutes, then judge."""
    fact, kafka = facts()[NAME], stack.own.kafka
    ensure_topics(kafka, all_topics(PREFIX, (fact.stream,), (NAME,)))
    stack.add("facts")
    try:
        headers = {"Authorization": f"Bearer {stack.ledger.key}"}
        with httpx.Client(base_url=stack.ledger.gateway, headers=headers, timeout=12) as http:
            dice = random.Random(len(stack.ledger.accepted))
            account = Account(http, dice, datetime.now(UTC) - timedelta(minutes=2))
            for turn in range(TIMES):
                account.send(turn)
                wait_until(lambda: _begun(stack), BACK_S, "facts stored again")
                stack.signal("facts", signal.SIGKILL)
            account.send(TIMES)
        wait_until(lambda: _told(stack) == account.fen(), BACK_S, f"{account.fen()} fen told")
        seen.note("fen", account.fen())
        seen.wrong += [str(hop) for hop in fact_hops(kafka, stack.dsn, PREFIX, fact) if hop]
    finally:
        stack.remove("facts")


def _begun(stack: Stack) -> bool:
    """Tell whether this life of the process has stored anything."""
    return sum(stack.metrics("facts", "cityops_facts_total").values()) > 0


def _told(stack: Stack) -> int:
    """Return the fen of the windows that the sink has stored."""
    with psycopg.connect(stack.dsn) as conn:
        row = conn.execute("SELECT sum(fee_fen_sum)::bigint FROM aggregates_gantry").fetchone()
    return int(row[0] or 0) if row else 0
