"""The looks: one style sheet; the colours of states come from the catalog."""

from datetime import datetime
from functools import cache

from catalog.site import site
from console.marks import colours
from console.texts import Words

STYLE_URL = "/static/console.css"
OWN_STYLE = {"wall": '<link rel="stylesheet" href="/static/wall.css">'}


def head_html(words: Words, theme: str, now: datetime) -> str:
    """Return what every page's head holds: style, state colours, language, server time and zone."""
    root = f'{{lang: "{words.html_lang}", className: "{theme}"}}'
    data = f'{{serverTime: "{now.isoformat()}", zone: "{site().zone}"}}'
    return (
        f'<link rel="stylesheet" href="{STYLE_URL}">{OWN_STYLE.get(theme, "")}'
        '<script type="module" src="/static/presence.js"></script>'
        f"<style>{_variables()}</style><script>"
        f"Object.assign(document.documentElement, {root});"
        f"Object.assign(document.documentElement.dataset, {data});</script>"
    )


@cache
def _variables() -> str:
    return ":root{" + "".join(f"--{mark}:{colour};" for mark, colour in colours().items()) + "}"
