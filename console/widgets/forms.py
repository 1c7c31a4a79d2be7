"""Buttons and fields of the desks where operators act."""

from collections.abc import Callable
from html import escape
from typing import Any

from nicegui import ui


def act_button(text: str, press: Callable[[], Any], *, strong: bool = False) -> ui.button:
    """Show a button; ``strong`` for the one that is meant first."""
    button = ui.button(text, on_click=press, color=None).props("flat dense no-caps")
    return button.classes("strong-button" if strong else "plain-button")


def text_field(label: str, *, value: str = "", most: int = 2000) -> ui.input:
    """Show a text field whose label is its placeholder and its name for readers."""
    field = ui.input(placeholder=label, value=value).classes("note")
    return field.props(f'dense outlined maxlength={most} aria-label="{escape(label)}"')


def choice_field(label: str, options: dict[str, str], value: str) -> ui.select:
    """Show a choice of value → text."""
    field = ui.select(options, value=value).classes("note choice")
    return field.props(f'dense outlined options-dense aria-label="{escape(label)}"')
