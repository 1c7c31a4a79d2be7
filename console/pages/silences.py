"""Silences and maintenance windows: set with a preview of what they would hide, ended."""

from typing import Any

from psycopg import Connection

from alerts.routing.silences import Silence, end_silence, list_silences
from console.deeds import do
from console.frame import Page, View, keep_fresh, panel
from console.roles import Role
from console.silence_form import SilenceForm, silence_text
from console.widgets.filters import filter_row, named
from console.widgets.table import Act, Column, Table
from console.widgets.tools import list_tools
from service.postgres import now_of


async def silences(
    view: View,
    state: str = "open",
    district: str = "",
    stream: str = "",
    rule: str = "",
    severity: str = "",
    sensor: str = "",
) -> None:
    """Show silences in force and to come, or all; labels in the address are chosen in the form."""
    words = view.words
    filter_row(words, [named(words, "list", "state", ("open", "all"))], {"state": state})

    async def act(pressed: Act) -> None:
        def deed(conn: Connection, who: str) -> None:
            end_silence(conn, int(pressed.row), who, now_of(conn))

        if await do(view, "silence.expire", pressed.row, deed):
            view.say("silences.ended")
        await read()

    if view.who.may(Role.OPERATOR):
        with panel(words("silences.new"), "new"):
            given = {"district": district, "stream": stream, "rule": rule}
            given |= {"severity": severity, "sensor": sensor}
            SilenceForm(view, given, lambda: read())
    with panel(words("silences.title"), "list") as side:
        table = Table(
            _columns(view), label=words("silences.title"), empty=words("silences.none"), on_act=act
        )
        list_tools(words, side, table)

    async def read() -> None:
        found = await view.ask(lambda conn: list_silences(conn, expired=state == "all"))
        table.show([_row(view, silence) for silence in found])

    await read()
    keep_fresh(view, read)


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
        "matchers": silence_text(words, silence.matchers),
        "reason": silence.reason,
        "author": silence.author,
        "starts": silence.starts_at.isoformat(),
        "ends": silence.ends_at.isoformat(),
        "act": [{"act": "end", "text": words("silences.end")}] if ending else [],
    }


PAGE = Page("/silences", "silences.title", silences, place=8)
