"""Silences and maintenance windows: set with a preview of what they would hide, ended."""

from datetime import timedelta
from typing import Any

from nicegui import ui
from psycopg import Connection
from pydantic import ValidationError

from alerts.labels import Matcher, parse_matcher
from alerts.silences import Silence, SilenceDraft, add_silence, end_silence, list_silences
from alerts.store import Alert, preview
from console.deeds import do
from console.frame import Page, View, keep_fresh, panel
from console.marks import level_mark
from console.roles import Role
from console.widgets.filters import filter_row, named
from console.widgets.forms import act_button, choice_field, show_mistake, text_field
from console.widgets.table import Act, Column, Table

KINDS = ("silence", "maintenance")
HOURS = ("1", "4", "24", "168")
SHOWN = 100


async def silences(view: View, state: str = "open") -> None:
    """Show silences in force and to come, or all."""
    words = view.words
    filter_row(words, [named(words, "list", "state", ("open", "all"))], {"state": state})

    async def act(pressed: Act) -> None:
        def deed(conn: Connection, who: str) -> None:
            end_silence(conn, int(pressed.row), who, view.desk.clock.now())

        if await do(view, "silence.expire", pressed.row, deed):
            view.say("silences.ended")
        await read()

    if view.who.may(Role.OPERATOR):
        with panel(words("silences.new"), "new"):
            _form(view, lambda: read())
    with panel(words("silences.title"), "list"):
        table = Table(
            _columns(view), label=words("silences.title"), empty=words("silences.none"), on_act=act
        )

    async def read() -> None:
        found = await view.ask(lambda conn: list_silences(conn, expired=state == "all"))
        table.show([_row(view, silence) for silence in found])

    await read()
    keep_fresh(view, read)


def _form(view: View, anew: Any) -> None:
    words = view.words
    with ui.element("div").classes("form-row"):
        kinds = {kind: words(f"silences.kind_{kind}") for kind in KINDS}
        kind = choice_field(kinds, "silence", label=words("silences.kind"))
        lines = text_field(words("silences.matchers"))
        reason = text_field(words("silences.reason"))
        spans = {hours: words(f"silences.hours_{hours}") for hours in HOURS}
        hours = choice_field(spans, "1", label=words("silences.hours"))

        async def look() -> list[Matcher] | None:
            try:
                matchers = [parse_matcher(line) for line in (lines.value or "").split()]
            except ValueError as error:
                ui.notify(str(error), type="warning", multi_line=True)
                return None
            if not matchers:
                ui.notify(words("silences.matchers"), type="warning")
                return None
            hidden = await view.ask(lambda conn: preview(conn, matchers))
            told.set_text(words("silences.hides", count=len(hidden)))
            table.show([_hidden(view, alert) for alert in hidden[:SHOWN]])
            box.set_visibility(True)
            return matchers

        async def put() -> None:
            matchers = await look()
            if matchers is None:
                return
            now = view.desk.clock.now()
            try:
                draft = SilenceDraft(
                    kind=kind.value,
                    matchers=matchers,
                    reason=(reason.value or "").strip(),
                    starts_at=now,
                    ends_at=now + timedelta(hours=int(hours.value)),
                )
            except ValidationError as error:
                show_mistake(error)
                return
            text = " ".join(map(str, matchers))
            done = await do(
                view,
                f"{draft.kind}.create",
                text,
                lambda conn, who: add_silence(conn, draft, who),
                reason=draft.reason,
            )
            if done:
                view.say("silences.done")
                lines.set_value("")
                reason.set_value("")
                box.set_visibility(False)
            await anew()

        act_button(words("silences.preview"), look)
        act_button(words("silences.set"), put, strong=True)
    with ui.element("div").classes("preview") as box:
        told = ui.label().classes("pad").props('role="status"')
        table = Table(
            [
                Column("level", words("alerts.level"), "level", width="80px"),
                Column("title", words("alerts.what"), "link"),
                Column("sensor", words("alerts.where")),
            ],
            label=words("silences.preview"),
            empty=words("alerts.nothing"),
        )
    box.set_visibility(False)


def _hidden(view: View, alert: Alert) -> dict[str, Any]:
    words = view.words
    return {
        "id": alert.id,
        "level": level_mark(words, alert.severity),
        "title": {"text": words.pick(*alert.titles), "href": f"/alerts/{alert.id}"},
        "sensor": alert.sensor,
    }


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("state", words("silences.state"), width="90px"),
        Column("kind", words("silences.kind"), hide=True),
        Column("matchers", words("silences.matched")),
        Column("reason", words("silences.reason")),
        Column("author", words("silences.author"), hide=True),
        Column("starts", words("silences.starts"), "time", hide=True),
        Column("ends", words("silences.ends"), "time"),
        Column("act", "", "actions"),
    ]


def _row(view: View, silence: Silence) -> dict[str, Any]:
    words, state = view.words, silence.state(view.desk.clock.now())
    ending = view.who.may(Role.OPERATOR) and state != "expired"
    return {
        "id": str(silence.id),
        "state": words(f"silences.state_{state}"),
        "kind": words(f"silences.kind_{silence.kind}"),
        "matchers": " ".join(map(str, silence.matchers)),
        "reason": silence.reason,
        "author": silence.author,
        "starts": silence.starts_at.isoformat(),
        "ends": silence.ends_at.isoformat(),
        "act": [{"act": "end", "text": words("silences.end")}] if ending else [],
    }


PAGE = Page("/silences", "silences.title", silences, place=8)
