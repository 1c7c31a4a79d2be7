"""Duty: who is on now, who will be, and the phone book of those who are called."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection
from pydantic import ValidationError

from alerts.people import assignable
from catalog.site import site
from console import duty as book
from console.deeds import do
from console.duty import MOST_WEEKS, Contact, ContactDraft, Shift, ShiftDraft
from console.frame import Page, View, keep_fresh, panel, unfolding
from console.incident_rows import owner_title, phone_link
from console.roles import Role
from console.widgets.forms import (
    act_button,
    choice_field,
    chosen_time,
    named_field,
    show_mistake,
    text_field,
    time_field,
)
from console.widgets.table import Act, Column, Table
from console.widgets.tools import list_tools

DAYS = 14
Anew = Callable[[], Awaitable[None]]


async def duty(view: View) -> None:
    """Show the roster and the phone book; operators keep them."""
    words = view.words

    async def anew() -> None:
        await read()

    with panel(words("duty.now"), "short now") as side:
        now = Table(_shift_columns(view), label=words("duty.now"), empty=words("duty.nobody"))
        list_tools(words, side, now)
    roster = _list(view, "roster", _shift_columns(view), "duty.remove", book.remove_shift, anew)
    numbers = _list(view, "book", _columns(view), "contact.remove", book.remove_contact, anew)
    if view.who.may(Role.OPERATOR):
        people = await view.ask(assignable)
        with unfolding(words("duty.add"), "add"):
            _shift_form(view, people, anew)
        with unfolding(words("duty.add_contact"), "add-contact"):
            _contact_form(view, anew)

    async def read() -> None:
        at = view.desk.clock.now()
        shifts, known = await view.ask(
            lambda conn: (book.roster(conn, at, at + timedelta(days=DAYS)), book.contacts(conn))
        )
        now.show([shift_row(view, s) for s in shifts if s.starts_at <= at])
        roster.show([shift_row(view, s) | _removing(view) for s in shifts])
        numbers.show([_contact_row(view, c) | _removing(view) for c in known])

    await read()
    keep_fresh(view, read)


def _list(
    view: View, name: str, columns: list[Column], what: str, remove: Any, anew: Anew
) -> Table:
    """Add a list of which an operator may remove rows."""
    words = view.words
    title = words(f"duty.{name}", days=DAYS)

    async def act(pressed: Act) -> None:
        def deed(conn: Connection, who: str) -> None:
            remove(conn, int(pressed.row))

        if await do(view, what, pressed.row, deed):
            view.say("duty.removed")
        await anew()

    with panel(title, f"short {name}") as side:
        button = Column("act", "", "actions")
        table = Table([*columns, button], label=title, empty=words(f"duty.no_{name}"), on_act=act)
        list_tools(words, side, table)
    return table


def _shift_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("owner", words("duty.owner")),
        Column("person", words("duty.person")),
        Column("phone", words("duty.phone"), "link"),
        Column("account", words("duty.account"), hide=True),
        Column("starts", words("duty.starts"), "time", hide=True),
        Column("ends", words("duty.ends"), "time"),
    ]


def shift_row(view: View, shift: Shift) -> dict[str, Any]:
    """Return one shift as a row."""
    return {
        "id": str(shift.id),
        "owner": owner_title(view.words, shift.owner),
        "person": shift.person,
        "phone": phone_link(shift.phone),
        "account": shift.account or "",
        "starts": shift.starts_at.isoformat(),
        "ends": shift.ends_at.isoformat(),
    }


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("owner", words("duty.owner")),
        Column("person", words("duty.person")),
        Column("phone", words("duty.phone"), "link"),
        Column("note", words("duty.note"), hide=True),
    ]


def _contact_row(view: View, contact: Contact) -> dict[str, Any]:
    return {
        "id": str(contact.id),
        "owner": owner_title(view.words, contact.owner),
        "person": contact.person,
        "phone": phone_link(contact.phone),
        "note": contact.note,
    }


def _removing(view: View) -> dict[str, Any]:
    button = {"act": "remove", "text": view.words("duty.remove"), "look": ""}
    return {"act": [button] if view.who.may(Role.OPERATOR) else []}


def _owners(view: View) -> dict[str, str]:
    return {name: view.words.of(title) for name, title in site().owners.items()}


def _shift_form(view: View, people: list[str], anew: Anew) -> None:
    words, owners = view.words, _owners(view)
    with ui.element("div").classes("fields"):
        with named_field(words("duty.owner")):
            owner = choice_field(owners, next(iter(owners)))
        with named_field(words("duty.person")):
            person = text_field(most=60)
        with named_field(words("duty.account")):
            account = choice_field({"": words("duty.no_account")} | {p: p for p in people}, "")
        with named_field(words("duty.phone")):
            phone = text_field(most=30)
        with named_field(words("duty.starts")):
            starts = time_field()
        with named_field(words("duty.ends")):
            ends = time_field()
        with named_field(words("duty.weeks")):
            weeks = choice_field({str(n): str(n) for n in range(1, MOST_WEEKS + 1)}, "1")

    async def add() -> None:
        given = {"owner": owner.value, "person": person.value or "", "account": account.value}
        given |= {"phone": (phone.value or "").strip() or None}
        given |= {"starts_at": chosen_time(starts), "ends_at": chosen_time(ends)}
        given |= {"weeks": weeks.value}
        await _put(view, ShiftDraft, given, "duty.add", book.add_shift, anew)

    with ui.element("div").classes("form-row"):
        act_button(words("duty.add"), add, strong=True)


def _contact_form(view: View, anew: Anew) -> None:
    words, owners = view.words, _owners(view)
    with ui.element("div").classes("fields"):
        with named_field(words("duty.owner")):
            owner = choice_field(owners, next(iter(owners)))
        with named_field(words("duty.person")):
            person = text_field(most=60)
        with named_field(words("duty.phone")):
            phone = text_field(most=30)
        with named_field(words("duty.note")):
            note = text_field(most=200)

    async def add() -> None:
        given = {"owner": owner.value, "person": person.value or "", "phone": phone.value or ""}
        given |= {"note": (note.value or "").strip() or None}
        await _put(view, ContactDraft, given, "contact.add", book.add_contact, anew)

    with ui.element("div").classes("form-row"):
        act_button(words("duty.add_contact"), add, strong=True)


async def _put(
    view: View, model: Any, given: dict[str, Any], what: str, deed: Any, anew: Anew
) -> None:
    """Check a form, do the deed, say so."""
    try:
        draft = model.model_validate(given)
    except ValidationError as error:
        show_mistake(view.words, error)
        return
    told = {"person": draft.person, "owner": draft.owner}
    if await do(view, what, draft.person, lambda conn, _: deed(conn, draft), **told):
        view.say("duty.added")
    await anew()


PAGE = Page("/duty", "duty.title", duty)
"""Reached from a person's own page and from every incident."""
