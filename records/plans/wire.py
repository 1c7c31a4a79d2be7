"""Between the outbox and the devices: commands are sent once, and what is shown is read back."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter

from catalog.plan.device import devices
from catalog.plan.model import Plan
from catalog.plan.steps import APPROVED, DIFFERS, ENDING, SENT, SHOWN
from records.context import Context
from records.plans import store
from records.plans.causes import Cause
from records.plans.devices import Fleet, Heard
from records.plans.lifecycle import measured_near, step
from records.plans.store import Advice, Command, Said

LEASE = timedelta(seconds=10)
"""Longer than a device may take to answer: nobody else sends meanwhile."""
SLOWEST = timedelta(seconds=30)
GRACE = timedelta(minutes=5)
"""So long after its text has expired a device that does not answer is asked to blank it."""
MOST = 50
CLOSE_LOOK, LOOK = timedelta(seconds=5), timedelta(seconds=30)
"""How often a device is read back: one that shows something of ours, another."""
SILENT = timedelta(seconds=20)
LOST_AFTER = timedelta(seconds=60)
SENT_COUNT = Counter("cityops_plan_commands", "Commands by what came of them", ["action", "how"])

LiveCauses = Mapping[tuple[str, str], Cause]
"""What holds now, by plan and cause."""


def send_due(
    context: Context,
    fleet: Fleet,
    every: Iterable[Advice],
    plans: Mapping[str, Plan],
    live: LiveCauses,
    now: datetime,
) -> int:
    """Send what is due, and note what came of it."""
    store.drop_stale(context.conn, now, GRACE)
    mine = {advice.id: advice for advice in every}
    commands = store.claim(context.conn, now, LEASE, MOST)
    heard = fleet.each(lambda command: fleet.tell(command, now), commands)
    for command, how in zip(commands, heard, strict=True):
        advice = mine.get(command.record)
        SENT_COUNT.labels(command.action, how.how).inc()
        with context.conn.transaction():
            store.mark(context.conn, command.key, _mark(command, how, now))
            if advice is not None and command.action == "show" and advice.state == APPROVED:
                _shown(context, advice, command, how, plans, live)
    return len(commands)


def _mark(command: Command, how: Heard, now: datetime) -> dict[str, object]:
    if how.how == "done":
        return {"sent_at": now, "why": how.why}
    if how.how == "refused":
        return {"dropped_at": now, "why": how.why}
    wait = min(timedelta(seconds=2**command.attempts), SLOWEST)
    return {"next_attempt_at": now + wait, "why": how.why}


def _shown(
    context: Context,
    advice: Advice,
    command: Command,
    how: Heard,
    plans: Mapping[str, Plan],
    live: LiveCauses,
) -> None:
    if how.how == "refused":
        step(context, advice, "lapse", "refused", told=how.why)
    elif how.how == "done":
        effect, cause = plans[advice.plan].effect, live.get((advice.plan, advice.cause))
        before = measured_near(context.conn, effect, cause) if effect and cause else None
        given: dict[str, Any] = {} if before is None else {"before": before}
        step(context, advice, "send", until=command.expires_at.isoformat(), **given)


def read_back(
    context: Context,
    fleet: Fleet,
    every: Iterable[Advice],
    plans: Mapping[str, Plan],
    now: datetime,
) -> int:
    """Ask devices what they show, and move what was told to them by what they answer."""
    mine: dict[tuple[str, str], list[Advice]] = {}
    for advice in every:
        if advice.plan in plans and (advice.on_device or advice.state == ENDING):
            key = (plans[advice.plan].whom.device, advice.device)
            mine.setdefault(key, []).append(advice)
    before = store.said(context.conn)
    due = [k for k in _known(fleet) | mine.keys() if _due(before.get(k), mine.get(k, []), now)]
    answers = fleet.each(lambda key: fleet.ask(key[0], key[1], now), sorted(due))
    taken = 0
    for answer in answers:
        store.save_said(context.conn, answer)
        key = (answer.kind, answer.device)
        seen = answer.seen_at or (before[key].seen_at if key in before else None)
        for advice in mine.get(key, []):
            taken += _compare(context, advice, answer, seen, now)
    return taken


def _known(fleet: Fleet) -> set[tuple[str, str]]:
    return {(kind, id) for kind, those in devices().items() if fleet.has(kind) for id in those}


def _due(last: Said | None, mine: list[Advice], now: datetime) -> bool:
    """Tell whether a device is to be asked: at once after it was told something."""
    if last is None or any(
        a.state in (SENT, ENDING) and a.state_since >= last.asked_at for a in mine
    ):
        return True
    return now - last.asked_at >= (CLOSE_LOOK if mine else LOOK)


def _compare(
    context: Context, advice: Advice, answer: Said, seen: datetime | None, now: datetime
) -> int:
    away = answer.status == "away"
    if advice.state == ENDING:
        return _ended(context, advice, answer, now)
    ours = answer.key == advice.key
    if not away and ours and answer.message == advice.message and answer.status == "ok":
        return step(context, advice, "show", told="") if advice.state in (SENT, DIFFERS) else 0
    if away and (seen is None or now - seen < SILENT):
        return 0  # one answer that was lost is no deviation
    told = _told(answer)
    if advice.state in (SENT, SHOWN):
        # silence after sending is what the clock `verify` tells of
        return 0 if away and advice.state == SENT else step(context, advice, "differ", told=told)
    if not away and not ours and now - advice.state_since >= LOST_AFTER:
        return step(context, advice, "end", "lost")
    return 0


def _ended(context: Context, advice: Advice, answer: Said, now: datetime) -> int:
    reason = advice.end_reason or "expired"
    if answer.status != "away":
        return step(context, advice, "close", reason) if answer.key != advice.key else 0
    if advice.until is not None and max(advice.until, advice.state_since) + GRACE <= now:
        return step(context, advice, "close", reason, told="无应答，显示期限已过")
    return 0


def _told(answer: Said) -> str:
    if answer.status == "away":
        return f"无应答：{answer.why}"[:500]
    shown = answer.message.replace("\n", " ") or "（空白）"
    return f"{'设备故障；' if answer.status == 'failed' else ''}显示：{shown}"[:500]
