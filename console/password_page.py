"""The page on which people change their own password: a plain form, without any script."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console import accounts
from console.accounts import LoginError
from console.auth import COOKIE, Conn, desk_of, refuse_cross_site, session_principal
from console.login import attempt_of, login_address
from console.passwords import LONGEST, SHORTEST, PasswordError
from console.texts import Words, language_of, words_of
from console.theme import STYLE_URL

router = APIRouter(include_in_schema=False)
PATH = "/password"
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="{style}"></head>
<body class="login"><main><form method="post" action="{path}">
<h1>{title}</h1><p class="sub">{rules}</p>{told}
<label for="old">{old}</label>
<input id="old" name="old" type="password" autocomplete="current-password" required autofocus>
<label for="new">{new}</label>
<input id="new" name="new" type="password" autocomplete="new-password" required>
<label for="again">{again}</label>
<input id="again" name="again" type="password" autocomplete="new-password" required>
<button type="submit">{submit}</button><p><a href="/">{back}</a></p></form></main></body></html>"""
Password = Annotated[str, Form(max_length=LONGEST)]


@router.get(PATH)
def show(request: Request, conn: Conn) -> Response:
    """Show the form to who is logged in."""
    who = session_principal(conn, desk_of(request), request.cookies.get(COOKIE))
    if who is None or who.anonymous:
        return RedirectResponse(login_address(PATH), 303)
    return _page(words_of(language_of(request)))


@router.post(PATH)
def change(request: Request, conn: Conn, old: Password, new: Password, again: Password) -> Response:
    """Change the caller's password; wrong tries count as wrong logins do."""
    refuse_cross_site(request)
    desk, token = desk_of(request), request.cookies.get(COOKIE)
    who = session_principal(conn, desk, token)
    if who is None or who.anonymous or token is None:
        return RedirectResponse(login_address(PATH), 303)
    words, attempt = words_of(language_of(request)), attempt_of(request, conn, who.name)
    if new != again:
        return _page(words, "differ")
    if not desk.limits.admit(attempt):
        return _page(words, "limited")
    try:
        accounts.change_password(conn, who.name, old, new, token)
    except LoginError:
        desk.refusals.note("user.password", who.name, attempt.address)
        return _page(words, "wrong")
    except PasswordError as error:
        desk.limits.forgive(attempt)
        return _page(words, error.code)
    desk.limits.forgive(attempt)
    return _page(words, done=True)


def _page(words: Words, error: str = "", *, done: bool = False) -> HTMLResponse:
    told = f'<p class="error" role="alert">⚠ {words(f"password.{error}")}</p>' if error else ""
    told = f'<p class="sub" role="status">✓ {words("password.done")}</p>' if done else told
    page = PAGE.format(
        lang=words.html_lang,
        path=PATH,
        style=STYLE_URL,
        told=told,
        title=words("password.title"),
        rules=words("password.rules", least=SHORTEST),
        old=words("password.old"),
        new=words("password.new"),
        again=words("password.again"),
        submit=words("password.submit"),
        back=words("app.title"),
    )
    status = {"": 200, "limited": 429, "wrong": 403}.get(error, 422)
    return HTMLResponse(page, status, {"Cache-Control": "no-store"})
