"""What is set for a sensor in place of its metrics' declarations: who, why, till when; the form."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from catalog.model import Stream
from catalog.overrides import site_overrides
from console.deeds import do
from console.frame import View, panel
from console.marks import local_time
from console.roles import Role
from console.texts import Words
from console.widgets.forms import (
    act_button,
    choice_field,
    chosen_time,
    named_field,
    show_mistake,
    text_field,
    time_field,
)
from console.widgets.table import Column, Table
from storage.overrides import Row, Target, Wish, end_override, in_force, set_override

Anew = Callable[[], Awaitable[None]]
NUMBERS = ("low", "high", "floor", "resolution")


class SpanPanel:
    """The table of what holds for a sensor; for operators with the form to set and to end it."""

    def __init__(self, view: View, declared: Stream, sensor: str, anew: Anew) -> None:
        self._view, self._declared, self._sensor, self._anew = view, declared, sensor, anew
        words = view.words
        with panel(words("spans.title"), "short spans"):
            self._table = Table(
                [
                    Column("metric", words("sensor.metric")),
                    Column("span", words("spans.span")),
                    Column("floor", words("spans.floor")),
                    Column("resolution", words("spans.resolution")),
                    Column("until", words("spans.until")),
                    Column("author", words("spans.author")),
                    Column("reason", words("spans.reason")),
                ],
                label=words("spans.title"),
                empty=words("spans.nothing"),
            )
            if view.who.may(Role.OPERATOR):
                self._form()

    def show(self, rows: list[Row], now: datetime) -> None:
        """Show what holds at a time: what people have set, and the site."""
        words = self._view.words
        shown = [_row(words, self._declared, row) for row in in_force(rows, now)]
        for one in site_overrides(self._declared):
            if one.sensor in ("", self._sensor):
                low, high = one.span or (None, None)
                site = Row.model_construct(
                    **one.model_dump(exclude={"span"}), span_low=low, span_high=high, until=None
                )
                shown.append(_row(words, self._declared, site))
        self._table.show([row | {"id": str(n)} for n, row in enumerate(shown)])

    def _form(self) -> None:
        words = self._view.words
        metrics = {m.name: words.of(m.title) for m in self._declared.metrics if not m.is_named}
        if not metrics:
            return
        with ui.element("div").classes("fields"):
            with named_field(words("sensor.metric")):
                self._metric = choice_field(metrics, next(iter(metrics)))
            self._numbers = {}
            for name in NUMBERS:
                with named_field(words(f"spans.{name}")):
                    self._numbers[name] = text_field(most=20)
            with named_field(words("spans.until"), words("spans.until_hint")):
                self._until = time_field()
            with named_field(words("spans.reason"), wide=True):
                self._reason = text_field(most=500)
            with ui.element("div").classes("field-end"):
                act_button(words("spans.set"), self._set, strong=True)
                act_button(words("spans.end"), self._end)

    @property
    def _target(self) -> Target:
        return Target(self._declared.name, self._sensor, str(self._metric.value))

    async def _set(self) -> None:
        given: dict[str, Any] = {n: (f.value or "").strip() for n, f in self._numbers.items()}
        low, high, floor, step = (given[name] or None for name in NUMBERS)
        span = None if low is None and high is None else (low or "", high or "")
        told = {"span": span, "floor": floor, "resolution": step}
        told |= {"until": chosen_time(self._until), "reason": self._reason.value or ""}
        try:
            wish = Wish.model_validate(told)
        except ValidationError as error:
            show_mistake(self._view.words, error)
            return
        target = self._target
        if await do(self._view, "", "", lambda conn, who: set_override(conn, target, wish, who)):
            self._view.say("spans.done")
            await self._anew()

    async def _end(self) -> None:
        why, target = (self._reason.value or "").strip(), self._target
        if not why:
            ui.notify(self._view.words("spans.reason"), type="warning")
            return
        if await do(self._view, "", "", lambda conn, who: end_override(conn, target, why, who)):
            self._view.say("spans.ended")
            await self._anew()


def _row(words: Words, declared: Stream, row: Row) -> dict[str, Any]:
    quantity = declared.quantity(row.metric)
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"

    def said(value: float | None) -> str:
        return "" if value is None else f"{value:g}{unit}"

    span = "" if row.span_low is None else f"{row.span_low:g} … {row.span_high:g}{unit}"
    return {
        "metric": words.of(quantity.title),
        "span": span,
        "floor": said(row.floor),
        "resolution": said(row.resolution),
        "until": local_time(row.until) if row.until else "",
        "author": row.author,
        "reason": row.reason,
    }
