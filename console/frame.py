"""What every page stands in: who looks at it, in which language, with which head."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, TypeVar

import psycopg
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from nicegui import ui
from psycopg import Connection
from psycopg_pool import PoolTimeout

from catalog.model import Severity
from console.auth import COOKIE, Desk, session_principal
from console.away import away
from console.live import Snapshot
from console.login import login_address
from console.marks import level_mark
from console.roles import Principal, Role
from console.texts import COOKIE as LANGUAGE_COOKIE
from console.texts import Words, language_of, words_of
from console.theme import head_html
from console.widgets.head import Pulse
from service.log import logger
from service.source import coming_from, source_address
from storage.views.limits import is_unwell

REFRESH_S = 0.5
ANEW_S = 10.0
BUILD_S = 15.0
SESSION_LOOK_S = 20.0
"""How often an open page asks whether its session lasts."""
YEAR_S = 365 * 24 * 3600
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """One look at a page by one person."""

    desk: Desk
    who: Principal
    words: Words
    token: str | None
    address: str

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Run a query in a thread with a connection of the pool."""

        def work() -> T:
            with coming_from(self.address), self.desk.pool.connection() as conn:
                return question(conn)

        return await asyncio.to_thread(work)

    async def act(self, needed: Role, deed: Callable[[Connection, Principal], T]) -> T | None:
        """Do something in one transaction if the person may, still logged in; None otherwise."""

        def work() -> T | None:
            here = coming_from(self.address)
            with here, self.desk.pool.connection() as conn, conn.transaction():
                who = session_principal(conn, self.desk, self.token)
                return deed(conn, who) if who and who.may(needed) else None

        try:
            done = await asyncio.to_thread(work)
        except (psycopg.Error, PoolTimeout) as error:
            logger().error("an act failed", reason=str(error).strip()[:200])
            ui.notify(self.words("app.failed"), type="negative")
            return None
        if done is None:
            ui.notify(self.words("app.refused"), type="negative")
        return done

    def say(self, key: str, **values: object) -> None:
        """Tell the person that something is done."""
        ui.notify(self.words(key, **values), type="positive")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``body(view, **path_parameters)`` at ``path``; in the menu when it has a place."""

    path: str
    title: str
    body: Callable[..., Awaitable[None]]
    place: int | None = None
    role: Role = Role.VIEWER
    theme: Literal["desk", "wall"] = "desk"


def register(desk: Desk, pages: Sequence[Page]) -> None:
    """Register the pages with NiceGUI."""
    menu = sorted((p for p in pages if p.place is not None), key=lambda p: p.place or 0)
    for page in pages:
        _register(desk, page, menu)


def _register(desk: Desk, page: Page, menu: Sequence[Page]) -> None:
    async def handler(request: Request, **parameters: Any) -> Response | None:
        try:
            return await build(request, parameters)
        except (psycopg.OperationalError, PoolTimeout) as error:
            logger().warning("a page was not built", path=page.path, reason=str(error)[:200])
            return away(words_of(language_of(request)))

    async def build(request: Request, parameters: dict[str, Any]) -> Response | None:
        token = request.cookies.get(COOKIE)
        who = await asyncio.to_thread(_principal, desk, token)
        if who is None or not who.may(page.role):
            return RedirectResponse(login_address(_asked(request)), 303)
        view = View(desk, who, words_of(language_of(request)), token, source_address())
        ui.page_title(f"{view.words(page.title)} · {view.words('app.title')}")
        ui.add_head_html(head_html(view.words, page.theme, desk.clock.now()))
        if page.theme == "desk":
            _head(view, page, [p for p in menu if who.may(p.role)])
        with ui.element("div").classes(f"page {page.title.partition('.')[0]}"):
            await page.body(view, **parameters)
        if not who.anonymous:
            ui.timer(SESSION_LOOK_S, lambda: _leave_when_over(view, _asked(request)))
        return None

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    asked = list(inspect.signature(page.body).parameters.values())[1:]
    own = inspect.Parameter("request", kind, annotation=Request)
    setattr(handler, "__signature__", inspect.Signature([own, *asked]))  # noqa: B010
    ui.page(page.path, response_timeout=BUILD_S)(handler)


async def _leave_when_over(view: View, path: str) -> None:
    """Go to the login when the session behind an open page has ended."""
    try:
        who = await asyncio.to_thread(_principal, view.desk, view.token, touch=False)
    except (psycopg.Error, PoolTimeout):
        return  # nothing is known while the database is away
    if who is None or who.name != view.who.name:
        ui.navigate.to(login_address(path))


def _asked(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def follow(
    view: View, show: Callable[[Snapshot], Awaitable[None] | None], every_s: float = REFRESH_S
) -> None:
    """Call ``show`` with the newest snapshot now and with each newer one."""
    seen = -1

    async def look() -> None:
        nonlocal seen
        snapshot = view.desk.live.look()
        if snapshot.version != seen:
            seen = snapshot.version
            if (done := show(snapshot)) is not None:
                await done

    ui.timer(every_s, look)


def keep_fresh(view: View, read: Callable[[], Awaitable[None]]) -> None:
    """Call ``read`` when something was told to have changed, and every few seconds anyway."""
    clock, live = view.desk.clock, view.desk.live
    seen, at = (live.changes.newest, live.look().heard), clock.monotonic()
    busy = asyncio.Lock()

    async def look(snapshot: Snapshot) -> None:
        nonlocal seen, at
        newest, now = (live.changes.newest, snapshot.heard), clock.monotonic()
        if (newest == seen and now - at < ANEW_S) or busy.locked():
            return
        async with busy:
            seen, at = newest, now
            await read()

    follow(view, look)


def missing(view: View, what: str) -> None:
    """Say that what was asked for is not there."""
    with panel(view.words("app.missing"), "missing"):
        ui.label(view.words("app.missing_what", what=what)).classes("empty")


@contextmanager
def panel(title: str, name: str = "") -> Iterator[Any]:
    """Frame a part of the page; gives the head's right side for buttons and counts."""
    with ui.element("section").classes(f"panel {name}").props(f'aria-label="{escape(title)}"'):
        with ui.element("header"):
            with ui.element("h2"):
                ui.html(escape(title), sanitize=False, tag="span")
            side = ui.element("div").classes("side")
        with ui.element("div").classes("body"):
            yield side


