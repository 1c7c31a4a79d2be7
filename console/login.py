"""Login and logout: a plain form, so that it works before any script is loaded."""

from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console import accounts
from console.accounts import LoginError
from console.auth import COOKIE, Conn, desk_of, refuse_cross_site
from console.texts import Words, language_of, words_of
from console.theme import STYLE_URL

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
    password: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session and go on to where the caller wanted to go."""
    refuse_cross_site(request)
    desk = desk_of(request)
    try:
        token = accounts.login(conn, name, password, desk.clock.now())
    except LoginError as error:
        return _form(words_of(language_of(request)), next, name, error.code)
    answer = RedirectResponse(local_path(next), 303)
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return answer


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
    return HTMLResponse(page, 401 if error else 200)
