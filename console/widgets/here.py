"""A button that asks the phone where it is."""

from collections.abc import Callable

from nicegui import ui

from console.texts import Words
from console.widgets.forms import act_button

PATIENCE_S = 12.0
ASK = """return await new Promise((tell) => {
  if (!navigator.geolocation) return tell(null);
  navigator.geolocation.getCurrentPosition(
    (at) => tell([at.coords.longitude, at.coords.latitude, at.coords.accuracy]),
    () => tell(null), { enableHighAccuracy: true, timeout: 10000 });
})"""


def here_button(words: Words, tell: Callable[[float, float], None]) -> None:
    """Show the button; ``tell`` gets longitude and latitude, WGS-84 degrees.

    A browser says where it is only over HTTPS or on this machine, and only if its owner agrees.
    """
    said = ui.label().classes("count").props('role="status"')

    async def press() -> None:
        said.set_text(words("records.locating"))
        try:
            at = await ui.run_javascript(ASK, timeout=PATIENCE_S)
        except TimeoutError:
            at = None
        if at is None:
            said.set_text(words("records.not_located"))
            return
        lon, lat, accuracy = at
        said.set_text(words("records.located", metres=round(accuracy)))
        tell(round(lon, 6), round(lat, 6))

    act_button(words("records.locate"), press)
