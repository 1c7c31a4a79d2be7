"""The form in which a sensor gets its name and place, or is taken out of service."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from pydantic import ValidationError

from catalog.headline import in_screen_order
from catalog.sensors import sensor as declared_sensor
from catalog.site import site
from console.deeds import do
from console.frame import View
from console.registration import Placing, register_sensor, restore_sensor, retire_sensor
from console.registry import Row
from console.widgets.forms import (
    act_button,
    choice_field,
    named_field,
    show_mistake,
    text_field,
)
from service.postgres import now_of

TEXTS = ("title_zh", "title_en", "street")
Anew = Callable[[], Awaitable[None]]


class PlacingForm:
    """Fields of a placing; for a new sensor also its stream and id."""

    def __init__(self, view: View, anew: Anew, known: Row | None = None) -> None:
        self._view, self._anew, self._known = view, anew, known
        words, row = view.words, known or {}
        with ui.element("div").classes("fields"):
            if known is None:
                with named_field(words("filter.stream")):
                    streams = {s.name: words.of(s.title) for s in in_screen_order()}
                    self._stream = choice_field(streams, next(iter(streams)))
                with named_field(words("register.id")):
                    self._sensor = text_field(most=64)
            self._texts = {}
            for name in TEXTS:
                label = "sensors.street" if name == "street" else f"register.{name}"
                given = row.get(name) or ""
                with named_field(words(label)):
                    own = "" if given == row.get("sensor") else given
                    self._texts[name] = text_field(value=own, most=120)
            with named_field(words("filter.district")):
                districts = {code: words.of(d.title) for code, d in site().districts.items()}
                chosen = row.get("district") or ""
                first = chosen if chosen in districts else next(iter(districts))
                self._district = choice_field(districts, first)
            self._degrees = {}
            for name in ("lon", "lat"):
                with named_field(words(f"register.{name}")):
                    at = row.get(name)
                    self._degrees[name] = text_field(value="" if at is None else str(at), most=12)
            with ui.element("div").classes("field-end"):
                act_button(words("register.save"), self._save, strong=True)

    async def _save(self) -> None:
        view, given = self._view, {n: f.value or "" for n, f in self._texts.items()}
        given |= {n: (f.value or "").strip() for n, f in self._degrees.items()}
        stream = self._known["stream"] if self._known else self._stream.value
        sensor = self._known["sensor"] if self._known else (self._sensor.value or "").strip()
        if not sensor:
            ui.notify(view.words("register.id"), type="warning")
            return
        try:
            placing = Placing.model_validate(given | {"district": self._district.value})
        except ValidationError as error:
            show_mistake(view.words, error)
            return

        if await do(
            view,
            "",
            "",
            lambda conn, who: register_sensor(conn, stream, sensor, placing, who),
        ):
            view.say("register.saved")
        await self._anew()


def service_form(view: View, anew: Anew, known: Row) -> None:
    """Show what may be done with a sensor that is known: place it, take it out or put it back."""
    words, stream, sensor = view.words, known["stream"], known["sensor"]

    if declared_sensor(stream, sensor):
        ui.label(words("register.declared")).classes("pad")
    else:
        PlacingForm(view, anew, known)

    async def restore() -> None:
        if await do(view, "", "", lambda c, who: restore_sensor(c, stream, sensor, who, now_of(c))):
            view.say("register.restored")
        await anew()

    async def retire() -> None:
        why = (reason.value or "").strip()
        if not why:
            ui.notify(words("register.reason"), type="warning")
            return
        if await do(
            view, "", "", lambda c, who: retire_sensor(c, stream, sensor, why, who, now_of(c))
        ):
            view.say("register.retired")
        await anew()

    with ui.element("div").classes("form-row"):
        if known["status"] == "retired":
            act_button(words("register.restore"), restore, strong=True)
        else:
            reason = text_field(words("register.reason"))
            act_button(words("register.retire"), retire)
