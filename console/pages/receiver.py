"""The delivery log of one receiver: every message, every attempt, and sending again."""

from datetime import timedelta
from typing import Any, Literal

from nicegui import ui
from psycopg import Connection

from alerts.delivery.log import Delivery, DeliveryPage, get_delivery, list_deliveries, replay_range
from alerts.delivery.log import replay as replay_message
from alerts.delivery.receivers import ReceiverView, get_receiver
from catalog.errors import NotFoundError
from catalog.registry import systems
from console.deeds import do
from console.frame import Page, View, keep_fresh, missing, panel
from console.marks import level_mark, local_time
from console.receiver_form import Anew, change_form, receiver_state, remove_form
from console.roles import Role
from console.widgets.facts import Fact, Facts
from console.widgets.filters import filter_row, named
from console.widgets.forms import act_button
from console.widgets.table import Act, Column, Table
from service.postgres import now_of

MOST = 200
FAILED_WITHIN = timedelta(hours=24)
State = Literal["all", "waiting", "delivered", "failed"]


async def receiver(view: View, name: str, state: State = "all", message: str = "") -> None:
    """Show the messages to one receiver, or one message."""
    words = view.words
    try:
        known = await view.ask(lambda conn: get_receiver(conn, name))
        one = await view.ask(lambda conn: get_delivery(conn, message)) if message else None
    except NotFoundError:
        missing(view, message or name)
        return
    with ui.element("div").classes("crumbs"):
        back = f"/receivers/{name}" if one else "/receivers"
        ui.link(f"‹ {name if one else words('receivers.title')}", back)
        with ui.element("h1"):
            ui.label(one.delivery.headline or one.delivery.kind if one else known.name)
    if one:
        _message(view, one)
        return
    facts = _settings(view, known, lambda: read())
    filter_row(words, [named(words, "list", "state", STATES)], {"state": state})

    async def act(pressed: Act) -> None:
        await do(view, "delivery.replay", pressed.row, lambda conn, _: _again(conn, pressed.row))
        await read()

    async def replay_failed() -> None:
        done = await do(
            view,
            "receiver.replay",
            name,
            lambda conn, _: {"count": _failed_again(conn, name)},
        )
        if isinstance(done, dict):
            view.say("receiver.replayed", **done)
        await read()

    with panel(words("receiver.title"), "list") as side:
        table = Table(
            _columns(view), label=words("receiver.title"), empty=words("receiver.none"), on_act=act
        )
        if view.who.may(Role.OPERATOR):
            with side:
                act_button(words("receiver.replay_failed"), replay_failed)

    if view.who.may(Role.ADMIN):
        remove_form(view, known)

    async def read() -> None:
        found = await view.ask(
            lambda conn: list_deliveries(conn, receiver=name, state=state, limit=MOST)
        )
        table.show([_row(view, name, delivery) for delivery in found])
        facts.show(_facts(view, await view.ask(lambda conn: get_receiver(conn, name))))

    await read()
    keep_fresh(view, read)


def _failed_again(conn: Connection, name: str) -> int:
    now = now_of(conn)
    return replay_range(conn, name, now - FAILED_WITHIN, now, only_failed=True)


def _settings(view: View, known: ReceiverView, anew: Anew) -> Facts:
    """Show what is known of the receiver; an administrator may change it."""
    words = view.words
    with panel(words("receivers.settings"), "glance wide"):
        facts = Facts(words("receivers.settings"))
        if view.who.may(Role.ADMIN):
            change_form(view, known, anew)
    return facts


def _facts(view: View, known: ReceiverView) -> list[Fact]:
    words, until = view.words, known.rotating_until
    domains = [words.of(systems()[d].title) for d in known.domains if d in systems()]
    return [
        (words("receivers.state"), receiver_state(words, known)),
        (words("receivers.url"), known.url),
        (words("receivers.format"), words(f"receivers.format_{known.format}")),
        (words("receivers.channel"), words(f"receivers.channel_{known.channel}")),
        (words("receivers.level"), level_mark(words, known.min_severity)),
        (words("filter.domain"), " ".join(domains) or words("filter.all")),
        (words("receivers.concerns"), " ".join(words(f"concern.{c}") for c in known.concerns)),
        (words("receivers.waiting"), str(known.waiting)),
        (words("receivers.last_seq"), str(known.last_seq)),
        (words("receivers.rotating"), local_time(until) if until else ""),
        (words("receivers.error"), known.last_error or ""),
    ]


STATES = ("all", "waiting", "delivered", "failed")


def _again(conn: Connection, message: str) -> None:
    if replay_message(conn, message) == 0:
        raise NotFoundError(f"no message {message}")


def _message(view: View, page: DeliveryPage) -> None:
    words = view.words
    with panel(words("receiver.title"), "attempts"):
        table = Table(
            [
                Column("attempt", words("receiver.attempt"), "number"),
                Column("at", words("receiver.at"), "time"),
                Column("status", words("receiver.status"), "number"),
                Column("took", words("receiver.took"), "number"),
                Column("error", words("alert.error")),
            ],
            label=words("receiver.title"),
            empty=words("app.nothing"),
        )
    table.show(
        [
            {
                "id": str(n),
                "attempt": {"text": str(a.attempt), "unit": "", "sort": a.attempt},
                "at": a.at.isoformat(),
                "status": {"text": str(a.status_code or "–"), "unit": "", "sort": 0},
                "took": {"text": str(a.duration_ms), "unit": "ms", "sort": a.duration_ms},
                "error": a.error or "",
            }
            for n, a in enumerate(page.attempts)
        ]
    )
    with panel(words("receiver.body"), "body-text"):
        ui.label(page.body).classes("source")


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("sequence", words("receiver.sequence"), "number", width="60px"),
        Column("message", words("receiver.message"), "link"),
        Column("created", words("receiver.created"), "time"),
        Column("state", words("receiver.state")),
        Column("attempts", words("receiver.attempts"), "number", hide=True),
        Column("delivered", words("alert.delivered"), "time", hide=True),
        Column("error", words("alert.error"), hide=True),
        Column("act", "", "actions"),
    ]


def _row(view: View, name: str, delivery: Delivery) -> dict[str, Any]:
    words = view.words
    at = delivery.delivered_at
    attempts = {"text": str(delivery.attempts), "unit": "", "sort": delivery.attempts}
    if delivery.replays:
        attempts["unit"] = f"{words('receiver.replays')} {delivery.replays}"
    return {
        "id": delivery.id,
        "sequence": {"text": str(delivery.sequence), "unit": "", "sort": delivery.sequence},
        "message": {
            "text": delivery.headline or delivery.kind,
            "href": f"/receivers/{name}?message={delivery.id}",
        },
        "created": delivery.created_at.isoformat(),
        "state": words(f"alert.state_{delivery.state}"),
        "attempts": attempts,
        "delivered": at.isoformat() if at else None,
        "error": delivery.last_error or "",
        "act": [{"act": "replay", "text": words("receiver.replay")}]
        if view.who.may(Role.OPERATOR)
        else [],
    }


PAGE = Page("/receivers/{name}", "receiver.title", receiver)
