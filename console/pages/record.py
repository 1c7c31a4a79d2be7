"""One record: what it is, the steps that may follow with their forms, and its log."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from alerts.sources.exercises import performances
from catalog.errors import NotFoundError
from catalog.lifecycle.record import Move, Record
from catalog.lifecycle.registry import records as declared
from console.frame import Page, View, keep_fresh, missing, panel, unfolding
from console.records.answers import answer_columns, answer_row
from console.records.forms import Controls, control, given_values, move_context, take
from console.records.rows import (
    list_columns,
    list_row,
    record_facts,
    timeline_columns,
    timeline_row,
)
from console.widgets.facts import Facts
from console.widgets.forms import act_button, choice_field, named_field, text_field
from console.widgets.table import Table
from records.queries import Page as Found
from records.queries import get_page, get_record
from records.steps import UNDO


async def record(view: View, kind: str, id: str) -> None:
    """Show the record and follow its steps."""
    words, declaration = view.words, declared().get(kind)
    number = id.removeprefix(f"{kind}-")
    if declaration is None or not number.isdigit():
        missing(view, id)
        return
    try:
        await _read(view, declaration, int(number))
    except NotFoundError:
        missing(view, id)
        return
    name = f"{kind}-{number}"
    ui.page_title(f"{name} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words.of(declaration.plural)}", f"/records/{kind}")
        with ui.element("h1"):
            ui.label(name)
    with panel(words("records.facts"), "glance wide"):
        facts = Facts(words("records.facts"))
    forms = ui.element("div")
    show_answers = _answers(view, declaration, int(number))
    with panel(words("records.log"), "list"):
        log = Table(timeline_columns(words), label=words("records.log"), empty="")
    with panel(words("records.near"), "list"):
        near = Table(
            list_columns(words, declaration),
            label=words("records.near"),
            empty=words("records.nothing"),
        )
    seen = -1

    async def read() -> None:
        nonlocal seen
        page = await _read(view, declaration, int(number))
        facts.show(record_facts(words, declaration, page.record))
        log.show([timeline_row(words, declaration, e) for e in reversed(page.log)])
        near.show(await _around(view, declaration, page))
        await show_answers()
        if page.record.version != seen:  # a form that is being filled in stays as it is
            seen = page.record.version
            forms.clear()
            with forms:
                await _forms(view, declaration, page, read)

    await read()
    keep_fresh(view, read)


async def _read(view: View, record: Record, id: int) -> Found:
    return await view.ask(lambda conn: get_page(conn, record, id))


async def _around(view: View, record: Record, page: Found) -> list[dict[str, Any]]:
    ids = [one.id for one in page.near[:20]]
    rows = await view.ask(lambda conn: [get_record(conn, record, id) for id in ids])
    return [list_row(view.words, record, row) for row in rows]


def _answers(view: View, record: Record, id: int) -> Callable[[], Awaitable[None]]:
    """Show how fast the receivers of an exercise answered; nothing for other records."""
    words, table = view.words, None
    if record.told:
        with panel(words("drill.results"), "list answers"):
            table = Table(
                answer_columns(words), label=words("drill.results"), empty=words("drill.untold")
            )

    async def show() -> None:
        if table:
            found = await view.ask(lambda conn: performances(conn, id))
            table.show([answer_row(words, one) for one in found])

    return show


async def _forms(view: View, record: Record, page: Found, read: Any) -> None:
    """Show a form for each step that this person may take now."""
    row, who = page.record, view.who
    if who.anonymous:
        return
    context = await view.ask(lambda conn: move_context(conn, who))
    own = {entry.move for entry in page.log if entry.actor == who.name}
    for move in record.moves:
        if row.state not in move.from_states or not context.role(record, move.roles, row.fields):
            continue
        if own & {*move.apart}:
            continue
        if move.quick:
            _button(view, record, page, move, read)
        else:
            with unfolding(view.words.of(move.title), f"move {move.name}"):
                _form(view, record, page, move, read)
    last = record.move(page.log[-1].move)
    if last and last.undo_s and page.log[-1].actor == who.name:

        async def undo() -> None:
            await take(view, record, row.id, UNDO, {}, read)

        act_button(view.words("records.undo"), undo)


def _button(view: View, record: Record, page: Found, move: Move, read: Any) -> None:
    async def press() -> None:
        more = {"reason": move.reasons[0].name} if move.reasons else {}
        seen = page.record.version
        await take(view, record, page.record.id, move.name, {}, read, **more, expected_version=seen)

    act_button(view.words.of(move.title), press)


def _form(view: View, record: Record, page: Found, move: Move, read: Any) -> None:
    words, controls = view.words, Controls()
    with ui.element("div").classes("fields"):
        for name in (*move.needs, *move.takes):
            field = record.field(name)
            if field is None:
                continue
            hint = words("records.needed") if name in move.needs else ""
            with named_field(words.of(field.title), hint):
                value = page.record.fields.get(name)
                controls[name] = (field, control(view, record, field, value))
        reason = None
        if move.reasons:
            with named_field(words("records.reason"), words("records.needed")):
                titles = {r.name: words.of(r.title) for r in move.reasons}
                reason = choice_field(titles, move.reasons[0].name)
        with named_field(words("records.note"), words("records.needed") if move.note else ""):
            note = text_field()
        with ui.element("div").classes("field-end"):
            act_button(words.of(move.title), lambda: put(), strong=True)

    async def put() -> None:
        more = {
            "reason": reason.value if reason else "",
            "note": note.value or "",
            "expected_version": page.record.version,
        }
        args = given_values(controls)
        await take(view, record, page.record.id, move.name, args, read, **more)


PAGE = Page("/records/{kind}/{id}", "records.title", record)
