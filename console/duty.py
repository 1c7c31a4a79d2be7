"""Who is on duty, and whom to ring: a roster and a phone book by the site's owners."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from alerts.event.fields import Moment
from alerts.event.fields import Words as Said
from alerts.people import assignable
from catalog.errors import ConflictError, InvalidError, NotFoundError
from catalog.site import site, zone
from console.texts import Words

LONGEST_SHIFT = timedelta(days=31)
MOST_WEEKS = 26
"""A shift is repeated every week for at most half a year."""
MOST = 500
"""So many shifts and numbers one list holds at most."""
Person = Annotated[Said, Field(min_length=1, max_length=60)]
NUMBER = re.compile(r"\+?[0-9][0-9 ()-]{1,27}[0-9]")


def _dialled(phone: str) -> str:
    if not NUMBER.fullmatch(phone):
        raise ValueError("a phone number is 3 to 30 digits, spaces, + ( ) -")
    return phone


Phone = Annotated[str, Field(max_length=30), AfterValidator(_dialled)]


class Owned(BaseModel):
    """What belongs to one of the site's owners."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    owner: str

    @field_validator("owner")
    @classmethod
    def _is_known(cls, owner: str) -> str:
        if owner not in site().owners:
            raise ValueError(f"no owner {owner}")
        return owner


class ShiftDraft(Owned):
    """One person's shift of so many weeks; ``account`` is the user who gets what comes in."""

    person: Person
    account: str = Field(default="", max_length=40)
    phone: Phone | None = None
    starts_at: Moment
    ends_at: Moment
    weeks: int = Field(default=1, ge=1, le=MOST_WEEKS)

    @model_validator(mode="after")
    def _lasts(self) -> "ShiftDraft":
        if not timedelta() < self.ends_at - self.starts_at <= LONGEST_SHIFT:
            raise ValueError("ends_at must be after starts_at, by at most 31 days")
        if self.weeks > 1 and self.ends_at - self.starts_at > timedelta(days=7):
            raise ValueError("a shift of every week lasts at most 7 days")
        return self

    def week(self, n: int) -> dict[str, datetime]:
        """Return begin and end of the n-th week's shift, at the same time of the site's day."""
        later = {"starts_at": self.starts_at, "ends_at": self.ends_at}
        return {k: at.astimezone(zone()) + timedelta(weeks=n) for k, at in later.items()}


class Shift(BaseModel):
    """One shift of the roster."""

    id: int
    owner: str
    person: str
    account: str | None
    phone: str
    starts_at: datetime
    ends_at: datetime


class ContactDraft(Owned):
    """One number of the phone book."""

    person: Person
    phone: Phone
    note: Annotated[Said, Field(max_length=200)] | None = None


class Contact(BaseModel):
    """One number of the phone book."""

    id: int
    owner: str
    person: str
    phone: str
    note: str


def add_shift(conn: Connection, draft: ShiftDraft) -> list[int]:
    """Put a shift into the roster, once a week for its weeks; return their numbers.

    Two people of one owner may be on duty at once; the same person twice is a ``ConflictError``,
    and ``InvalidError`` is raised for no such account. It is all of the weeks or none.
    """
    if draft.account and draft.account not in assignable(conn):
        raise InvalidError(f"no user {draft.account!r}", "body.account", code="unknown")
    with conn.transaction():
        return [_add_week(conn, draft, n) for n in range(draft.weeks)]


def _add_week(conn: Connection, draft: ShiftDraft, n: int) -> int:
    given = draft.model_dump() | {"phone": draft.phone or ""} | draft.week(n)
    twice = conn.execute(
        "SELECT starts_at FROM console_duty WHERE owner = %(owner)s AND person = %(person)s"
        " AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s",
        given,
    ).fetchone()
    if twice:
        begun = twice[0].astimezone(zone()).strftime("%Y-%m-%d %H:%M")
        raise ConflictError(f"{draft.person} has a shift at this time already, from {begun}")
    row = conn.execute(
        "INSERT INTO console_duty (owner, person, account, phone, starts_at, ends_at) VALUES"
        " (%(owner)s, %(person)s, nullif(%(account)s, ''), %(phone)s, %(starts_at)s, %(ends_at)s)"
        " RETURNING id",
        given,
    ).fetchone()
    assert row is not None
    return row[0]


def remove_shift(conn: Connection, shift: int) -> None:
    """Take a shift out of the roster; ``NotFoundError`` when there is none."""
    if conn.execute("DELETE FROM console_duty WHERE id = %s", [shift]).rowcount == 0:
        raise NotFoundError(f"no shift {shift}")


def roster(conn: Connection, since: datetime, until: datetime) -> list[Shift]:
    """Return the shifts that lie in a period, the earliest first."""
    with conn.cursor(row_factory=class_row(Shift)) as cursor:
        return cursor.execute(
            "SELECT * FROM console_duty WHERE ends_at > %s AND starts_at < %s"
            " ORDER BY starts_at, owner, person LIMIT %s",
            [since, until, MOST],
        ).fetchall()


def on_duty(conn: Connection, at: datetime) -> list[Shift]:
    """Return who is on duty at a moment, by owner."""
    found = roster(conn, at, at + timedelta(microseconds=1))
    return sorted(found, key=lambda shift: (shift.owner, shift.person))


def add_contact(conn: Connection, draft: ContactDraft) -> int:
    """Put a number into the phone book; return its id."""
    row = conn.execute(
        "INSERT INTO console_contacts (owner, person, phone, note) VALUES (%(owner)s, %(person)s,"
        " %(phone)s, %(note)s) RETURNING id",
        draft.model_dump() | {"note": draft.note or ""},
    ).fetchone()
    assert row is not None
    return row[0]


def remove_contact(conn: Connection, contact: int) -> None:
    """Take a number out of the phone book; ``NotFoundError`` when there is none."""
    if conn.execute("DELETE FROM console_contacts WHERE id = %s", [contact]).rowcount == 0:
        raise NotFoundError(f"no contact {contact}")


def contacts(conn: Connection) -> list[Contact]:
    """Return the phone book, by owner and name."""
    with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return cursor.execute(
            "SELECT * FROM console_contacts ORDER BY owner, person, id LIMIT %s", [MOST]
        ).fetchall()


@dataclass(frozen=True, slots=True)
class People:
    """Users to whom something can be given, and the shifts of now."""

    names: list[str]
    shifts: list[Shift]

    def choices(self, words: Words, but: str = "") -> dict[str, str]:
        """Return name → text of all ``but`` one: those on duty first, with what for."""
        duty = {
            s.account: words.of(site().owners[s.owner])
            for s in self.shifts
            if s.account and s.owner in site().owners
        }
        there = [n for n in self.names if n in duty and n != but]
        others = [n for n in self.names if n not in duty and n != but]
        return {n: words("duty.on", name=n, owner=duty[n]) for n in there} | {n: n for n in others}


def people(conn: Connection, at: datetime) -> People:
    """Return whom something can be given to at a moment."""
    return People(assignable(conn), on_duty(conn, at))
