"""Forms of records, made from their declaration: controls of fields, the opening, one step."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from psycopg import Connection

from catalog.errors import InvalidError, RefusedError
from catalog.lifecycle.fields import RecordField
from catalog.lifecycle.record import Record
from console.frame import View
from console.mistakes import mistake
from console.records.rows import choices_of, field_hint
from console.roles import Principal, Role
from console.widgets.forms import (
    act_button,
    choice_field,
    choices_field,
    chosen_time,
    named_field,
    text_field,
    time_field,
)
from console.widgets.here import here_button
from console.widgets.photos import Photos
from records import act as path
from records.among import names_among
from records.context import Context, grants_of

Controls = dict[str, tuple[RecordField, Any]]
Read = Callable[[], Awaitable[None]]
Names = dict[str, list[str]]


def move_context(conn: Connection, who: Principal) -> Context:
    """Return in which capacity somebody acts on a page."""
    grants = () if who.anonymous else grants_of(conn, who.name)
    return Context(conn, who.name, "page", who.role.value, grants)


async def opening_form(view: View, record: Record, read: Read) -> None:
    """Show the form that opens a record, or who is missing so that none can be opened."""
    words, controls, names = view.words, Controls(), await view.ask(lambda c: _names(c, record))
    if missing := [f for f in record.fields if f.among and not names[f.name]]:
        with ui.element("p").classes("empty"):
            ui.label(words(f"records.nobody_{missing[0].among}"))
            ui.link(words("receivers.title"), "/receivers")
        return
    with ui.element("div").classes("fields"):
        for field in _at_opening(record):
            with named_field(words.of(field.title), field_hint(words, field)):
                controls[field.name] = (
                    field,
                    control(view, record, field, field.default, names.get(field.name, [])),
                )
        if record.located != "not":
            with ui.element("div").classes("field-end"):
                here_button(words, lambda lon, lat: _placed(controls, lon, lat))
        with ui.element("div").classes("field-end"):
            act_button(words.of(record.opening.title), lambda: put(), strong=True)

    async def put() -> None:
        args = given_values(controls)
        if await attempt(
            view, record, lambda context: path.open_record(context, record.name, args)
        ):
            for field, shown in controls.values():
                empty = field.kind in ("names", "files")
                shown.set_value([] if empty else _text(field.default))
            await read()


def _named(view: View, record: Record, error: RefusedError) -> str:
    """Return what was wrong with the field's title instead of its name."""
    field = record.field(error.field) if isinstance(error, InvalidError) else None
    return str(error).replace(field.name, view.words.of(field.title), 1) if field else str(error)


def _names(conn: Connection, record: Record) -> Names:
    return {f.name: names_among(conn, f.among) for f in record.fields if f.among}


def _at_opening(record: Record) -> list[RecordField]:
    """Return the fields of the form: what a later step asks for is left to that step."""
    later = {name for move in record.moves for name in move.needs}
    return [f for f in record.all_fields if f.required or f.name not in later]


def _placed(controls: Controls, lon: float, lat: float) -> None:
    for name, value in (("lon", lon), ("lat", lat)):
        controls[name][1].set_value(_text(value))


def control(
    view: View, record: Record, field: RecordField, value: Any, names: list[str] | None = None
) -> Any:
    """Show the control of a field within a ``named_field``."""
    words = view.words
    if field.kind == "choice":
        options = choices_of(words, field)
        return choice_field(options, value if value in options else "")
    if field.kind == "boolean":
        titles = {"": "", "true": words("records.yes"), "false": words("records.no")}
        return choice_field(titles, "")
    if field.kind == "time":
        return time_field()
    if field.kind == "files":
        return Photos(words, record.name)
    if field.kind == "names":
        return choices_field({name: name for name in names or ()})
    return text_field(value=_text(value), most=field.longest)


def given_values(controls: Controls) -> dict[str, Any]:
    """Return what was given, as the fields read it; what was left empty is left out."""
    given = {name: _value(field, shown) for name, (field, shown) in controls.items()}
    return {name: value for name, value in given.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def _value(field: RecordField, shown: Any) -> Any:
    given = shown.value
    if given in (None, "", []):
        return None
    if field.kind == "boolean":
        return given == "true"
    if field.kind == "time":
        return chosen_time(shown)
    if field.kind in ("number", "integer"):
        try:
            return float(given) if field.kind == "number" else int(given)
        except ValueError:
            return given  # the field itself says what is wrong
    return given


async def take(
    view: View, record: Record, id: int, move: str, args: dict[str, Any], read: Read, **more: Any
) -> None:
    """Take a step with who is logged in now; say why not when it is refused."""
    if await attempt(
        view, record, lambda context: path.act(context, record.name, id, move, args, **more)
    ):
        await read()


async def attempt(view: View, record: Record, deed: Callable[[Context], object]) -> bool:
    """Do a deed in the capacity of who is logged in; False when it was refused, which is said."""

    def work(conn: Connection, who: Principal) -> bool:
        deed(move_context(conn, who))
        return True

    try:
        done = await view.act(Role.VIEWER, work)
    except RefusedError as error:
        why = mistake(view.words, _named(view, record, error))
        ui.notify(view.words("app.not_done", why=why), type="warning", multi_line=True)
        return False
    if done:
        view.say("records.done")
        view.desk.live.poke()
    return bool(done)
