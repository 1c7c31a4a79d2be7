"""Rows of plans: what was proposed and how it stands, commands, and what devices answered."""

from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from catalog.base import Text
from catalog.plan.model import Plan
from catalog.plan.registry import plans
from catalog.plan.steps import APPROVED, ENDING, ON_DEVICE

LONGEST = timedelta(hours=24)
"""No proposal lives longer: it lapses, is shown for ``show_s`` at most, and is taken down."""


class Advice(BaseModel):
    """What a plan proposed to one device, its step, and the command that it became."""

    id: int
    kind: str
    state: str
    plan: str
    cause: str
    device: str
    message: str
    priority: int
    state_since: datetime
    closed_at: datetime | None
    close_reason: str | None
    until: datetime | None
    measured: bool
    end_reason: str | None
    key: str | None
    sent_at: datetime | None

    @property
    def open(self) -> bool:
        """Tell whether it has not come to an end."""
        return self.closed_at is None

    @property
    def on_device(self) -> bool:
        """Tell whether its device was told to show it, and not to stop."""
        return self.state in ON_DEVICE


class Command(BaseModel):
    """One line to one device, known to it by ``key``."""

    key: str
    record: int
    kind: str
    device: str
    action: Literal["show", "blank"]
    of_key: str
    message: str
    expires_at: datetime
    attempts: int


class Said(BaseModel):
    """What a device answered last."""

    kind: str
    device: str
    status: Literal["ok", "failed", "away"]
    key: str
    message: str
    why: str
    asked_at: datetime
    seen_at: datetime | None


def advices(conn: Connection, now: datetime) -> list[Advice]:
    """Return what is open, and what has ended since anything could still matter."""
    kinds = sorted({plan.record for plan in plans().values()})
    values = {"kinds": kinds, "since": now - LONGEST, "ending": ENDING}
    with conn.cursor(row_factory=class_row(Advice)) as cursor:
        return cursor.execute(_ADVICES, values).fetchall()


_ADVICES = (
    "SELECT r.id, r.kind, r.state, r.fields ->> 'plan' AS plan, r.fields ->> 'cause' AS cause,"
    " r.fields ->> 'device' AS device, r.fields ->> 'message' AS message,"
    " (r.fields ->> 'priority')::int AS priority, r.state_since, r.closed_at, r.close_reason,"
    " (r.fields ->> 'until')::timestamptz AS until, r.fields ? 'after' AS measured,"
    " CASE WHEN r.state = %(ending)s THEN (SELECT l.reason FROM record_log l"
    " WHERE l.record = r.id AND l.move = 'end' ORDER BY l.version DESC LIMIT 1) END AS end_reason,"
    " c.key, c.sent_at"
    " FROM records r LEFT JOIN plan_commands c ON c.record = r.id AND c.action = 'show'"
    " WHERE r.kind = ANY(%(kinds)s) AND (r.closed_at IS NULL OR r.opened_at > %(since)s)"
    " ORDER BY r.id"
)


def make_show(conn: Connection, plan: Plan, advice: Advice, now: datetime) -> int:
    """Put the one command of an approval into the outbox; 0 when it lies there."""
    expires = advice.state_since + timedelta(seconds=plan.show_s)
    return conn.execute(
        "INSERT INTO plan_commands (key, record, kind, device, action, message, priority, made_at,"
        " expires_at, next_attempt_at) VALUES (%s, %s, %s, %s, 'show', %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [
            *(f"{advice.kind}-{advice.id}/show", advice.id, plan.whom.device, advice.device),
            *(advice.message, advice.priority, now, expires, now),
        ],
    ).rowcount


def make_blanks(conn: Connection, now: datetime) -> int:
    """Put a command into the outbox for each text that must go; return how many are new.

    Also for one that lapsed while nobody knows whether its device has heard of it.
    """
    return conn.execute(
        "INSERT INTO plan_commands (key, record, kind, device, action, of_key, priority, made_at,"
        " expires_at, next_attempt_at)"
        " SELECT r.kind || '-' || r.id || '/blank', r.id, c.kind, c.device, 'blank', c.key,"
        " c.priority, %(now)s, greatest(c.expires_at, %(now)s), %(now)s"
        " FROM plan_commands c JOIN records r ON r.id = c.record"
        " WHERE c.action = 'show' AND (r.state = 'ending' OR r.state = 'lapsed' AND c.attempts > 0)"
        " AND c.made_at > %(since)s ON CONFLICT DO NOTHING",
        {"now": now, "since": now - LONGEST},
    ).rowcount


