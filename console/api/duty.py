"""Roster and phone book: who is on duty, and whom to ring."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from alerts.event.fields import Moment, Number
from console import duty
from console.auth import Conn, Operator, Viewer
from console.duty import Contact, ContactDraft, Shift, ShiftDraft
from service.postgres import now_of
from storage.audit import record

router = APIRouter(tags=["duty"])


@router.get("/duty")
def list_shifts(
    conn: Conn,
    who: Viewer,
    at: Annotated[Moment | None, Query(description="on duty at this moment")] = None,
    days: Annotated[int, Query(ge=1, le=92)] = 7,
) -> list[Shift]:
    """Return the shifts of the next days, those that are on now first; or who is on at a moment."""
    if at is not None:
        return duty.on_duty(conn, at)
    now = now_of(conn)
    return duty.roster(conn, now, now + timedelta(days=days))


@router.post("/duty", status_code=201)
def add_shift(draft: ShiftDraft, conn: Conn, who: Operator) -> dict[str, Any]:
    """Put a shift into the roster, once a week for its `weeks`; `id` is that of the first."""
    with conn.transaction():
        made = duty.add_shift(conn, draft)
        told = {"person": draft.person, "owner": draft.owner, "weeks": draft.weeks}
        record(conn, who.name, "duty.add", str(made[0]), **told)
    return {"id": made[0], "ids": made}


@router.delete("/duty/{shift}", status_code=204)
def remove_shift(shift: Number, conn: Conn, who: Operator) -> None:
    """Take a shift out of the roster."""
    with conn.transaction():
        duty.remove_shift(conn, shift)
        record(conn, who.name, "duty.remove", str(shift))


@router.get("/contacts")
def list_contacts(conn: Conn, who: Viewer) -> list[Contact]:
    """Return the phone book."""
    return duty.contacts(conn)


@router.post("/contacts", status_code=201)
def add_contact(draft: ContactDraft, conn: Conn, who: Operator) -> dict[str, int]:
    """Put a number into the phone book."""
    with conn.transaction():
        made = duty.add_contact(conn, draft)
        record(conn, who.name, "contact.add", str(made), person=draft.person, owner=draft.owner)
    return {"id": made}


@router.delete("/contacts/{contact}", status_code=204)
def remove_contact(contact: Number, conn: Conn, who: Operator) -> None:
    """Take a number out of the phone book."""
    with conn.transaction():
        duty.remove_contact(conn, contact)
        record(conn, who.name, "contact.remove", str(contact))
