"""The city at one glance."""

from nicegui import ui

from console.auth import Desk
from console.frame import View, page


def register(desk: Desk) -> None:
    """Register the page."""
    page(desk, "/", overview)


async def overview(view: View) -> None:
    """Show the city."""
    ui.label(view.words("app.title"))
