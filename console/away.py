"""What a browser gets while the database is away: it says so and asks again by itself."""

from html import escape

from fastapi.responses import HTMLResponse

from console.texts import Words
from console.theme import STYLE_URL

RETRY_S = 2
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{retry}"><title>{title}</title>
<link rel="stylesheet" href="{style}"></head><body class="login"><main><form role="alert">
<h1>{title}</h1><p class="error">⚠ {told}</p></form></main></body></html>"""


def away(words: Words) -> HTMLResponse:
    """Return the page (503): a wall that was switched on too early finds the city by itself."""
    text = PAGE.format(
        lang=words.html_lang,
        title=escape(words("app.title")),
        told=escape(words("app.away", seconds=RETRY_S)),
        retry=RETRY_S,
        style=STYLE_URL,
    )
    return HTMLResponse(text, 503, {"Retry-After": str(RETRY_S), "Cache-Control": "no-store"})
