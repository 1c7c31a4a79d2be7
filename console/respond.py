"""The page behind a message's signed link: four steps, one click each, no login.

Looking at it changes nothing, so a scanner that opens links answers for nobody.
"""

from datetime import datetime
from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from alerts.sources.responses import STEPS, Addressed, Step, addressed, list_responses, respond
from catalog.errors import NotFoundError
from catalog.site import zone
from console.alerting import Room
from console.auth import Conn
from console.texts import Words, language_of, words_of
from console.theme import STYLE_URL
from service.postgres import now_of
from storage.audit import record

router = APIRouter(include_in_schema=False)
HEADERS = {"Cache-Control": "no-store"}
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots"
content="noindex"><title>{title}</title><link rel="stylesheet" href="{style}"></head>
<body class="login"><main><form method="post"><h1>{headline}</h1><p class="sub">{sub}</p>{body}
</form></main></body></html>"""


@router.get("/respond/{token}")
def show(token: str, request: Request, conn: Conn, room: Room) -> HTMLResponse:
    """Show what the message tells of, and a button per step."""
    words = words_of(language_of(request))
    try:
        return _page(conn, words, _addressed(conn, room, token))
    except NotFoundError:
        return _over(words)


@router.post("/respond/{token}")
def answer(
    token: str, request: Request, conn: Conn, room: Room, step: Annotated[Step, Form()]
) -> HTMLResponse:
    """Note a step; a second click changes nothing."""
    words, now = words_of(language_of(request)), now_of(conn)
    try:
        to = _addressed(conn, room, token)
    except NotFoundError:
        return _over(words)
    who = f"{to.receiver} (link)"
    with conn.transaction():
        for subject in to.subjects:
            if respond(conn, subject, step, to.receiver, who, now, via="link", message=to.message):
                record(conn, who, "response", subject, step=step, message=to.message)
    return _page(conn, words, to)


def _addressed(conn: Conn, room: Room, token: str) -> Addressed:
    message = room.links.opened(token)
    if message is None:
        raise NotFoundError("no link of ours")
    return addressed(conn, message, now_of(conn))


def _page(conn: Conn, words: Words, to: Addressed) -> HTMLResponse:
    noted: dict[str, datetime] = {}
    for subject in to.subjects:
        for given in list_responses(conn, subject):
            if given.receiver == to.receiver:
                noted[given.step] = given.at
    return _html(
        words,
        escape(to.headline),
        words("respond.to", receiver=escape(to.receiver)),
        "".join(_step(words, step, noted.get(step)) for step in STEPS),
    )


def _step(words: Words, step: Step, at: datetime | None) -> str:
    text = words(f"respond.{step}")
    if at is None:
        return f'<button type="submit" name="step" value="{step}">{text}</button>'
    when = at.astimezone(zone()).strftime("%m-%d %H:%M:%S")
    return f'<p class="sub">✓ {text} · {words("respond.noted", at=when)}</p>'


def _over(words: Words) -> HTMLResponse:
    body = f'<p><a href="/">{words("app.title")}</a></p>'
    return _html(words, words("respond.title"), words("respond.over"), body, 404)


def _html(words: Words, headline: str, sub: str, body: str, status: int = 200) -> HTMLResponse:
    page = PAGE.format(
        lang=words.html_lang,
        title=words("respond.title"),
        style=STYLE_URL,
        headline=headline,
        sub=sub,
        body=body,
    )
    return HTMLResponse(page, status, HEADERS)
