"""What receivers answer, and the clocks: delivery → received → accepted → on site → done."""

from datetime import datetime, timedelta
from typing import Literal, get_args

from prometheus_client import Histogram
from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from alerts.episode.acts import acknowledge
from alerts.incident.care import acknowledge_incident
from alerts.wake import wake_screens
from catalog.errors import NotFoundError

Step = Literal["received", "accepted", "on_site", "done"]
STEPS: tuple[Step, ...] = get_args(Step)
LINKS_LAST = timedelta(days=3)
CLOCK = Histogram(
    "cityops_response_seconds",
    "From the step before (delivery, received, accepted, on_site) to this one",
    ["step"],
    buckets=(5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800),
)


class Response(BaseModel):
    """One answer; ``since_s`` counts from the step before it, or from delivery."""

    id: int
    subject: str
    receiver: str
    step: Step
    at: datetime
    who: str
    via: Literal["link", "api"]
    message: str | None
    since_s: float | None
    note: str


class Clock(BaseModel):
    """How long a step takes: seconds, median and the slowest tenth."""

    step: Step
    count: int
    p50_s: float | None
    p90_s: float | None


class Addressed(BaseModel):
    """A message that can be answered."""

    message: str
    receiver: str
    headline: str
    created_at: datetime
    subjects: list[str]


def addressed(conn: Connection, message: str, now: datetime) -> Addressed:
    """Return what a link's message tells of; NotFoundError when it is gone or too old."""
    row = conn.execute(
        "SELECT r.name, o.headline, o.created_at, (SELECT array_agg(DISTINCT subject)"
        " FROM outbox_subjects s WHERE s.outbox = o.id) FROM outbox o"
        " JOIN receivers r ON r.id = o.receiver WHERE o.id = %s AND o.created_at > %s",
        [message, now - LINKS_LAST],
    ).fetchone()
    if row is None:
        raise NotFoundError("this link is over")
    name, headline, created_at, subjects = row
    return Addressed(
        message=message,
        receiver=name,
        headline=headline,
        created_at=created_at,
        subjects=subjects or [],
    )


def respond(
    conn: Connection,
    subject: str,
    step: Step,
    receiver: str,
    who: str,
    now: datetime,
    *,
    via: Literal["link", "api"],
    message: str | None = None,
    note: str = "",
) -> bool:
    """Note an answer; False when it was given before. Accepting acknowledges what it is about."""
    since = _since(conn, subject, step, receiver, now)
    done = conn.execute(
        "INSERT INTO responses (subject, receiver, step, at, who, via, message, since_s, note)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [subject, receiver, step, now, who, via, message, since, note],
    )
    if step != "received":
        _acknowledge(conn, subject, who, note, now)  # also again, when a worse level has come
    if done.rowcount == 0:
        return False
    if since is not None:
        CLOCK.labels(step).observe(since)
    wake_screens(conn)
    return True


def list_responses(conn: Connection, subject: str = "", limit: int = 500) -> list[Response]:
    """Return answers, newest first."""
    with conn.cursor(row_factory=class_row(Response)) as cursor:
        return cursor.execute(
            "SELECT * FROM responses WHERE %(subject)s = '' OR subject = %(subject)s"
            " ORDER BY at DESC, id DESC LIMIT %(limit)s",
            {"subject": subject, "limit": limit},
        ).fetchall()


def clocks(conn: Connection, since: datetime) -> list[Clock]:
    """Return how long each step has taken since then, drills left out."""
    rows = conn.execute(
        "SELECT step, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY since_s),"
        " percentile_cont(0.9) WITHIN GROUP (ORDER BY since_s) FROM responses"
        " WHERE at >= %s AND subject NOT LIKE 'drill-%%' GROUP BY step",
        [since],
    ).fetchall()
    found = {step: (count, p50, p90) for step, count, p50, p90 in rows}
    made = []
    for step in STEPS:
        count, p50, p90 = found.get(step, (0, None, None))
        made.append(Clock(step=step, count=count, p50_s=p50, p90_s=p90))
    return made


def _since(
    conn: Connection, subject: str, step: Step, receiver: str, now: datetime
) -> float | None:
    """Return seconds since the newest step before this one, else since the first delivery."""
    before = list(STEPS[: STEPS.index(step)])
    row = conn.execute(
        "SELECT coalesce((SELECT max(at) FROM responses WHERE subject = %(subject)s"
        " AND receiver = %(receiver)s AND step = ANY(%(before)s)),"
        " (SELECT min(o.first_delivered_at) FROM outbox o"
        " JOIN outbox_subjects s ON s.outbox = o.id JOIN receivers r ON r.id = o.receiver"
        " WHERE s.subject = %(subject)s AND r.name = %(receiver)s))",
        {"subject": subject, "receiver": receiver, "before": before},
    ).fetchone()
    at = row[0] if row else None
    return max(0.0, (now - at).total_seconds()) if at else None


def _acknowledge(conn: Connection, subject: str, who: str, note: str, now: datetime) -> None:
    known = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM episodes WHERE id = %(id)s),"
        " EXISTS (SELECT 1 FROM incidents WHERE id = %(id)s)",
        {"id": subject},
    ).fetchone()
    is_alert, is_incident = known or (False, False)
    if is_alert:
        acknowledge(conn, subject, who, note, now)
    elif is_incident:
        acknowledge_incident(conn, subject, who, note, now)
