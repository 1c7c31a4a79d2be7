"""What an operator may do with one incident: the buttons that fit its status, a note, a user."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts.incident import care as care
from alerts.incident.acts import (
    confirm_incident,
    merge_incidents,
    reopen_incident,
    resolve_incident,
)
from alerts.incident.queries import IncidentPage, Summary
from console import registry
from console.alerting import alerting
from console.deeds import do
from console.duty import Contact, People
from console.frame import View
from console.marks import local_time
from console.rows import incident_title
from console.widgets.forms import act_button, choice_field, text_field
from service.postgres import now_of


@dataclass(frozen=True, slots=True)
class Found:
    """An incident with places of its alerts, the similar one before, others open, and people."""

    page: IncidentPage
    places: dict[tuple[str, str], registry.Row]
    similar: IncidentPage | None
    others: list[Summary]
    people: People
    numbers: list[Contact]


@dataclass
class IncidentDesk:
    """Where operators act: a note that goes with each act, and the buttons that fit the status."""

    view: View
    incident: str
    anew: Callable[[], Awaitable[None]]
    shown: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        self.note = text_field(self.view.words("alerts.note"))
        self.buttons = ui.element("div").classes("buttons")

    def show(self, now: Found) -> None:
        """Offer what can be done now; a button under somebody's finger stays where it is."""
        found = now.page.incident
        fits = (found.status, found.acked_at, [o.id for o in now.others], now.people)
        if fits == self.shown:
            return
        self.shown = fits
        self.buttons.clear()
        with self.buttons:
            self._offers(found, now.people)
            if now.others and found.resolved_at is None:
                self._merging(now.others)

    def _offers(self, found: Summary, people: People) -> None:
        me = self.incident
        if found.status == "candidate":
            self._offer("confirm", "incident.confirm", _confirm(me), strong=True)
        if found.resolved_at is None and found.acked_at is None:
            self._offer(
                "ack",
                "alerts.ack",
                lambda c, who, said: care.acknowledge_incident(c, me, who, said, now_of(c)),
                strong=found.status != "candidate",
            )
        if found.resolved_at is None:
            self._offer("resolve", "incident.resolve", _course(resolve_incident, me))
        if found.status == "resolved":
            self._offer("reopen", "incident.reopen", _course(reopen_incident, me), strong=True)
        self._offer(
            "comment",
            "alert.comment",
            lambda c, who, said: care.comment_incident(c, me, who, said),
        )
        self._assigning(people)

    def _assigning(self, people: People) -> None:
        words, me, own = self.view.words, self.incident, self.view.who.name
        if own in people.names:
            self._offer(
                "assign",
                "alert.assign_me",
                lambda c, who, _: care.assign_incident(c, me, who, who),
            )
        if others := people.choices(words, but=own):
            label = words("alert.assign_whom")
            to = choice_field(others, next(iter(others)), label=label)
            self._offer(
                "assign",
                "alert.assign_to",
                lambda c, who, _: care.assign_incident(c, me, who, to.value),
            )

    def _merging(self, others: list[Summary]) -> None:
        words = self.view.words
        titles = {o.id: _choice(words, o) for o in others}
        into = choice_field(titles, others[0].id, label=words("incident.merge_into"))
        self._offer("merge", "incident.merge", _merge(self.incident, into))

    def _offer(self, what: str, text: str, deed: Any, *, strong: bool = False) -> None:
        async def press() -> None:
            said = (self.note.value or "").strip()
            if what in ("comment", "resolve") and not said:
                ui.notify(self.view.words("alert.note_needed"), type="warning")
                return
            done = await do(
                self.view,
                f"incident.{what}",
                self.incident,
                lambda conn, who: deed(conn, who, said),
                note=said,
            )
            if done:
                self.note.set_value("")
            await self.anew()

        act_button(self.view.words(text), press, strong=strong)


def _choice(words: Any, other: Summary) -> str:
    return f"{incident_title(words, other)} · {local_time(other.opened_at)}"


def _confirm(incident: str) -> Any:
    def deed(conn: Connection, who: str, _: str) -> None:
        room = alerting()
        confirm_incident(conn, incident, who, room.notifier, room.settings, now_of(conn))

    return deed


def _merge(incident: str, into: Any) -> Any:
    def deed(conn: Connection, who: str, _: str) -> None:
        room = alerting()
        merge_incidents(conn, incident, into.value, who, room.notifier, room.settings, now_of(conn))

    return deed


def _course(act: Any, incident: str) -> Any:
    def deed(conn: Connection, who: str, said: str) -> None:
        room = alerting()
        act(conn, incident, who, said, room.notifier, room.settings, now_of(conn))

    return deed