def drop_stale(conn: Connection, now: datetime, grace: timedelta) -> int:
    """Give up what must not be sent any more: expired, or not approved any more."""
    return conn.execute(
        "UPDATE plan_commands c SET dropped_at = %(now)s, why = CASE WHEN c.expires_at <= %(now)s"
        " THEN 'expired' ELSE 'the record is ' || r.state END FROM records r"
        " WHERE r.id = c.record AND c.sent_at IS NULL AND c.dropped_at IS NULL AND (c.action ="
        " 'show' AND (c.expires_at <= %(now)s OR r.state <> %(approved)s)"
        " OR c.action = 'blank' AND c.expires_at + %(grace)s <= %(now)s)",
        {"now": now, "approved": APPROVED, "grace": grace},
    ).rowcount


def claim(conn: Connection, now: datetime, lease: timedelta, most: int) -> list[Command]:
    """Take commands to be sent: counted before they are on the wire, and nobody else's till then.

    After a kill the attempt stands there, so that the device is asked before it is told again.
    """
    with conn.cursor(row_factory=class_row(Command)) as cursor:
        return cursor.execute(
            "UPDATE plan_commands c SET attempts = attempts + 1, next_attempt_at = %(next)s"
            " FROM (SELECT key FROM plan_commands WHERE sent_at IS NULL AND dropped_at IS NULL"
            " AND next_attempt_at <= %(now)s ORDER BY action DESC, priority DESC, made_at"
            " LIMIT %(most)s FOR UPDATE SKIP LOCKED) due WHERE c.key = due.key RETURNING c.*",
            {"now": now, "next": now + lease, "most": most},
        ).fetchall()


def mark(conn: Connection, key: str, values: dict[str, Any]) -> None:
    """Note what came of a command: ``sent_at``, ``dropped_at``, ``next_attempt_at``, ``why``."""
    columns = {"sent_at": None, "dropped_at": None, "next_attempt_at": None, "why": ""} | values
    conn.execute(
        "UPDATE plan_commands SET sent_at = coalesce(%(sent_at)s, sent_at),"
        " dropped_at = coalesce(%(dropped_at)s, dropped_at),"
        " next_attempt_at = coalesce(%(next_attempt_at)s, next_attempt_at), why = %(why)s"
        " WHERE key = %(key)s",
        columns | {"key": key},
    )


def said(conn: Connection) -> dict[tuple[str, str], Said]:
    """Return what each device answered last."""
    with conn.cursor(row_factory=class_row(Said)) as cursor:
        rows = cursor.execute("SELECT * FROM plan_devices").fetchall()
    return {(row.kind, row.device): row for row in rows}


def save_said(conn: Connection, answer: Said) -> None:
    """Keep what a device answered; one that is away keeps what it showed and when."""
    conn.execute(
        "INSERT INTO plan_devices (kind, device, status, key, message, why, asked_at, seen_at)"
        " VALUES (%(kind)s, %(device)s, %(status)s, %(key)s, %(message)s, %(why)s, %(asked_at)s,"
        " %(seen_at)s) ON CONFLICT (kind, device) DO UPDATE SET status = excluded.status,"
        " why = excluded.why, asked_at = excluded.asked_at,"
        " key = CASE WHEN excluded.status = 'away' THEN plan_devices.key ELSE excluded.key END,"
        " message = CASE WHEN excluded.status = 'away' THEN plan_devices.message"
        " ELSE excluded.message END,"
        " seen_at = coalesce(excluded.seen_at, plan_devices.seen_at)",
        answer.model_dump(),
    )


class Refusal(BaseModel):
    """Why a plan says nothing for a cause, at one device or (empty) at none."""

    plan: str
    cause: str
    device: str
    why_zh: str
    why_en: str
    since: datetime


def refuse(conn: Connection, plan: str, why: dict[tuple[str, str], Text], now: datetime) -> None:
    """Keep why a plan says nothing: (cause, device) → reason; what is not there holds no more."""
    causes, places = [c for c, _ in why], [d for _, d in why]
    conn.execute(
        "DELETE FROM plan_refusals WHERE plan = %s AND (cause, device) NOT IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[]))",
        [plan, causes, places],
    )
    conn.execute(
        "INSERT INTO plan_refusals (plan, cause, device, why_zh, why_en, since)"
        " SELECT %s, w.*, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) w"
        " ON CONFLICT (plan, cause, device) DO UPDATE SET why_zh = excluded.why_zh,"
        " why_en = excluded.why_en WHERE plan_refusals.why_en <> excluded.why_en",
        [
            *(plan, now, causes, places),
            *([w.zh for w in why.values()], [w.en for w in why.values()]),
        ],
    )


def refusals(conn: Connection) -> list[Refusal]:
    """Return why plans say nothing now, the newest first."""
    with conn.cursor(row_factory=class_row(Refusal)) as cursor:
        return cursor.execute("SELECT * FROM plan_refusals ORDER BY since DESC, cause").fetchall()
