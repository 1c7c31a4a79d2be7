"""Dead letters: what could not be used and why; sent through the gateway anew, or discarded."""

import json
from collections import Counter
from typing import Any, Literal

import httpx
from nicegui import ui
from psycopg import Connection

from catalog.errors import FatalError, TransientError
from console.frame import Page, View, keep_fresh, missing, panel
from console.registry import stream_title
from console.roles import Principal, Role
from console.widgets.facts import Facts
from console.widgets.filters import Search, filter_row, named, stream_choice
from console.widgets.forms import act_button
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools
from storage import dead_letters
from storage.audit import record
from storage.dead_letters import Selection, Summary
from storage.redrive import gateway_client, redrive

MOST = 200
Status = Literal["open", "redriven", "discarded", "any"]


async def letters(
    view: View, status: Status = "open", stream: str = "", code: str = "", id: str = ""
) -> None:
    """Show the letters that pass the filters, or one with its content."""
    if id:
        await _one(view, id)
        return
    words = view.words
    fields = [
        named(words, "list", "status", ("open", "redriven", "discarded", "any")),
        stream_choice(words),
        Search("code", words("filter.code")),
    ]
    filter_row(words, fields, {"status": status, "stream": stream, "code": code})
    wanted = Selection(
        code=code or None,
        stream=stream or None,
        status=None if status == "any" else status,
        limit=MOST,
    )
    with panel(words("letters.title"), "list") as side:
        table = _table(view)
        with side:
            acts = ui.element("div").classes("side")
            count = ui.label().classes("count").props('role="status"')
        list_tools(words, side, table)

    async def read() -> None:
        found, total = await view.ask(
            lambda conn: (dead_letters.find(conn, wanted), dead_letters.count(conn, wanted))
        )
        table.show([_row(view, letter) for letter in found])
        more = total > len(found)
        key = "letters.more" if more else "alerts.count"
        count.set_text(words(key, count=len(found), total=total))

    with acts:
        _acts(view, lambda: table.selected, read, table)
    await read()
    keep_fresh(view, read)


async def _one(view: View, id: str) -> None:
    words = view.words
    found, kept = await view.ask(
        lambda conn: (
            dead_letters.find(conn, Selection(ids=(id,), status=None)),
            dead_letters.content(conn, id),
        )
    )
    if not found or kept is None:
        missing(view, id)
        return
    letter = found[0]
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words('letters.title')}", "/dead-letters")
    with panel(words("letters.one"), "one") as side:
        facts = Facts(words("letters.one"))
        if letter.status == "open":
            with side:
                _acts(view, lambda: [id], ui.navigate.reload)
        for reading in kept.readings:
            text = json.dumps(reading, ensure_ascii=False, indent=1)
            ui.label(text).classes("source")
    place = f"{letter.topic}/{letter.partition}/{letter.offset}" if letter.topic else ""
    head = kept.payload_head.hex(" ") if kept.payload_head else ""
    facts.show(
        [
            (words("letters.id"), letter.id),
            (words("letters.status"), words(f"list.status_{letter.status}")),
            (words("filter.stream"), words.of(stream_title(letter.stream))),
            (words("letters.stage"), words.code("stage", letter.stage)),
            (words("letters.code"), letter.code),
            (words("letters.reason"), letter.reason),
            (words("letters.source"), letter.source),
            (words("letters.place"), place),
            (words("letters.raw"), head),
            (words("letters.way"), words.of(dead_letters.way_out(letter))),
        ]
    )


def _table(view: View) -> Table:
    words = view.words
    columns = [
        Column("at", words("letters.at"), "time", width="120px"),
        Column("code", words("letters.code"), "link"),
        Column("stream", words("filter.stream")),
        Column("stage", words("letters.stage"), hide=True),
        Column("reason", words("letters.reason"), hide=True),
        Column("readings", words("letters.readings"), "number"),
        Column("status", words("letters.status"), hide=True),
    ]
    return Table(
        columns,
        label=words("letters.title"),
        empty=f"✓ {words('letters.none')}",
        on_select=(lambda _: None) if view.who.may(Role.OPERATOR) else None,
    )


def _row(view: View, letter: Summary) -> dict[str, Any]:
    words = view.words
    return {
        "id": letter.id,
        "at": letter.at.isoformat(),
        "code": {
            "text": letter.code,
            "href": str(httpx.URL("/dead-letters", params={"id": letter.id})),
        },
        "stream": words.of(stream_title(letter.stream)),
        "stage": words.code("stage", letter.stage),
        "reason": letter.reason,
        "readings": {"text": str(letter.readings), "unit": "", "sort": letter.readings},
        "status": words(f"list.status_{letter.status}"),
    }


def _acts(view: View, chosen: Any, anew: Any, table: Table | None = None) -> None:
    """Show the buttons of an operator; ``anew`` shows what became of it."""
    if not view.who.may(Role.OPERATOR):
        return
    words = view.words

    def told(ids: list[str]) -> None:
        again.set_text(words("letters.redrive", count=len(ids)))
        again.set_enabled(bool(ids))
        away.set_enabled(bool(ids))

    async def press_again() -> None:
        await _redrive(view, chosen())
        await _done(anew)

    async def press_away() -> None:
        await _discard(view, chosen())
        await _done(anew)

    again = act_button("", press_again, strong=True)
    away = act_button(words("letters.discard"), press_away)
    told(chosen())
    if table:
        table.on_select(told)


async def _done(anew: Any) -> None:
    if (waited := anew()) is not None:
        await waited


async def _redrive(view: View, ids: list[str]) -> None:
    """Send each letter by itself, so that a failure takes nothing back; tell the results."""
    results: Counter[str] = Counter()
    lines: list[str] = []
    try:
        with gateway_client(view.desk.settings) as client:
            for id in ids:

                def deed(conn: Connection, who: Principal, id: str = id) -> Any:
                    outcome = redrive(conn, client, id)
                    record(conn, who.name, "dead_letter.redrive", id, outcome.result)
                    return outcome

                outcome = await view.act(Role.OPERATOR, deed)
                if outcome is None:
                    return
                results[outcome.result] += 1
                lines += outcome.lines
    except (FatalError, TransientError) as error:
        ui.notify(str(error), type="negative", multi_line=True)
    words = view.words
    for result, count in results.items():
        text = words("letters.result", count=count, result=words(f"letters.result_{result}"))
        ui.notify(text, type="positive" if result == "redriven" else "warning")
    for line in dict.fromkeys(lines):
        ui.notify(line, type="warning", multi_line=True)


async def _discard(view: View, ids: list[str]) -> None:
    """Mark letters as not to be used; their rows stay."""

    def deed(conn: Connection, who: Principal) -> int:
        done = dead_letters.discard(conn, Selection(ids=tuple(ids)))
        for id in ids:
            record(conn, who.name, "dead_letter.discard", id)
        return done

    done = await view.act(Role.OPERATOR, deed)
    if done is not None:
        ui.notify(view.words("letters.discarded", count=done), type="positive")


PAGE = Page("/dead-letters", "letters.title", letters, place=6)
