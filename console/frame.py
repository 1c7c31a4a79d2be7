"""What every page stands in: who looks at it, in which language, with which head."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from console.auth import COOKIE, Desk, session_principal
from console.login import login_address
from console.roles import Principal, Role
from console.texts import Words, language_of, words_of
from console.theme import STYLE_URL


@dataclass(frozen=True, slots=True)
class View:
    """One look at a page by one person."""

    desk: Desk
    who: Principal
    words: Words
    path: str


def page(
    desk: Desk, path: str, body: Callable[..., Awaitable[None]], *, role: Role = Role.VIEWER
) -> None:
    """Register ``body(view, **path_parameters)`` as the page at ``path`` for ``role`` and above."""

    async def handler(request: Request, **parameters: Any) -> RedirectResponse | None:
        who = await asyncio.to_thread(_principal, desk, request)
        if who is None or not who.may(role):
            return RedirectResponse(login_address(request.url.path), 303)
        words = words_of(language_of(request))
        ui.add_head_html(f'<link rel="stylesheet" href="{STYLE_URL}">')
        await body(View(desk, who, words, request.url.path), **parameters)
        return None

    own = [
        inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    ]
    asked = list(inspect.signature(body).parameters.values())[1:]
    handler.__signature__ = inspect.Signature([*own, *asked])  # pyright: ignore[reportFunctionMemberAccess]
    ui.page(path)(handler)


def _principal(desk: Desk, request: Request) -> Principal | None:
    with desk.pool.connection() as conn:
        return session_principal(conn, desk, request.cookies.get(COOKIE))
