"""Silences and maintenance windows: what is not said for a while, by whom and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.event.fields import Moment, Words
from alerts.event.labels import Labels, Matcher, StoredMatcher, all_match
from alerts.event.reach import fits_every_alert
from alerts.wake import wake_screens

LONGEST = timedelta(days=31)
COLUMNS = "id, kind, matchers, author, reason, starts_at, ends_at, created_at, updated_at, ended_by"


class SilenceDraft(BaseModel):
    """A silence to be set: at least one matcher, a reason, and an end within 31 days.

    ``maintenance`` is the same for works on sensors or in an area: match on sensor or district.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["silence", "maintenance"] = "silence"
    matchers: list[Matcher] = Field(min_length=1, max_length=20)
    reason: Words
    starts_at: Moment
    ends_at: Moment

    @model_validator(mode="after")
    def _bounded(self) -> "SilenceDraft":
        if not self.starts_at < self.ends_at <= self.starts_at + LONGEST:
            raise ValueError("ends_at must be after starts_at and within 31 days of it")
        if fits_every_alert(self.matchers):
            raise ValueError("these matchers fit every alert; name at least one label's value")
        return self

    def beginning(self, at: datetime) -> "SilenceDraft":
        """Return it of the same length from ``at`` on."""
        return self.model_copy(
            update={"starts_at": at, "ends_at": at + (self.ends_at - self.starts_at)}
        )


class Silence(BaseModel):
    """A silence as it is kept."""

    id: int
    kind: Literal["silence", "maintenance"]
    matchers: list[StoredMatcher]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    updated_at: datetime
    ended_by: str | None = None

    def state(self, now: datetime) -> Literal["pending", "active", "expired"]:
        """Return where ``now`` lies."""
        if now < self.starts_at:
            return "pending"
        return "active" if now < self.ends_at else "expired"

    def hides(self, labels: Labels) -> bool:
        """Tell whether it applies to an alert with these labels."""
        return all_match(self.matchers, labels)


def add_silence(conn: Connection, draft: SilenceDraft, author: str) -> Silence:
    """Set a silence."""
    query = (
        "INSERT INTO silences (kind, matchers, author, reason, starts_at, ends_at)"
        f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}"
    )
    matchers = Jsonb([m.model_dump() for m in draft.matchers])
    values = [draft.kind, matchers, author, draft.reason, draft.starts_at, draft.ends_at]
    wake_screens(conn)
    return _rows(conn, query, values)[0]


def end_silence(conn: Connection, silence: int, who: str, now: datetime) -> Silence | None:
    """End a silence now; None when there is none, the silence as it was when it is over."""
    query = (
        "UPDATE silences SET ends_at = greatest(%s, starts_at + interval '1 microsecond'),"
        f" ended_by = %s, updated_at = clock_timestamp() WHERE id = %s AND ends_at > %s"
        f" RETURNING {COLUMNS}"
    )
    done = _rows(conn, query, [now, who, silence, now])
    wake_screens(conn)
    return done[0] if done else get_silence(conn, silence)


def get_silence(conn: Connection, silence: int) -> Silence | None:
    """Return one silence."""
    found = _rows(conn, f"SELECT {COLUMNS} FROM silences WHERE id = %s", [silence])
    return found[0] if found else None


def list_silences(conn: Connection, *, expired: bool = False, limit: int = 500) -> list[Silence]:
    """Return silences, the one that ends next first; expired ones on request."""
    where = "" if expired else " WHERE ends_at > clock_timestamp()"
    query = f"SELECT {COLUMNS} FROM silences{where} ORDER BY ends_at LIMIT %s"
    return _rows(conn, query, [limit])


def silences_at(conn: Connection, now: datetime) -> list[Silence]:
    """Return the silences in force."""
    query = f"SELECT {COLUMNS} FROM silences WHERE starts_at <= %s AND ends_at > %s ORDER BY id"
    return _rows(conn, query, [now, now])


def hiding(silences: Sequence[Silence], labels: Labels) -> str:
    """Return the reason why an alert is not said: ``silence 12``; empty when none applies."""
    found = next((s for s in silences if s.hides(labels)), None)
    return f"{found.kind} {found.id}" if found else ""


def _rows(conn: Connection, query: str, values: list[Any]) -> list[Silence]:
    with conn.cursor(row_factory=class_row(Silence)) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
