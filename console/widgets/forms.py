"""Buttons and fields of the desks where operators act."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from html import escape
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from catalog.site import zone
from console.mistakes import mistake
from console.texts import Words


def act_button(text: str, press: Callable[[], Any], *, strong: bool = False) -> ui.button:
    """Show a button; ``strong`` for the one that is meant first."""
    button = ui.button(text, on_click=press, color=None).props("flat dense no-caps")
    return button.classes("strong-button" if strong else "plain-button")


def text_field(label: str = "", *, value: str = "", hint: str = "", most: int = 2000) -> ui.input:
    """Show a text field; ``hint`` or ``label`` stands in it while it is empty.

    Without a label it belongs into a ``named_field``, as do the other controls.
    """
    field = ui.input(placeholder=hint or label, value=value).classes("note")
    return field.props(f"dense outlined maxlength={most} {_aria(label)}")


def choice_field(options: dict[str, str], value: str, *, label: str = "") -> ui.select:
    """Show a choice of value → text; ``label`` is its name for readers."""
    if not label:
        field = ui.select(options, value=value).classes("note choice")
        return field.props("dense outlined options-dense")
    with ui.element("label").classes("choice"):
        ui.html(escape(label), sanitize=False, tag="span").classes("sr")
        return choice_field(options, value)


@contextmanager
def named_field(label: str, hint: str = "", *, wide: bool = False) -> Iterator[None]:
    """Put a control below its name; ``hint`` says in small what may be written."""
    with ui.element("label").classes("field wide" if wide else "field"):
        small = f" <small>{escape(hint)}</small>" if hint else ""
        ui.html(escape(label) + small, sanitize=False, tag="span")
        yield


def choices_field(options: dict[str, str]) -> ui.select:
    """Show a choice of any number of value → text."""
    field = ui.select(options, multiple=True, value=[]).classes("note")
    return field.props("dense outlined options-dense use-chips")


def time_field() -> ui.input:
    """Show a field for a moment in the city's time."""
    field = ui.input().classes("note")
    return field.props("type=datetime-local dense outlined")


def chosen_time(field: ui.input) -> datetime | None:
    """Return the moment that was chosen; None when the field is empty."""
    given = field.value or ""
    return datetime.fromisoformat(given).replace(tzinfo=zone()) if given else None


def show_mistake(words: Words, error: ValidationError) -> None:
    """Tell which field of a form is wrong, and by which rule."""
    ui.notify(mistake(words, error), type="warning", multi_line=True)


def _aria(label: str) -> str:
    return f'aria-label="{escape(label)}"' if label else ""
