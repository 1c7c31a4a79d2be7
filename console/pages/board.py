"""One kind of record as a board: a column for each state, what is due first on top."""

from nicegui import ui
from psycopg import Connection

from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from console.frame import Page, View, keep_fresh, missing, panel
from console.texts import Words
from console.widgets.board import Board, Card, Lane
from records.payload import headline
from records.queries import Filter, Window, list_records, states_of
from records.store import Row

CARDS = 30
"""Of each state; the column's head leads to all of them."""


async def board(view: View, kind: str) -> None:
    """Show the board and keep it fresh."""
    words, record = view.words, records().get(kind)
    if record is None:
        missing(view, kind)
        return
    title = words.of(record.plural)
    ui.page_title(f"{title} · {words('app.title')}")
    with panel(words("records.board_of", what=title), "lanes") as side:
        with side:
            ui.link(words("records.queue"), f"/records/{kind}")
        lanes = Board(label=title, empty=words("records.nothing"))

    async def read() -> None:
        lanes.show(await view.ask(lambda conn: lanes_of(conn, words, record)))

    await read()
    keep_fresh(view, read)


def lanes_of(conn: Connection, words: Words, record: Record) -> list[Lane]:
    """Return a column for each state that is not the last, with its first cards."""
    return [
        _lane(conn, words, record, state, total, late)
        for state, (total, late) in states_of(conn, record).items()
    ]


def _lane(
    conn: Connection, words: Words, record: Record, state: str, total: int, late: int
) -> Lane:
    rows = list_records(conn, record, Filter(states=(state,)), Window(CARDS)) if total else []
    return Lane(
        name=state,
        title=words.of(record.state(state).title),
        href=f"/records/{record.name}?state={state}",
        count=total,
        late=words("records.late_count", count=late) if late else "",
        cards=tuple(_card(words, record, row) for row in rows),
        more=words("records.more", count=total - len(rows)) if total > len(rows) else "",
    )


def _card(words: Words, record: Record, row: Row) -> Card:
    name = f"{record.name}-{row.id}"
    return Card(
        id=name,
        href=f"/records/{record.name}/{name}",
        text=words.of(headline(record, row.fields)),
        due=row.due_at.isoformat() if row.due_at else "",
        late=words("records.is_overdue") if row.overdue else "",
    )


PAGE = Page("/boards/{kind}", "records.title", board)
