"""The audit log, for administrators: who did what, and whether the chain is whole."""

import json
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from console.frame import Page, View, keep_fresh, panel
from console.roles import Role
from console.texts import Words
from console.widgets.filters import Search, filter_row
from console.widgets.forms import act_button
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools
from storage import audit as log

MOST = 200
HASH = 12


async def audit(view: View, search: str = "", before: int | None = None) -> None:
    """Show the newest acts that hold the text sought."""
    words = view.words
    filter_row(words, [Search("search", words("filter.search"))], {"search": search})

    async def verify() -> None:
        found = await view.ask(log.verify)
        verdict.set_text(
            words("audit.whole", rows=found.rows, head=found.head[:HASH])
            if found.whole
            else words("audit.broken", row=found.broken_at)
        )

    with panel(words("audit.title"), "list") as side:
        table = Table(_columns(view), label=words("audit.title"), empty=words("audit.none"))
        with side:
            verdict = ui.label().classes("count").props('role="status"')
            act_button(words("audit.verify"), verify)
            older = ui.link(words("audit.older"), "/audit")
        list_tools(words, side, table)

    async def read() -> None:
        found = await view.ask(
            lambda conn: log.entries(conn, before=before, search=search, limit=MOST)
        )
        table.show([_row(words, entry) for entry in found])
        older.set_visibility(len(found) == MOST)
        if found:
            query = urlencode({"search": search, "before": found[-1].seq})
            older.props(f'href="/audit?{query}"')

    await read()
    keep_fresh(view, read)


def _columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("seq", words("audit.seq"), "number", width="60px"),
        Column("at", words("audit.at"), "time", width="120px"),
        Column("who", words("audit.who")),
        Column("what", words("audit.what")),
        Column("target", words("audit.target")),
        Column("result", words("audit.result"), hide=True),
        Column("detail", words("audit.detail"), hide=True),
        Column("hash", words("audit.hash"), hide=True),
    ]


def _row(words: Words, entry: log.Entry) -> dict[str, Any]:
    return {
        "id": str(entry.seq),
        "seq": {"text": str(entry.seq), "unit": "", "sort": entry.seq},
        "at": entry.at.isoformat(),
        "who": words.code("actor", entry.who),
        "what": words.code("deed", entry.what),
        "target": entry.target,
        "result": words.code("result", entry.result),
        "detail": _detail(words, entry.detail),
        "hash": entry.hash[:HASH],
    }


def _detail(words: Words, detail: dict[str, Any]) -> str:
    """Return what was noted, by name; what is empty is left out."""
    return " · ".join(
        f"{words.code('detail', name)} {_shown(value)}"
        for name, value in detail.items()
        if value not in ("", None, [], {})
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_shown, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


PAGE = Page("/audit", "audit.title", audit, place=10, role=Role.ADMIN)
