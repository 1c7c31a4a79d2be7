"""One step of several records at once: chosen in the list, with one form."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.errors import InvalidError
from catalog.lifecycle.record import Move, Record
from console.frame import View, unfolding
from console.mistakes import mistake
from console.records.forms import Controls, control, given_values, move_context
from console.roles import Principal, Role
from console.widgets.forms import act_button, choice_field, named_field, text_field
from console.widgets.table import Table
from records.act import Outcome, act_many

MOST = 200
SHOWN = 3
"""Refusals that are told with their reason."""


def bulk_moves(
    view: View, record: Record, moves: list[Move], table: Table, read: Callable[[], Awaitable[None]]
) -> None:
    """Show the form by which the ticked records take one of these steps, each for itself."""
    if not moves:
        return
    words, titles = view.words, {m.name: view.words.of(m.title) for m in moves}
    form: dict[str, Any] = {}

    with unfolding(words("records.bulk"), "bulk"):
        with ui.element("div").classes("fields"):
            with named_field(words("records.step")):
                chosen = choice_field(titles, moves[0].name)
            count = ui.label().classes("count").props('role="status"')
        fields = ui.element("div").classes("fields")

    def show() -> None:
        move = next(m for m in moves if m.name == chosen.value)
        fields.clear()
        form.clear()
        with fields:
            form.update(_form(view, record, move))
            with ui.element("div").classes("field-end"):
                act_button(titles[move.name], lambda: press(move), strong=True)

    async def press(move: Move) -> None:
        ids = [int(one.rpartition("-")[2]) for one in table.selected[:MOST]]
        if not ids:
            ui.notify(words("records.none_ticked"), type="warning")
            return
        given = given_values(form["controls"])
        reason = form["reason"].value if form["reason"] else ""
        note = form["note"].value or ""

        def deed(conn: Connection, who: Principal) -> list[Outcome]:
            context = move_context(conn, who)
            return act_many(context, record.name, ids, move.name, given, reason=reason, note=note)

        found = await view.act(Role.VIEWER, deed)
        if found is not None:
            _tell(view, record, found)
            view.desk.live.poke()
            await read()

    def told(ticked: list[str]) -> None:
        count.set_text(words("records.ticked", count=len(ticked)))

    table.on_select(told)
    chosen.on_value_change(show)
    told([])
    show()


def _form(view: View, record: Record, move: Move) -> dict[str, Any]:
    words, controls = view.words, Controls()
    for name in (*move.needs, *move.takes):
        field = record.field(name)
        if field is None or field.kind == "files":
            continue  # a photo is of one record
        with named_field(
            words.of(field.title), words("records.needed") if name in move.needs else ""
        ):
            controls[name] = (field, control(view, record, field, None))
    reason = None
    if move.reasons:
        with named_field(words("records.reason"), words("records.needed")):
            reason = choice_field(
                {r.name: words.of(r.title) for r in move.reasons}, move.reasons[0].name
            )
    with named_field(words("records.note"), words("records.needed") if move.note else ""):
        note = text_field()
    return {"controls": controls, "reason": reason, "note": note}


def _tell(view: View, record: Record, found: list[Outcome]) -> None:
    """Say how many were done, and of the first that were not why."""
    words = view.words
    refused = [one for one in found if one.error]
    said = [words("records.bulk_done", count=len(found) - len(refused))]
    for one in refused[:SHOWN]:
        assert one.error is not None
        field = record.field(one.error.field) if isinstance(one.error, InvalidError) else None
        why = mistake(words, str(one.error))
        if field:
            why = why.replace(field.name, words.of(field.title), 1)
        said.append(f"{record.name}-{one.id}: {why}")
    if len(refused) > SHOWN:
        said.append(words("records.more", count=len(refused) - SHOWN))
    ui.notify("\n".join(said), type="warning" if refused else "positive", multi_line=True)
