"""The course of what plans propose: opened, approved by itself, lapsed, ended, measured.

Each step is a move of the record through ``records.act``, taken by comparing what stands there with
what holds now, so that a kill or a long absence loses none.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from psycopg import Connection, sql

from catalog.base import Text, text
from catalog.places import distance_m
from catalog.plan.model import Effect, Plan
from catalog.plan.steps import ANSWERED, APPROVED, ENDING, PROPOSED, SENT
from catalog.registry import streams
from records.act import open_record
from records.attempt import attempt
from records.context import Context
from records.plans import store
from records.plans.causes import Cause
from records.plans.store import Advice
from records.plans.whom import message, targets
from storage.tables import last_table

Causes = Mapping[str, Cause]


def step(context: Context, advice: Advice, move: str, reason: str = "", **args: object) -> int:
    """Take a move; 0 when somebody was first."""
    return attempt(context, advice.kind, advice.id, move, args, reason=reason)


def propose(
    context: Context, plan: Plan, causes: Causes, mine: Iterable[Advice], now: datetime
) -> int:
    """Open what is not proposed yet; note why nothing is said where that is so."""
    quiet = now - timedelta(seconds=plan.show_s)
    taken = {(a.cause, a.device) for a in mine if a.open or _answered(a, quiet)}
    why: dict[tuple[str, str], Text] = {}
    made = 0
    for cause in causes.values():
        found = targets(plan, cause)
        if cause.unwell or not found:
            nobody = text("前方没有可用设备", f"no {plan.whom.device} stands before it")
            why[cause.id, ""] = cause.unwell or nobody
            continue
        for target in found:
            device = target.device
            if (cause.id, device.id) in taken:
                continue
            try:
                zh, en = message(plan, cause, target)
                made += _open(context, plan, cause, device.id, device.at, zh, en)
            except ValueError as error:
                said = str(error)[:300]
                why[cause.id, device.id] = text(f"无法显示：{said}", said)
    store.refuse(context.conn, plan.name, why, now)
    return made


def _answered(advice: Advice, quiet: datetime) -> bool:
    """Tell whether people have answered, or not cared, a short time ago."""
    ended = advice.closed_at is not None and advice.closed_at > quiet
    return ended and advice.close_reason in ANSWERED


def _open(
    context: Context,
    plan: Plan,
    cause: Cause,
    device: str,
    at: tuple[float, float],
    zh: str,
    en: str,
) -> int:
    fields = {
        "plan": plan.name,
        "device": device,
        "cause": cause.id,
        "message": zh,
        "message_en": en,
        "priority": plan.priority,
        "made_from": cause.made_from,
        "confidence": cause.confidence,
        "cause_at": cause.at.isoformat(),
        "lon": at[0],
        "lat": at[1],
    }
    open_record(context, plan.record, fields, links=[("about", cause.id)])
    return 1


def follow(
    context: Context, plan: Plan, causes: Causes, mine: Iterable[Advice], now: datetime
) -> int:
    """Take the steps that the cause and the time ask for."""
    taken = 0
    for advice in mine:
        cause = causes.get(advice.cause)
        if advice.state == PROPOSED:
            taken += _proposed(context, plan, advice, cause, now)
        elif advice.state == APPROVED:
            taken += _approved(context, plan, advice, cause, now)
        elif advice.on_device:
            if cause is None:
                taken += step(context, advice, "end", "cause_over")
            elif advice.until is not None and advice.until <= now:
                taken += step(context, advice, "end", "expired")
            elif plan.effect is not None and _to_be_measured(advice, plan.effect, now):
                taken += _measure(context, plan.effect, advice, cause)
    return taken


def _proposed(
    context: Context, plan: Plan, advice: Advice, cause: Cause | None, now: datetime
) -> int:
    if cause is None:
        return step(context, advice, "lapse", "cause_over")
    if cause.unwell:
        return step(context, advice, "lapse", "unwell", told=cause.unwell.zh)
    if now - advice.state_since >= timedelta(seconds=plan.answer_s):
        return step(context, advice, "lapse", "not_answered")
    return step(context, advice, "approve") if plan.mode == "auto" else 0


def _approved(
    context: Context, plan: Plan, advice: Advice, cause: Cause | None, now: datetime
) -> int:
    """Let go what must not be sent any more: a command is made for the rest by ``give``."""
    if plan.mode == "advise":
        return step(context, advice, "close", "advised")
    if cause is None:
        return step(context, advice, "lapse", "cause_over")
    if cause.unwell:
        return step(context, advice, "lapse", "unwell", told=cause.unwell.zh)
    if now - advice.state_since >= timedelta(seconds=plan.show_s):
        return step(context, advice, "lapse", "expired")
    return 0


def give(
    context: Context, plans: Mapping[str, Plan], every: Iterable[Advice], now: datetime
) -> int:
    """Make the command of what is first on each device; end what it takes the place of."""
    devices: dict[tuple[str, str], list[Advice]] = {}
    for advice in every:
        if advice.plan in plans and (advice.state == APPROVED or advice.on_device):
            kind = plans[advice.plan].whom.device
            devices.setdefault((kind, advice.device), []).append(advice)
    done = 0
    for those in devices.values():
        best = max(those, key=lambda a: (a.priority, a.on_device, -a.id))
        if best.state == APPROVED and plans[best.plan].mode != "advise":
            done += store.make_show(context.conn, plans[best.plan], best, now)
        elif best.on_device:
            others = [a for a in those if a is not best and a.on_device]
            done += sum(step(context, a, "end", "replaced") for a in others)
    return done


def let_go(context: Context, orphan: Advice) -> int:
    """End what a plan proposed that is declared no more."""
    if orphan.state in (PROPOSED, APPROVED):
        return step(context, orphan, "lapse", "cause_over")
    return step(context, orphan, "end", "cause_over") if orphan.on_device else 0


def measured_near(conn: Connection, effect: Effect, cause: Cause) -> float | None:
    """Return the metric's newest reading nearest to a cause; None without one near enough."""
    if effect.stream not in streams():
        return None
    query = sql.SQL(
        "SELECT s.lon, s.lat, l.{} FROM {} l"
        " JOIN sensors s ON (s.stream, s.sensor) = (%s, l.sensor)"
        " WHERE s.lon IS NOT NULL AND l.{} IS NOT NULL"
    ).format(
        sql.Identifier(effect.metric),
        sql.Identifier(last_table(effect.stream)),
        sql.Identifier(effect.metric),
    )
    here = (cause.lon, cause.lat)
    rows = conn.execute(query, [effect.stream]).fetchall()
    away = [(distance_m(here, (lon, lat)), value) for lon, lat, value in rows]
    return min(((d, v) for d, v in away if d <= effect.within_m), default=(0.0, None))[1]


def _to_be_measured(advice: Advice, effect: Effect, now: datetime) -> bool:
    if advice.measured or advice.sent_at is None or advice.state in (SENT, ENDING):
        return False
    return now - advice.sent_at >= timedelta(seconds=effect.after_s)


def _measure(context: Context, effect: Effect, advice: Advice, cause: Cause) -> int:
    value = measured_near(context.conn, effect, cause)
    return 0 if value is None else step(context, advice, "measure", after=value)
