"""Drills: a scheduled exercise by the real way, which measures how fast people answer.

The database keeps a drill's messages in the exercise channel; see migration 0013.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row, dict_row
from pydantic import BaseModel, ConfigDict, Field

from alerts.delivery.outbox import Address, Letter, load_addresses, put
from alerts.delivery.receivers import Level
from alerts.event.events import Event, level_data
from alerts.event.fields import Moment, Words
from alerts.event.labels import severity_name
from alerts.routing.notify import Notifier
from alerts.wake import wake_screens
from catalog.errors import ConflictError, NotFoundError

LONGEST_MIN = 24 * 60
SLACK = timedelta(minutes=1)
"""A beginning that has just passed while the form was filled in is now."""


class DrillDraft(BaseModel):
    """A drill to be held: what is exercised, when, for how long, with whom."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200, examples=["下穿隧道积水演练"])
    instruction: Words
    severity: Level = 2
    receivers: list[str] = Field(
        default=[], description="Of the exercise channel; empty = all of them"
    )
    starts_at: Moment | None = Field(default=None, description="Absent = now")
    minutes: float = Field(default=30, gt=0, le=LONGEST_MIN)


class Drill(BaseModel):
    """A drill as it is kept."""

    id: int
    title: str
    instruction: str
    severity: int
    receivers: list[str]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancelled_by: str | None


class Performance(BaseModel):
    """How one receiver did: seconds from delivery to each step; None = it did not happen."""

    receiver: str
    delivered_at: datetime | None
    received_s: float | None
    accepted_s: float | None
    on_site_s: float | None
    done_s: float | None


class DrillPage(BaseModel):
    """A drill and how each receiver did."""

    drill: Drill
    results: list[Performance]


class DrillSummary(Drill):
    """A drill and how all its receivers did: how many were told, answered, and how fast."""

    told: int
    delivered: int
    accepted: int
    accepted_p50_s: float | None
    accepted_max_s: float | None


def plan_drill(conn: Connection, draft: DrillDraft, by: str, now: datetime) -> Drill:
    """Plan a drill; ``ConflictError`` when a receiver is not one for exercises."""
    addresses = load_addresses(conn)
    takers = exercise_channel(addresses)
    wrong = [n for n in draft.receivers if n not in takers]
    if wrong or not takers:
        known = ", ".join(takers) or "none; register one with channel 'exercise'"
        raise ConflictError(f"not receivers of the exercise channel: {wrong or 'any'} ({known})")
    starts = draft.starts_at or now
    if starts < now - SLACK:
        raise ConflictError("starts_at has passed: leave it out to begin now")
    values = draft.model_dump(exclude={"minutes"}) | {
        "starts_at": starts,
        "ends_at": starts + timedelta(minutes=draft.minutes),
        "by": by,
    }
    wake_screens(conn)
    return _drills(
        conn,
        "INSERT INTO drills (title, instruction, severity, receivers, starts_at, ends_at,"
        " created_by) VALUES (%(title)s, %(instruction)s, %(severity)s, %(receivers)s,"
        " %(starts_at)s, %(ends_at)s, %(by)s) RETURNING *",
        values,
    )[0]


def cancel_drill(conn: Connection, drill: int, by: str, now: datetime) -> Drill:
    """End a drill now, or take it off the plan; who was told is told of the end."""
    query = (
        "UPDATE drills SET cancelled_by = %(by)s, ends_at = greatest(%(now)s, starts_at +"
        " interval '1 microsecond'), ended_at = CASE WHEN started_at IS NULL THEN %(now)s END"
        " WHERE id = %(id)s AND ended_at IS NULL RETURNING *"
    )
    found = _drills(conn, query, {"by": by, "now": now, "id": drill})
    if not found:
        raise ConflictError(f"drill {get_drill(conn, drill).drill.id} is over")
    wake_screens(conn)
    return found[0]


def list_drills(conn: Connection, limit: int = 200) -> list[DrillSummary]:
    """Return drills with their results in sum, the newest first."""
    with conn.cursor(row_factory=class_row(DrillSummary)) as cursor:
        return cursor.execute(_LIST, {"limit": limit}).fetchall()


def get_drill(conn: Connection, drill: int) -> DrillPage:
    """Return a drill with its results; NotFoundError when there is none."""
    found = _drills(conn, "SELECT * FROM drills WHERE id = %(id)s", {"id": drill})
    if not found:
        raise NotFoundError(f"no drill {drill}")
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_RESULTS.encode(), {"id": drill, "subject": subject_of(drill)})
        return DrillPage(drill=found[0], results=[Performance(**row) for row in rows])


