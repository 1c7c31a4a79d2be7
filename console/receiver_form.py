"""The forms by which an administrator adds and changes receivers, and the secret shown once."""

from collections.abc import Awaitable, Callable
from typing import Any, get_args

from nicegui import ui
from psycopg import Connection
from pydantic import SecretStr, ValidationError

from alerts.delivery.guard import hide
from alerts.delivery.receivers import (
    ROBOTS,
    ReceiverChange,
    ReceiverDraft,
    ReceiverView,
    change,
    create,
    remove,
    rotate_secret,
)
from alerts.event.events import Format
from catalog.registry import systems
from catalog.rules import Concern
from catalog.severity import LEVELS
from console.alerting import alerting
from console.deeds import do
from console.frame import View, unfolding
from console.marks import level_mark
from console.roles import Role
from console.texts import Words
from console.widgets.forms import (
    act_button,
    choice_field,
    choices_field,
    named_field,
    show_mistake,
    text_field,
)
from service.postgres import now_of

FORMATS = get_args(Format)
CHANNELS = ("actual", "exercise")
Anew = Callable[[], Awaitable[None]]


def receiver_state(words: Words, known: ReceiverView) -> str:
    """Return whether a receiver is on, why not, and that it is one of exercises."""
    state = words("receivers.on" if known.enabled else "receivers.off")
    if known.disabled_reason:
        state = f"{state} · {known.disabled_reason}"
    if known.channel == "exercise":
        state = f"{state} · {words('receivers.channel_exercise')}"
    return state


class SecretBox:
    """Shows a new signing secret, once: it is gone with the page."""

    def __init__(self, words: Words) -> None:
        with ui.element("div").classes("secret").props('role="status"') as self._box:
            self._told = ui.label()
            self._secret = ui.label().classes("code")
            act_button(words("receivers.secret_taken"), self.hide)
        self._words = words
        self.hide()

    def show(self, name: str, secret: str) -> None:
        """Show the secret of a receiver; robots without one have nothing to show."""
        self._told.set_text(self._words("receivers.secret_once", name=name))
        self._secret.set_text(secret)
        self._box.set_visibility(bool(secret))

    def hide(self) -> None:
        """Forget the secret."""
        self._secret.set_text("")
        self._box.set_visibility(False)


def add_form(view: View, anew: Anew) -> None:
    """Show the form for a new receiver."""
    words = view.words
    box = SecretBox(words)
    with ui.element("div").classes("fields"):
        with named_field(words("receivers.name"), "a-z 0-9 -"):
            name = text_field(hint="flood-duty", most=63)
        with named_field(words("receivers.url"), words("receivers.hosts")):
            url = text_field(hint="https://duty.example.cn/hook")
        with named_field(words("receivers.format")):
            formats = {f: words(f"receivers.format_{f}") for f in FORMATS}
            format = choice_field(formats, "cityops")
        with named_field(words("receivers.channel")):
            channels = {c: words(f"receivers.channel_{c}") for c in CHANNELS}
            channel = choice_field(channels, "actual")
        level, domains, concerns = _filters(view)
        with named_field(words("receivers.own_secret"), words("receivers.own_secret_hint")):
            secret = text_field()
            secret.props("type=password autocomplete=off")
        with ui.element("div").classes("field-end"):
            act_button(words("receivers.add"), lambda: put(), strong=True)

    async def put() -> None:
        own = (secret.value or "").strip()
        try:
            draft = ReceiverDraft(
                name=(name.value or "").strip(),
                url=(url.value or "").strip(),
                format=format.value,
                channel=channel.value,
                secret=SecretStr(own) if own else None,
                min_severity=int(level.value),
                domains=list(domains.value or []),
                concerns=list(concerns.value or ["city"]),
            )
        except ValidationError as error:
            show_mistake(words, error)
            return

        def deed(conn: Connection, _: str) -> str:
            return create(conn, draft, alerting().guard, alerting().vault)

        seen = draft.model_dump(exclude={"secret", "name"}) | {"url": hide(draft.url)}
        made = await do(view, "receiver.create", draft.name, deed, role=Role.ADMIN, **seen)
        if made is False:
            return
        view.say("receivers.added", name=draft.name)
        if isinstance(made, str) and not own:
            box.show(draft.name, made)
        for field in (name, url, secret):
            field.set_value("")
        await anew()


