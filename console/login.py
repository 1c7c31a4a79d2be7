"""Login and logout: a plain form, so that it works before any script is loaded."""

import secrets
from html import escape
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console import accounts
from console.accounts import DEVICE_DAYS, LoginError
from console.auth import COOKIE, Conn, desk_of, refuse_cross_site, session_principal
from console.login_limits import Try, network_of
from console.passwords import LONGEST
from console.start_page import OVERVIEW, start_page
from console.texts import Words, language_of, words_of
from console.theme import STYLE_URL
from service.source import source_address

BROWSER_COOKIE = "cityops_browser"
router = APIRouter(include_in_schema=False)

PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="{style}"></head>
<body class="login"><main><form method="post" action="/login">
<h1>{title}</h1><p class="sub">{subtitle}</p>{error}
<label for="name">{name}</label>
<input id="name" name="name" autocomplete="username" required autofocus value="{given}">
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<input type="hidden" name="next" value="{next}">
<button type="submit">{submit}</button></form></main></body></html>"""


@router.get("/login")
def login_page(request: Request, next: str = "/") -> HTMLResponse:
    """Show the form."""
    return _form(words_of(language_of(request)), next)


@router.post("/login")
def login(
    request: Request,
    conn: Conn,
    name: Annotated[str, Form(max_length=40)],
    password: Annotated[str, Form(max_length=LONGEST)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session and go on to where the caller wanted to go.

    Whatever is wrong, a name that exists is answered like one that does not.
    """
    refuse_cross_site(request)
    desk, words = desk_of(request), words_of(language_of(request))
    now = desk.clock.now()
    attempt = attempt_of(request, conn, name)
    if not desk.limits.admit(attempt):
        desk.refusals.note("login.limited", name, attempt.address)
        return _form(words, next, name, "locked")
    try:
        token = accounts.login(conn, name, password, now)
    except LoginError:
        desk.refusals.note("login.refused", name, attempt.address)
        return _form(words, next, name, "wrong")
    desk.limits.forgive(attempt)
    accounts.remove_ended(conn, now, desk.times)
    browser = request.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(32)
    accounts.remember_browser(conn, name, browser, attempt.address, now)
    wanted = local_path(next)
    first = start_page(conn, name) if wanted == OVERVIEW else wanted
    answer = RedirectResponse(first, 303)
    kept: dict[str, Any] = {"httponly": True, "samesite": "lax"}
    kept["secure"] = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, **kept)
    answer.set_cookie(BROWSER_COOKIE, browser, max_age=DEVICE_DAYS * 86400, **kept)
    return answer


def attempt_of(request: Request, conn: Conn, name: str) -> Try:
    """Return who tries to log in as whom, and how well that place is known."""
    browser = request.cookies.get(BROWSER_COOKIE, "")
    address = network_of(source_address())
    return Try(name, address, browser, accounts.trust_of(conn, name, browser, address))


@router.post("/session/seen", status_code=204)
def seen(request: Request, conn: Conn) -> None:
    """Note that a person is there; a page sends it when a key or the mouse is used."""
    refuse_cross_site(request)
    session_principal(conn, desk_of(request), request.cookies.get(COOKIE))


@router.post("/logout")
def logout(request: Request, conn: Conn) -> Response:
    """End the session."""
    refuse_cross_site(request)
    if token := request.cookies.get(COOKIE):
        accounts.logout(conn, token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


def local_path(wanted: str) -> str:
    """Return ``wanted`` if it is a path of this console, else the first page."""
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if safe and wanted.isprintable() else "/"


def login_address(path: str) -> str:
    """Return the login page's address that leads back to ``path``."""
    return f"/login?next={quote(path)}"


def _form(words: Words, next: str, given: str = "", error: str = "") -> HTMLResponse:
    told = f'<p class="error" role="alert">⚠ {words(f"login.{error}")}</p>' if error else ""
    page = PAGE.format(
        lang=words.html_lang,
        title=words("app.title"),
        subtitle=words("app.subtitle"),
        name=words("login.name"),
        password=words("login.password"),
        submit=words("login.submit"),
        style=STYLE_URL,
        error=told,
        given=escape(given, quote=True),
        next=escape(next, quote=True),
    )
    return HTMLResponse(page, {"": 200, "locked": 429}.get(error, 401))
