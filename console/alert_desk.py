"""What an operator may do with one alert: the buttons that fit its state, a note, a user."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts.episode import acts
from alerts.episode.models import Alert
from alerts.sources.ending import can_be_ended, end_alert
from alerts.sources.verdict import ACTS, Verdict, can_be_judged, judge_alert
from console.alerting import alerting
from console.deeds import do
from console.dossier import Dossier
from console.duty import People
from console.frame import View
from console.widgets.forms import act_button, choice_field, text_field
from service.postgres import now_of

SHELVED = timedelta(hours=1)
Deed = Callable[[Connection, str, str], Any]


@dataclass
class AlertDesk:
    """The note that goes with each act, and the buttons below it."""

    view: View
    episode: str
    anew: Callable[[], Awaitable[None]]
    shown: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        self.note = text_field(self.view.words("alerts.note"))
        self.buttons = ui.element("div").classes("buttons")

    def show(self, found: Dossier) -> None:
        """Offer what can be done now; a button under somebody's finger stays where it is."""
        alert, now = found.alert, self.view.desk.clock.now()
        shelved = alert.shelved_until is not None and alert.shelved_until > now
        fits = (alert.status, alert.confidence, alert.acked_at, shelved, found.people)
        if fits == self.shown:
            return
        self.shown = fits
        self.buttons.clear()
        with self.buttons:
            self._offers(alert, shelved, found.people)

    def _offers(self, alert: Alert, shelved: bool, people: People) -> None:
        me = self.episode
        if alert.acked_at is None:
            self._offer(
                "ack",
                "alerts.ack",
                lambda c, who, said: acts.acknowledge(c, me, who, said, now_of(c)),
                strong=True,
            )
        self._offer(
            "comment",
            "alert.comment",
            lambda c, who, said: acts.comment(c, me, who, said),
            needs_note=True,
        )
        self._assigning(people)
        if shelved:
            self._offer("unshelve", "alert.unshelve", lambda c, who, _: acts.unshelve(c, me, who))
        elif alert.cleared_at is None:
            self._offer(
                "shelve",
                "alert.shelve",
                lambda c, who, said: acts.shelve(c, me, who, now_of(c) + SHELVED, said, now_of(c)),
                needs_note=True,
            )
        if can_be_judged(alert):
            for verdict, act in ACTS.items():
                self._offer(act, f"alert.{act}", _judging(me, verdict), needs_note=True)
        if can_be_ended(alert):
            self._offer("end", "alert.end", _ending(me), needs_note=True)

    def _assigning(self, people: People) -> None:
        me, own = self.episode, self.view.who.name
        if own in people.names:
            self._offer(
                "assign",
                "alert.assign_me",
                lambda c, who, _: acts.assign(c, me, who, who, now_of(c)),
            )
        if others := people.choices(self.view.words, but=own):
            label = self.view.words("alert.assign_whom")
            to = choice_field(others, next(iter(others)), label=label)
            self._offer(
                "assign",
                "alert.assign_to",
                lambda c, who, _: acts.assign(c, me, who, to.value, now_of(c)),
            )

    def _offer(
        self, what: str, text: str, deed: Deed, *, needs_note: bool = False, strong: bool = False
    ) -> None:
        async def press() -> None:
            said = (self.note.value or "").strip()
            if needs_note and not said:
                ui.notify(self.view.words("alert.note_needed"), type="warning")
                return
            done = await do(
                self.view,
                f"alert.{what}",
                self.episode,
                lambda conn, who: deed(conn, who, said),
                note=said,
            )
            if done:
                self.note.set_value("")
            await self.anew()

        act_button(self.view.words(text), press, strong=strong)


def _judging(episode: str, verdict: Verdict) -> Deed:
    def deed(conn: Connection, who: str, said: str) -> None:
        room = alerting()
        judge_alert(conn, episode, verdict, who, said, room.notifier, room.settings, now_of(conn))

    return deed


def _ending(episode: str) -> Deed:
    def deed(conn: Connection, who: str, said: str) -> None:
        room = alerting()
        end_alert(conn, episode, who, said, room.notifier, room.settings, now_of(conn))

    return deed
