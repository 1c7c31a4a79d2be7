"""One record: what it is, the steps that may follow with their forms, and its log."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.errors import NotFoundError, RefusedError
from catalog.lifecycle.fields import RecordField
from catalog.lifecycle.record import Move, Record
from catalog.lifecycle.registry import records as declared
from console.frame import Page, View, keep_fresh, missing, panel, unfolding
from console.mistakes import mistake
from console.records.rows import (
    list_columns,
    list_row,
    record_facts,
    timeline_columns,
    timeline_row,
)
from console.roles import Principal, Role
from console.widgets.facts import Facts
from console.widgets.forms import act_button, choice_field, chosen_time, named_field, text_field
from console.widgets.forms import time_field as moment_field
from console.widgets.table import Table
from records import act as path
from records.context import Context, grants_of
from records.queries import Page as Found
from records.queries import get_page, get_record
from records.steps import UNDO

Controls = dict[str, tuple[RecordField, Any]]


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


async def _forms(view: View, record: Record, page: Found, read: Any) -> None:
    """Show a form for each step that this person may take now."""
    row, who = page.record, view.who
    if who.anonymous:
        return
    context = await view.ask(lambda conn: _context(conn, who))
    for move in record.moves:
        if row.state in move.from_states and context.role(record, move.roles, row.fields):
            with unfolding(view.words.of(move.title), f"move {move.name}"):
                _form(view, record, page, move, read)
    last = record.move(page.log[-1].move)
    if last and last.undo_s and page.log[-1].actor == who.name:

        async def undo() -> None:
            await _take(view, record, row.id, UNDO, {}, read)

        act_button(view.words("records.undo"), undo)


def _form(view: View, record: Record, page: Found, move: Move, read: Any) -> None:
    words, controls = view.words, Controls()
    with ui.element("div").classes("fields"):
        for name in (*move.needs, *move.takes):
            field = record.field(name)
            if field is None or field.kind == "files":
                continue  # photos come by the API
            hint = words("records.needed") if name in move.needs else ""
            with named_field(words.of(field.title), hint):
                controls[name] = (field, _control(view, field, page.record.fields.get(name)))
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
        given = {name: _value(field, control) for name, (field, control) in controls.items()}
        args = {name: value for name, value in given.items() if value is not None}
        await _take(view, record, page.record.id, move.name, args, read, **more)


def _control(view: View, field: RecordField, value: Any) -> Any:
    words = view.words
    if field.kind == "choice":
        titles = {"": "", **{c.name: words.of(c.title) for c in field.choices}}
        return choice_field(titles, value if value in titles else "")
    if field.kind == "boolean":
        titles = {"": "", "true": words("records.yes"), "false": words("records.no")}
        return choice_field(titles, "")
    if field.kind == "time":
        return moment_field()
    return text_field(value="" if value is None else str(value), most=field.longest)


def _value(field: RecordField, control: Any) -> Any:
    given = control.value
    if given in (None, ""):
        return None
    if field.kind == "boolean":
        return given == "true"
    if field.kind == "time":
        return chosen_time(control)
    if field.kind in ("number", "integer"):
        try:
            return float(given) if field.kind == "number" else int(given)
        except ValueError:
            return given  # the field itself says what is wrong
    return given


async def _take(
    view: View, record: Record, id: int, move: str, args: dict[str, Any], read: Any, **more: Any
) -> None:
    """Take a step with who is logged in now; say why not when it is refused."""

    def work(conn: Connection, who: Principal) -> bool:
        path.act(_context(conn, who), record.name, id, move, args, **more)
        return True

    try:
        done = await view.act(Role.VIEWER, work)
    except RefusedError as error:
        why = mistake(view.words, error)
        ui.notify(view.words("app.not_done", why=why), type="warning", multi_line=True)
        return
    if done:
        view.say("records.done")
        view.desk.live.poke()
        await read()


def _context(conn: Connection, who: Principal) -> Context:
    grants = () if who.anonymous else grants_of(conn, who.name)
    return Context(conn, who.name, "page", who.role.value, grants)


PAGE = Page("/records/{kind}/{id}", "records.title", record)
