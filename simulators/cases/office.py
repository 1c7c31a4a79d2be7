"""The simulated city's people at the real API: they report, file, dispatch, mend and check.

One round looks at the whole queue and takes what is due, at most so many calls a second. What a
department can mend in an hour is bounded by its crews: on a rainy day more comes than they can do,
cases wait and become overdue.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np

from catalog.errors import FatalError
from service.clock import Clock
from service.log import logger
from service.settings import Settings
from service.vitals import Vitals
from simulators.cases.policy import Case, Step, next_step
from simulators.cases.truth import CaseTruth, Line, What
from simulators.cases.world import MIX, PER_DAY, REST, Problem, problems
from simulators.core.calendar import hour
from simulators.core.city import City
from systems.urban.subclasses import DEPARTMENTS, SUBCLASSES

PAGE = 500
CALL_S = 15.0
SPARE = 1.35
"""A department's crews can mend so many times what a usual day brings."""
WORKING = (7, 22)
"""Local hours in which crews are out."""
SAVED_H = 2.0
"""Crews that had nothing to do for longer are not saved up."""
REFUSED = (400, 404, 409, 422)


@dataclass(slots=True)
class Crews:
    """What each department can still mend now."""

    per_h: dict[str, float] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)

    @classmethod
    def usual(cls) -> "Crews":
        """Return crews for the usual mix of cases and a little more, at least one an hour."""
        shares: dict[str, float] = dict.fromkeys(DEPARTMENTS, 0.0)
        for sub in SUBCLASSES:
            shares[sub.department] += MIX.get(sub.code, REST)
        a_day = {d: PER_DAY * shares[d] / sum(shares.values()) for d in DEPARTMENTS}
        per_h = {d: max(SPARE * n / (WORKING[1] - WORKING[0]), 1.0) for d, n in a_day.items()}
        return cls(per_h, dict.fromkeys(DEPARTMENTS, 1.0))

    def rest(self, seconds: float, at_s: float) -> None:
        """Let (simulated) time pass; by night nobody is out."""
        here = float(hour(np.array([at_s]))[0])
        if not WORKING[0] <= here < WORKING[1]:
            return
        for name, rate in self.per_h.items():
            saved = self.left[name] + rate * seconds / 3600
            self.left[name] = min(saved, max(1.0, SAVED_H * rate))

    def take(self, name: str) -> bool:
        """Send a crew of a department out; False when none is left."""
        if name not in self.left or self.left[name] < 1:
            return False
        self.left[name] -= 1
        return True


class Pace:
    """At most so many calls a second, evenly."""

    def __init__(self, clock: Clock, per_s: float, stop: threading.Event) -> None:
        self._clock, self._gap, self._stop = clock, 1 / per_s, stop
        self._next = clock.monotonic()

    def wait(self) -> bool:
        """Wait for the next call; False when it is time to stop."""
        now = self._clock.monotonic()
        self._next = max(self._next, now) + self._gap
        return not self._stop.wait(self._next - self._gap - now)