def run_drills(conn: Connection, notifier: Notifier, now: datetime) -> int:
    """Begin and end the drills that are due; return how many."""
    begun = _drills(
        conn,
        "UPDATE drills SET started_at = %(now)s WHERE started_at IS NULL AND ended_at IS NULL"
        " AND starts_at <= %(now)s RETURNING *",
        {"now": now},
    )
    ended = _drills(
        conn,
        "UPDATE drills SET ended_at = %(now)s WHERE started_at IS NOT NULL AND ended_at IS NULL"
        " AND ends_at <= %(now)s RETURNING *",
        {"now": now},
    )
    for drill, kind in [*((d, "started") for d in begun), *((d, "ended") for d in ended)]:
        _tell(conn, notifier, drill, drill_event(drill, kind, now), now)
    if begun or ended:
        wake_screens(conn)
    return len(begun) + len(ended)


def subject_of(drill: int) -> str:
    """Return the subject under which a drill is told and answered."""
    return f"drill-{drill}"


def exercise_channel(addresses: dict[str, Address]) -> dict[str, Address]:
    """Return the receivers that drills may go to."""
    return {n: a for n, a in addresses.items() if a.channel == "exercise"}


def drill_event(drill: Drill, kind: Literal["started", "ended"] | str, now: datetime) -> Event:
    """Return what there is to tell of a drill; always an exercise."""
    return Event(
        type=f"drill.{kind}",
        subject=subject_of(drill.id),
        at=now,
        firing=kind == "started",
        severity=drill.severity,
        labels={
            "alertname": "drill",
            "rule": "drill",
            "severity": severity_name(drill.severity),
            "origin": "cityops",
        },
        title_zh=f"演练 {drill.title}",
        title_en=f"Drill: {drill.title}",
        text_zh=f"这是演练。{drill.instruction}",
        text_en=f"This is a drill. {drill.instruction}",
        started_at=drill.starts_at,
        ended_at=now if kind == "ended" else None,
        exercise=True,
        data={
            "id": f"{subject_of(drill.id)}/{kind}",
            "drill": drill.id,
            "kind": "drill",
            "title": {"zh": drill.title, "en": drill.title},
            "instruction": drill.instruction,
            "severity": level_data(drill.severity),
            "ends_at": drill.ends_at.isoformat(),
            "exercise": True,
        },
    )


def _tell(conn: Connection, notifier: Notifier, drill: Drill, event: Event, now: datetime) -> None:
    addresses = load_addresses(conn)
    names = drill.receivers or list(exercise_channel(addresses))
    letters = [
        Letter(addresses[name], str(event.data["id"]), (event,), channel="exercise", drill=drill.id)
        for name in names
        if name in addresses
    ]
    put(conn, letters, notifier.links, now)


def _drills(conn: Connection, query: str, values: dict[str, Any]) -> list[Drill]:
    with conn.cursor(row_factory=class_row(Drill)) as cursor:
        return cursor.execute(query.encode(), values).fetchall()


_LIST = """
SELECT d.*, a.* FROM drills d CROSS JOIN LATERAL (
    SELECT count(*) AS told, count(delivered_at) AS delivered, count(accepted_s) AS accepted,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY accepted_s) AS accepted_p50_s,
           max(accepted_s) AS accepted_max_s
    FROM (SELECT o.first_delivered_at AS delivered_at,
                 extract(epoch FROM min(p.at) - o.first_delivered_at)::float8 AS accepted_s
          FROM outbox o JOIN receivers r ON r.id = o.receiver
          LEFT JOIN responses p ON p.subject = 'drill-' || d.id AND p.receiver = r.name
              AND p.step <> 'received'
          WHERE o.drill = d.id AND o.kind = 'started' GROUP BY o.id) one) a
ORDER BY d.starts_at DESC, d.id DESC LIMIT %(limit)s
"""
_RESULTS = """
SELECT r.name AS receiver, o.first_delivered_at AS delivered_at,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'received')
               - o.first_delivered_at)::float8 AS received_s,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'accepted')
               - o.first_delivered_at)::float8 AS accepted_s,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'on_site')
               - o.first_delivered_at)::float8 AS on_site_s,
       extract(epoch FROM min(p.at) FILTER (WHERE p.step = 'done')
               - o.first_delivered_at)::float8 AS done_s
FROM outbox o JOIN receivers r ON r.id = o.receiver
LEFT JOIN responses p ON p.subject = %(subject)s AND p.receiver = r.name
WHERE o.drill = %(id)s AND o.kind = 'started' GROUP BY r.name, o.first_delivered_at ORDER BY r.name
"""
