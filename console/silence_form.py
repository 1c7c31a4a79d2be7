"""The form in which a silence is set: choices from lists, and a preview of what it would hide."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from nicegui import ui
from psycopg import Connection
from pydantic import ValidationError

from alerts.episode.models import Alert
from alerts.episode.queries import preview
from alerts.event.labels import Matcher
from alerts.routing.silences import SilenceDraft, add_silence
from catalog.headline import in_screen_order
from catalog.severity import LEVELS
from catalog.site import site
from console import registry
from console.conditions import condition, condition_text
from console.deeds import do
from console.frame import View
from console.marks import level_mark
from console.mistakes import mistake
from console.rows import where_title
from console.texts import Words
from console.widgets.forms import act_button, choice_field, named_field, text_field
from console.widgets.table import Column, Table
from service.postgres import now_of

KINDS = ("silence", "maintenance")
HOURS = ("1", "4", "24", "168")
SHOWN = 100
CHOSEN = ("district", "stream", "rule", "severity")
"""Labels that are chosen from lists; others are written as conditions."""


class SilenceForm:
    """Fields for what to match, why and how long; ``given`` is chosen at first."""

    def __init__(
        self, view: View, given: dict[str, str], anew: Callable[[], Awaitable[None]]
    ) -> None:
        self._view, self._words, self._anew = view, view.words, anew
        words = view.words
        with ui.element("div").classes("fields"):
            with named_field(words("silences.kind")):
                self._kind = choice_field(
                    {k: words(f"silences.kind_{k}") for k in KINDS}, "silence"
                )
            self._chosen = {name: self._choice(name, given.get(name, "")) for name in CHOSEN}
            with named_field(words("label.sensor")):
                self._sensor = text_field(value=given.get("sensor", ""))
            with named_field(words("silences.more"), words("silences.matchers")):
                self._lines = text_field()
            with named_field(words("silences.hours")):
                spans = {hours: words(f"silences.hours_{hours}") for hours in HOURS}
                self._hours = choice_field(spans, "1")
            with named_field(words("silences.reason"), wide=True):
                self._reason = text_field()
            with ui.element("div").classes("buttons"):
                act_button(words("silences.preview"), self.look)
                act_button(words("silences.set"), self.put, strong=True)
        with ui.element("div").classes("preview") as self._box:
            self._count = ui.label().classes("pad").props('role="status"')
            self._table = Table(
                _columns(words), label=words("silences.preview"), empty=words("alerts.nothing")
            )
        self._box.set_visibility(False)

    async def look(self) -> list[Matcher] | None:
        """Show what would be hidden; None when the conditions cannot be read."""
        words = self._words
        try:
            matchers = self._matchers()
        except ValueError as error:
            ui.notify(mistake(words, error), type="warning", multi_line=True)
            return None
        if not matchers:
            ui.notify(words("silences.choose"), type="warning")
            return None
        hidden, places = await self._view.ask(lambda conn: _hidden(conn, matchers))
        self._count.set_text(words("silences.hides", count=len(hidden)))
        self._table.show([_row(words, alert, places) for alert in hidden[:SHOWN]])
        self._box.set_visibility(True)
        return matchers

    async def put(self) -> None:
        """Set the silence."""
        matchers = await self.look()
        if matchers is None:
            return
        now = self._view.desk.clock.now()
        try:
            draft = SilenceDraft(
                kind=self._kind.value,
                matchers=matchers,
                reason=(self._reason.value or "").strip(),
                starts_at=now,
                ends_at=now + timedelta(hours=int(self._hours.value)),
            )
        except ValidationError as error:
            ui.notify(mistake(self._words, error), type="warning", multi_line=True)
            return
        done = await do(
            self._view,
            f"{draft.kind}.create",
            " ".join(map(str, matchers)),
            lambda conn, who: add_silence(conn, draft.beginning(now_of(conn)), who),
            reason=draft.reason,
        )
        if done:
            self._view.say("silences.done")
            for field in (self._lines, self._reason, self._sensor):
                field.set_value("")
            self._box.set_visibility(False)
        await self._anew()

    def _choice(self, label: str, chosen: str) -> ui.select:
        options = {"": self._words("filter.all")} | _options(self._words, label)
        with named_field(self._words(f"label.{label}")):
            return choice_field(options, chosen if chosen in options else "")

    def _matchers(self) -> list[Matcher]:
        chosen = [
            Matcher(name=name, op="=", value=field.value)
            for name, field in self._chosen.items()
            if field.value
        ]
        if sensor := (self._sensor.value or "").strip():
            chosen.append(Matcher(name="sensor", op="=", value=sensor))
        return chosen + [condition(line) for line in (self._lines.value or "").split()]


def _options(words: Words, label: str) -> dict[str, str]:
    if label == "district":
        return {code: words.of(district.title) for code, district in site().districts.items()}
    if label == "stream":
        return {s.name: words.of(s.title) for s in in_screen_order()}
    if label == "severity":
        return {
            s.name.lower(): f"{v.icon} {v.roman} {words.of(v.title)}" for s, v in LEVELS.items()
        }
    return {
        s.rule_id(rule): f"{words.of(s.title)} · {words.of(rule.title)}"
        for s in in_screen_order()
        for rule in s.rules
    }


def _hidden(
    conn: Connection, matchers: list[Matcher]
) -> tuple[list[Alert], dict[tuple[str, str], registry.Row]]:
    found = preview(conn, matchers)
    return found, registry.places(conn, [(a.stream, a.sensor) for a in found[:SHOWN]])


def _columns(words: Words) -> list[Column]:
    return [
        Column("level", words("alerts.level"), "level", width="80px"),
        Column("title", words("alerts.what"), "link"),
        Column("sensor", words("alerts.where")),
    ]


def _row(
    words: Words, alert: Alert, places: dict[tuple[str, str], registry.Row]
) -> dict[str, object]:
    place = places.get((alert.stream, alert.sensor), {})
    return {
        "id": alert.id,
        "level": level_mark(words, alert.severity),
        "title": {"text": words.pick(*alert.titles), "href": f"/alerts/{alert.id}"},
        "sensor": where_title(words, alert.stream, alert.sensor, place),
    }


def silence_text(words: Words, matchers: Sequence[Matcher]) -> str:
    """Return what a silence matches, as people say it."""
    return " · ".join(condition_text(words, matcher) for matcher in matchers)
