"""Names and values side by side: what is known about one thing."""

from collections.abc import Sequence
from html import escape
from typing import Any

from nicegui import ui
from nicegui.elements.html import Html

Fact = tuple[str, Any]


class Facts:
    """A list of (name, value); a value is text, or a cell as tables have them."""

    def __init__(self, label: str) -> None:
        self._html: Html = ui.html("", sanitize=False, tag="dl").classes("facts")
        self._html.props(f'aria-label="{escape(label)}"')

    def show(self, facts: Sequence[Fact]) -> None:
        """Show these; those without a value are left out."""
        shown = [f"<dt>{escape(name)}</dt><dd>{cell(value)}</dd>" for name, value in facts if value]
        self._html.set_content("".join(shown))


def cell(value: Any) -> str:
    """Return one value as HTML: text, link, number with unit, or mark with icon."""
    if isinstance(value, list):
        return " ".join(map(cell, value))
    if not isinstance(value, dict):
        return escape(str(value))
    if "href" in value:
        return f'<a href="{escape(value["href"], quote=True)}">{escape(value["text"])}</a>'
    if "mark" in value:
        return badge(value)
    return f"{escape(value['text'])} <small>{escape(value['unit'])}</small>"


def badge(mark: dict[str, Any]) -> str:
    """Return a level or state with its icon."""
    return (
        f'<span class="badge mark-{mark["mark"]}"><i aria-hidden="true">{mark["icon"]}</i>'
        f"{escape(mark['text'])}</span>"
    )
