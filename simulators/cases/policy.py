"""What those who work on cases do next: a pure function of the case, its truth and the time.

Nothing is kept between two looks, so a simulator that is started again goes on where it stopped,
and cases that others opened (alerts, citizens) are worked on like its own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import NormalDist
from typing import Literal

from catalog.lifecycle.calendar import Limit
from simulators.cases.world import Problem, unit_draw
from systems.urban.subclasses import BY_CODE, DEPARTMENTS

MINUTE_S = 60.0
WAITS_MIN = {
    "verify": (2, 8),
    "verified": (12, 50),
    "file": (3, 14),
    "dispatch": (3, 20),
    "receive": (4, 40),
    "check": (4, 15),
    "pass": (20, 90),
    "close": (3, 15),
}
"""Shortest and longest wait before each step, minutes."""
HANDLING_SHARE, HANDLING_SPREAD = 0.3, 0.7
"""Median of the time to mend as a share of its limit; log-normal, so that one in 25 is late."""
WORKDAY_H = 8.0
DELAY_SHARE, UNABLE_SHARE = 0.03, 0.01
ASKED_DAYS = 2.0


@dataclass(frozen=True, slots=True)
class Case:
    """A case as the queue shows it."""

    id: int
    state: str
    version: int
    since: datetime
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """A move to be taken, and by whom; ``weighs`` when it costs a department one of its crews."""

    move: str
    who: Literal["centre", "department"] = "centre"
    args: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    note: str = ""
    weighs: str = ""


def hours(limit: Limit) -> float:
    """Return a limit as hours of work."""
    per = {"working_days": WORKDAY_H, "natural_days": 24.0}
    return limit.amount * per.get(limit.unit, 1.0)


def next_step(
    case: Case, truth: Problem | None, waited_s: float, seed: int, *, reworked: bool = False
) -> Step | None:
    """Return the step that is due after ``waited_s`` (simulated) in its state; None for none yet.

    ``truth`` is None for a case of somebody else's: it exists and is mended at once. ``reworked``:
    it was sent back once, and mended since.
    """
    step = _wanted(case, truth, seed, reworked)
    if step is None or waited_s < _wait_s(case, step, seed):
        return None
    return step


def _wanted(case: Case, truth: Problem | None, seed: int, reworked: bool) -> Step | None:
    exists = truth is None or truth.exists
    match case.state:
        case "reported":
            return _accept(case, exists)
        case "verifying":
            return Step("verified", args={"exists": "exist" if exists else "not_exist"})
        case "filed":
            return Step("dispatch", args={"department": _department(case, truth)})
        case "dispatched":
            return Step("receive", "department")
        case "handling":
            return _handle(case, truth, seed)
        case "fed_back":
            return Step("check")
        case "checking":
            return _check(case, truth, seed, reworked)
        case "checked":
            return Step("close", reason="resolved")
        case _:
            return None


def _accept(case: Case, exists: bool) -> Step:
    if case.fields.get("exists") == "not_exist":
        return Step("reject", reason="not_found")
    asked = case.fields.get("source") in ("citizen", "hotline") and not case.fields.get("exists")
    if asked:
        return Step("verify")
    # what a collector saw is filed; that it is not there shows when somebody comes to mend it
    return Step("file")


def _department(case: Case, truth: Problem | None) -> str:
    right = BY_CODE[str(case.fields["subclass"])].department
    first = not case.fields.get("department")
    if truth is None or not truth.misjudged or not first:
        return right
    names = list(DEPARTMENTS)
    return names[(names.index(right) + 1) % len(names)]


def _handle(case: Case, truth: Problem | None, seed: int) -> Step:
    own = str(case.fields.get("department"))
    if own != BY_CODE[str(case.fields["subclass"])].department:
        return Step("return", "department", note="不属本单位职责（模拟）")
    if not case.fields.get("delay") and unit_draw(seed, "delay", case.id, 0) < DELAY_SHARE:
        return Step("ask_delay", "department", {"delay": ASKED_DAYS}, note="需采购材料（模拟）")
    done = "现场未发现问题（模拟）" if truth and not truth.exists else "已处置（模拟）"
    return Step("feed_back", "department", {"measures": done}, weighs=own)


def _check(case: Case, truth: Problem | None, seed: int, reworked: bool) -> Step:
    if unit_draw(seed, "unable", case.id, _moment(case)) < UNABLE_SHARE:
        return Step("unable", note="现场封闭（模拟）")
    if truth is not None and truth.botched and not reworked:
        return Step("rework", note="处置不到位（模拟）")
    return Step("pass")


def _moment(case: Case) -> int:
    """Return what tells this stay in a state from others of the case."""
    return int(case.since.timestamp() * 1000)


def _wait_s(case: Case, step: Step, seed: int) -> float:
    u = unit_draw(seed, step.move, case.id, _moment(case))
    if step.move == "feed_back":
        limit = hours(BY_CODE[str(case.fields["subclass"])].limit) * 3600
        if case.fields.get("delay"):
            limit += WORKDAY_H * 3600
        spread = HANDLING_SPREAD * NormalDist().inv_cdf(min(max(u, 1e-6), 1 - 1e-6))
        return HANDLING_SHARE * limit * math.exp(spread)
    low, high = WAITS_MIN.get(step.move, (5, 30))
    return (low + u * (high - low)) * MINUTE_S
