"""What every list can do besides being looked at: be exported to a spreadsheet, and printed."""

from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from console.texts import Words
from console.widgets.table import Table


def compare_link(words: Words, stream: str, metric: str, sensor: str = "") -> None:
    """Add a link to the page that puts today beside another day, and districts side by side."""
    asked = {"stream": stream, "metric": metric} | ({"sensor": sensor} if sensor else {})
    ui.link(words("compare.of_day"), f"/compare?{urlencode(asked)}")


def list_tools(words: Words, side: AbstractContextManager[Any], table: Table) -> None:
    """Add to a panel's head the buttons that export what the list shows, and print the page."""
    with side, ui.element("div").classes("tools"):
        for text, press in (
            ("tools.export", table.download),
            ("tools.book", lambda: table.download_book(words("tools.unit"))),
            ("tools.print", lambda: ui.run_javascript("window.print()")),
        ):
            ui.button(words(text), on_click=press, color=None).props("flat dense no-caps").classes(
                "plain"
            )