@contextmanager
def unfolding(title: str, name: str = "") -> Iterator[None]:
    """Frame a part of the page that shows when its title is pressed."""
    with ui.element("details").classes(f"panel {name}"):
        with ui.element("summary"):
            ui.html(f"＋ {escape(title)}", sanitize=False, tag="span")
        with ui.element("div").classes("body"):
            yield


def _head(view: View, page: Page, menu: Sequence[Page]) -> None:
    words = view.words
    with ui.element("header").classes("top"):
        ui.html(_menu_html(words, page, menu), sanitize=False, tag="div").classes("brand")
        ui.html(_search_html(words), sanitize=False, tag="div").classes("find")
        pulse = Pulse(words)
        ui.html(_person_html(view), sanitize=False, tag="div").classes("person")
    follow(view, lambda snapshot: beat(pulse, snapshot, words))


def beat(pulse: Pulse, snapshot: Snapshot, words: Words) -> None:
    """Tell the head the age of what is shown and the urgent alerts."""
    urgent = [
        {"id": row["episode"], "level": level_mark(words, row["severity"])["text"]}
        for row in snapshot.alerts
        if row["severity"] <= Severity.ORANGE and row["acked_at"] is None
    ]
    heard = [row["observed_at"] for row in snapshot.sensors if row["observed_at"]]
    pulse.beat(
        snapshot.at.isoformat() if snapshot.at else "",
        snapshot.trouble,
        urgent,
        silent=snapshot.at is not None
        and is_unwell("newest_age_s", snapshot.figure("newest_age_s")),
        newest=max(heard).isoformat() if heard else "",
    )


def _menu_html(words: Words, page: Page, menu: Sequence[Page]) -> str:
    links = "".join(
        f'<a href="{p.path}"{_current(p, page)}>{escape(words(p.title))}</a>' for p in menu
    )
    return (
        f'<a class="name" href="/"><img src="/static/icon.svg" alt="">{words("app.title")}</a>'
        f'<details class="menu"><summary>{words("app.menu")}</summary></details>'
        f'<nav aria-label="{words("app.menu")}">{links}</nav>'
    )


def _search_html(words: Words) -> str:
    field = escape(words("search.field"), quote=True)
    return (
        f'<form action="/search" role="search"><input type="search" name="q" maxlength="80"'
        f' aria-label="{words("search.everywhere")}" placeholder="{field}" title="{field}"></form>'
    )


def _current(item: Page, page: Page) -> str:
    return ' aria-current="page"' if item.path == page.path else ""


def _person_html(view: View) -> str:
    words = view.words
    other = "en" if words.language == "zh" else "zh"
    cookie = f"{LANGUAGE_COOKIE}={other};path=/;max-age={YEAR_S};samesite=lax"
    switch = (
        f'<button type="button" class="language" lang="{other}" onclick="document.cookie='
        f"'{cookie}';location.reload()\">{'English' if other == 'en' else '中文'}</button>"
    )
    if view.who.anonymous:
        return switch + f'<a href="/login">{words("login.submit")}</a>'
    role = words(f"role.{view.who.role}")
    return (
        f'{switch}<a class="who" href="/me" title="{words("me.title")}">'
        f"{escape(view.who.name)}<small>{role}</small></a>"
        f'<form method="post" action="/logout"><button>{words("login.out")}</button></form>'
    )


def _principal(desk: Desk, token: str | None, *, touch: bool = True) -> Principal | None:
    with desk.pool.connection() as conn:
        return session_principal(conn, desk, token, touch=touch)
