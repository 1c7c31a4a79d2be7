"""What every list can do besides being looked at: be exported to a spreadsheet, and printed."""

from contextlib import AbstractContextManager
from typing import Any

from nicegui import ui

from console.texts import Words
from console.widgets.table import Table


def list_tools(words: Words, side: AbstractContextManager[Any], table: Table) -> None:
    """Add to a panel's head the buttons that export what the list shows, and print the page."""
    with side, ui.element("div").classes("tools"):
        for text, press in (
            ("tools.export", table.download),
            ("tools.print", lambda: ui.run_javascript("window.print()")),
        ):
            ui.button(words(text), on_click=press, color=None).props("flat dense no-caps").classes(
                "plain"
            )