class Office:
    """Everybody who has to do with cases."""

    def __init__(
        self,
        city: City,
        centre: httpx.Client,
        department: httpx.Client,
        truth: CaseTruth,
        pace: Callable[[], bool],
        speed: float = 1.0,
    ) -> None:
        self._city, self._truth, self._pace, self._speed = city, truth, pace, speed
        self._clients = {"centre": centre, "department": department}
        self._crews = Crews.usual()
        self.done: Counter[str] = Counter()

    def report(self, after_s: float, until_s: float) -> None:
        """Report what has come up in (after, until], simulated epoch seconds; each thing once."""
        for problem in problems(self._city, after_s, until_s):
            if problem.key not in self._truth.keys and self._pace():
                self._report(problem)

    def work(self, passed_s: float, at_s: float) -> None:
        """Take every step that is due; ``passed_s`` simulated seconds since the last round."""
        self._crews.rest(passed_s, at_s)
        queue = list(self._queue())
        queue.sort(key=lambda pair: pair[0].since)
        for case, waited_s in queue:
            truth = self._truth.problem(case.id)
            reworked = case.id in self._truth.reworked
            step = next_step(case, truth, waited_s, self._city.seed, reworked=reworked)
            if step is None or (step.weighs and not self._crews.take(step.weighs)):
                continue
            if not self._pace():
                return
            self._take(case, step, at_s)

    def _report(self, problem: Problem) -> None:
        body = {"fields": problem.fields(), "key": problem.key, "if_near": "refuse"}
        answer = self._post("centre", "/records/case", body)
        if answer is None:
            return
        what: What = "reported" if answer else "refused"
        self.done[what] += 1
        line = Line(
            what=what,
            at=problem.at_s,
            case=answer.get("id", 0),
            key=problem.key,
            subclass=problem.subclass,
            exists=problem.exists,
            botched=problem.botched,
            misjudged=problem.misjudged,
        )
        self._truth.write(line)

    def _take(self, case: Case, step: Step, at_s: float) -> None:
        body = body_of(step, case.id, case.version)
        answer = self._post(step.who, f"/records/case/{case.id}/{step.move}", body)
        if not answer:
            return
        self.done[step.move] += 1
        if step.move == "ask_delay":
            self._grant(case, step)
        truth = self._truth.problem(case.id)
        if step.move == "rework":
            self._truth.write(Line(what="botched", at=at_s, case=case.id))
        elif step.move == "feed_back" and truth is not None:
            mended = not truth.botched or case.id in self._truth.reworked
            if mended:
                what: What = "mended" if truth.exists else "not_there"
                self._truth.write(Line(what=what, at=at_s, case=case.id))

    def _grant(self, case: Case, asked: Step) -> None:
        """Let the supervisor, who has the centre's key, grant more time: once, whatever happens."""
        body = {"args": dict(asked.args), "key": f"sim/{case.id}/grant"}
        if self._post("centre", f"/records/case/{case.id}/grant_delay", body):
            self.done["grant_delay"] += 1

    def _queue(self) -> Iterator[tuple[Case, float]]:
        """Yield every open case with how long (simulated) it has been in its state."""
        offset = 0
        while True:
            params = {"limit": PAGE, "offset": offset}
            answer = self._clients["centre"].get("/records/case", params=params)
            self._checked(answer)
            now = datetime.now(UTC)
            rows = answer.json()
            for row in rows:
                since = datetime.fromisoformat(row["state_since"])
                case = Case(row["id"], row["state"], row["version"], since, row["fields"])
                yield case, (now - since).total_seconds() * self._speed
            if len(rows) < PAGE:
                return
            offset += PAGE

    def _post(self, who: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer; empty where it was refused, None where nothing is known of it."""
        try:
            answer = self._clients[who].post(path, json=body)
        except httpx.TransportError as error:
            logger().warning("no answer to a case's step", path=path, reason=str(error)[:200])
            return None
        if answer.status_code in REFUSED:
            self.done["refused"] += 1
            logger().info("a case's step was refused", path=path, answer=answer.text[:200])
            return {}
        self._checked(answer)
        return answer.json()

    def _checked(self, answer: httpx.Response) -> None:
        if answer.status_code in (401, 403):
            raise FatalError(
                f"{answer.request.url.path} answers {answer.status_code}: the key needs the scope"
                " api:operator, a department's the duty urban.department"
                " (`python -m records grant NAME urban.department`)",
                code="cases_key",
                stage="receiving",
            )
        answer.raise_for_status()


def body_of(step: Step, case: int, version: int) -> dict[str, Any]:
    """Return what is posted for a step of a case: taken once, and only if nothing came between."""
    body: dict[str, Any] = {"args": dict(step.args), "note": step.note}
    body |= {"expected_version": version, "key": f"sim/{case}/{version}/{step.move}"}
    return body | ({"reason": step.reason} if step.reason else {})


@dataclass(frozen=True, slots=True)
class Plan:
    """How the people of the city behave."""

    seed: int = 1
    speed: float = 1.0
    """Simulated seconds a second."""
    per_s: float = 2.0
    """Calls of the API at most."""
    every_s: float = 5.0
    """Between two looks at the queue."""


def client_of(settings: Settings, key: str) -> httpx.Client:
    """Return a client of the console's API with a key."""
    bearer = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{settings.console}/api/v1", headers=bearer, timeout=CALL_S)


def run_cases(
    office: Office,
    plan: Plan,
    clock: Clock,
    stop: threading.Event,
    vitals: Vitals,
) -> None:
    """Work until ``stop``; a console that is away is waited out."""
    vitals.ready()
    begun, start_s = clock.monotonic(), clock.now().timestamp()
    last_s = start_s
    while not stop.wait(plan.every_s):
        now_s = start_s + (clock.monotonic() - begun) * plan.speed
        try:
            office.report(last_s, now_s)
            office.work(now_s - last_s, now_s)
        except httpx.HTTPError as error:
            logger().warning("the console is away", reason=str(error)[:200])
            vitals.trouble(f"waits for the console: {error}"[:200])
            continue
        last_s = now_s
        vitals.trouble("")
        vitals.detail(cases=dict(office.done))
