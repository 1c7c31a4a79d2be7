"""Who is told: receivers, what waits for them, a test, on and off."""

from datetime import timedelta
from typing import Any

from psycopg import Connection

from alerts.delivery.log import send_test
from alerts.delivery.receivers import ReceiverChange, ReceiverView, change, list_receivers
from catalog.registry import systems
from console.alerting import alerting
from console.deeds import do
from console.frame import Page, View, keep_fresh, panel, unfolding
from console.marks import level_mark
from console.receiver_form import add_form, receiver_state
from console.roles import Role
from console.widgets.table import Act, Column, Table
from console.widgets.tools import list_tools
from service.postgres import now_of


async def receivers(view: View) -> None:
    """Show the receivers."""
    words = view.words

    async def act(pressed: Act) -> None:
        if pressed.name == "test":
            await _test(view, pressed.row)
        else:
            await _switch(view, pressed.row, pressed.name == "enable")
        await read()

    if view.who.may(Role.ADMIN):
        with unfolding(words("receivers.new"), "new"):
            add_form(view, lambda: read())
    with panel(words("receivers.title"), "list") as side:
        table = Table(
            _columns(view),
            label=words("receivers.title"),
            empty=words("receivers.none"),
            on_act=act,
        )
        list_tools(words, side, table)

    async def read() -> None:
        found = await view.ask(list_receivers)
        table.show([_row(view, receiver) for receiver in found])

    await read()
    keep_fresh(view, read)


async def _test(view: View, name: str) -> None:
    def deed(conn: Connection, who: str) -> str:
        return send_test(conn, name, who, alerting().links, now_of(conn))

    if await do(view, "receiver.test", name, deed):
        view.say("receivers.tested")


async def _switch(view: View, name: str, on: bool) -> None:
    def deed(conn: Connection, _: str) -> None:
        change(conn, name, ReceiverChange(enabled=on), alerting().guard)

    await do(view, "receiver.change", name, deed, role=Role.ADMIN, enabled=on)


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("name", words("receivers.name"), "link"),
        Column("state", words("receivers.state")),
        Column("url", words("receivers.url"), hide=True),
        Column("format", words("receivers.format"), hide=True),
        Column("level", words("receivers.level"), "level", hide=True),
        Column("domains", words("filter.domain"), hide=True),
        Column("waiting", words("receivers.waiting"), "number"),
        Column("oldest", words("receivers.oldest"), "age", hide=True),
        Column("failed", words("receivers.failed"), "number"),
        Column("last", words("receivers.last"), "time", hide=True),
        Column("error", words("receivers.error"), hide=True),
        Column("act", "", "actions"),
    ]


def _row(view: View, receiver: ReceiverView) -> dict[str, Any]:
    words = view.words
    oldest = None
    if receiver.oldest_waiting_s is not None:
        since = view.desk.clock.now() - timedelta(seconds=receiver.oldest_waiting_s)
        oldest = since.isoformat()
    last, known = receiver.last_delivered_at, systems()
    return {
        "id": receiver.name,
        "name": {"text": receiver.name, "href": f"/receivers/{receiver.name}"},
        "state": receiver_state(words, receiver),
        "url": receiver.url,
        "format": receiver.format,
        "level": level_mark(words, receiver.min_severity),
        "domains": " ".join(words.of(known[d].title) for d in receiver.domains if d in known),
        "waiting": {"text": str(receiver.waiting), "unit": "", "sort": receiver.waiting},
        "oldest": oldest,
        "failed": {"text": str(receiver.failed), "unit": "", "sort": receiver.failed},
        "last": last.isoformat() if last else None,
        "error": receiver.last_error or "",
        "act": _acts(view, receiver),
    }


def _acts(view: View, receiver: ReceiverView) -> list[dict[str, str]]:
    words, found = view.words, []
    if view.who.may(Role.OPERATOR) and receiver.enabled:
        found.append({"act": "test", "text": words("receivers.test")})
    if view.who.may(Role.ADMIN):
        act = "disable" if receiver.enabled else "enable"
        found.append({"act": act, "text": words(f"receivers.{act}")})
    return found


PAGE = Page("/receivers", "receivers.title", receivers, place=7)