def change_form(view: View, known: ReceiverView, anew: Anew) -> None:
    """Show what may be changed of a receiver; one of the receivers file is changed there."""
    words = view.words
    box = SecretBox(words)
    if known.origin == "file":
        ui.label(words("receivers.of_file")).classes("advice")
    else:
        _settings(view, known, anew)

    async def rotate() -> None:
        made = await do(
            view,
            "receiver.rotate",
            known.name,
            lambda conn, _: rotate_secret(conn, known.name, alerting().vault, now_of(conn)),
            role=Role.ADMIN,
        )
        if isinstance(made, str):
            box.show(known.name, made)
        await anew()

    if known.format not in ROBOTS:
        with ui.element("div").classes("form-row"):
            act_button(words("receivers.rotate"), rotate)
            ui.label(words("receivers.rotate_hint")).classes("count")


def remove_form(view: View, known: ReceiverView) -> None:
    """Offer to remove a receiver, below a title of its own so that no slip of the hand does it."""
    words = view.words

    async def go() -> None:
        def deed(conn: Connection, _: str) -> None:
            remove(conn, known.name, alerting().notifier.routes.receivers())

        if await do(view, "receiver.remove", known.name, deed, role=Role.ADMIN):
            ui.navigate.to("/receivers")

    with unfolding(words("receivers.remove_title"), "removal"):
        ui.label(words("receivers.remove_hint", waiting=known.waiting)).classes("advice")
        with ui.element("div").classes("form-row"):
            act_button(words("receivers.remove", name=known.name), go)


def _settings(view: View, known: ReceiverView, anew: Anew) -> None:
    words = view.words
    with ui.element("div").classes("fields"):
        with named_field(words("receivers.url"), words("receivers.hosts")):
            url = text_field(hint=known.url)
        level, domains, concerns = _filters(view, known)
        with named_field(words("receivers.routed")):
            kinds = {"yes": words("receivers.routed_yes"), "no": words("receivers.routed_no")}
            routed = choice_field(kinds, "yes" if known.routed else "no")
        with ui.element("div").classes("field-end"):
            act_button(words("receivers.save"), lambda: put(), strong=True)

    async def put() -> None:
        address = (url.value or "").strip()
        try:
            wanted = ReceiverChange(
                url=address or None,
                min_severity=int(level.value),
                domains=list(domains.value or []),
                concerns=list(concerns.value or ["city"]),
                routed=routed.value == "yes",
            )
        except ValidationError as error:
            show_mistake(words, error)
            return
        seen = wanted.model_dump(exclude_none=True) | ({"url": hide(address)} if address else {})

        def deed(conn: Connection, _: str) -> None:
            change(conn, known.name, wanted, alerting().guard)

        if await do(view, "receiver.change", known.name, deed, role=Role.ADMIN, **seen):
            view.say("receivers.saved")
            url.set_value("")
        await anew()


def _filters(view: View, known: ReceiverView | None = None) -> tuple[Any, Any, Any]:
    words = view.words
    with named_field(words("receivers.level")):
        marks = {str(int(n)): level_mark(words, n) for n in LEVELS}
        texts = {n: f"{mark['icon']} {mark['text']}" for n, mark in marks.items()}
        chosen = str(known.min_severity) if known else "4"
        level = choice_field(texts, chosen)
    with named_field(words("filter.domain"), words("receivers.empty_all")):
        titles = {name: words.of(domain.title) for name, domain in systems().items()}
        domains = choices_field(titles)
        domains.set_value(list(known.domains) if known else [])
    with named_field(words("receivers.concerns")):
        concerns = choices_field({c: words(f"concern.{c}") for c in get_args(Concern)})
        concerns.props(remove="use-chips")  # the chips' button speaks one language only
        concerns.set_value(list(known.concerns) if known else ["city"])
    return level, domains, concerns
