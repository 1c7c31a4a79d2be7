"""One kind of record: its queue, what is due first first, filtered by state; opening one."""

from typing import Any

from nicegui import ui
from psycopg import Connection

from alerts.sources.exercises import in_sum
from catalog.lifecycle.record import Move, Record
from catalog.lifecycle.registry import records as declared
from console.frame import Page, View, keep_fresh, missing, panel, unfolding
from console.records.answers import sum_cells, sum_columns
from console.records.bulk import bulk_moves
from console.records.forms import move_context, opening_form, take
from console.records.rows import list_columns, list_row
from console.week_sheet import PATH as WEEK
from console.widgets.forms import choice_field, named_field, text_field
from console.widgets.table import Act, Column, Table
from console.widgets.tools import list_tools
from records.context import Context
from records.queries import Filter, Window, list_records

MOST = 200
OPEN, CLOSED, LATE, ALL = "open", "closed", "late", "all"


async def record_list(view: View, kind: str, state: str = "") -> None:
    """Show the queue and keep it fresh."""
    record = declared().get(kind)
    if record is None:
        missing(view, kind)
        return
    words = view.words
    ui.page_title(f"{words.of(record.plural)} · {words('app.title')}")
    shown = {ALL: words("records.all"), OPEN: words("records.open")}
    shown |= {LATE: words("records.overdue")} if record.clocks else {}
    shown |= {s.name: words.of(s.title) for s in record.states}
    shown |= {CLOSED: words("records.closed")}
    context = await view.ask(lambda conn: move_context(conn, view.who))
    if not view.who.anonymous and context.role(record, record.opening.roles, {}):
        frame = panel if record.told else unfolding  # what is planned often stands open
        with frame(words.of(record.opening.title), "new"):
            await opening_form(view, record, lambda: read())

    moves = [] if view.who.anonymous else _bulk(record, context)

    async def act(pressed: Act) -> None:
        move = record.move(pressed.name)
        id = int(pressed.row.rpartition("-")[2])
        reason = move.reasons[0].name if move and move.reasons else ""
        await take(view, record, id, pressed.name, {}, read, reason=reason)

    with panel(words.of(record.plural), "list") as side:
        with ui.element("div").classes("fields"):
            with named_field(words("records.state")):
                usual = ALL if record.told else OPEN
                chosen = choice_field(shown, state if state in shown else usual)
            with named_field(words("records.search")):
                search = text_field(most=100)
        table = Table(
            _columns(view, record),
            label=words.of(record.plural),
            empty=words("records.nothing"),
            on_act=act,
            on_select=(lambda _: None) if moves else None,
        )
        with side:
            if record.located != "not":
                ui.link(words("records.on_round"), f"/open/{kind}")
            ui.link(words("records.board"), f"/boards/{kind}")
            ui.link(words("records.week"), WEEK.format(kind=kind), new_tab=True)
        list_tools(words, side, table)
    bulk_moves(view, record, moves, table, lambda: read())

    async def read() -> None:
        wanted = _filter(str(chosen.value), search.value or "")
        found = await view.ask(lambda conn: _rows(conn, view, record, wanted, context))
        table.show(found)

    chosen.on_value_change(read)
    search.on("keydown.enter", read)
    await read()
    keep_fresh(view, read)


def _bulk(record: Record, context: Context) -> list[Move]:
    """Return the steps that this person may take of several: none that begins with a photo."""
    files = {field.name for field in record.fields if field.kind == "files"}
    return [
        move
        for move in record.moves
        if not files & {*move.needs} and context.may_ever(record, move.roles)
    ]


def _columns(view: View, record: Record) -> list[Column]:
    own = sum_columns(view.words) if record.told else []
    acts = [Column("act", "", "actions")] if any(m.quick for m in record.moves) else []
    return [*list_columns(view.words, record), *own, *acts]


def _rows(
    conn: Connection, view: View, record: Record, wanted: Filter, context: Context
) -> list[dict[str, Any]]:
    rows = list_records(conn, record, wanted, Window(MOST, 0, "due" if wanted.open else "new"))
    sums = in_sum(conn, [row.id for row in rows]) if record.told else {}
    quick = [move for move in record.moves if move.quick]

    def may(move: Move, state: str, fields: dict[str, Any]) -> bool:
        return state in move.from_states and bool(context.role(record, move.roles, fields))

    return [
        list_row(view.words, record, row)
        | (sum_cells(view.words, sums.get(row.id)) if record.told else {})
        | {
            "act": [
                {"act": move.name, "text": view.words.of(move.title)}
                for move in quick
                if may(move, row.state, row.fields)
            ]
        }
        for row in rows
    ]


def _filter(chosen: str, search: str) -> Filter:
    if chosen == ALL:
        return Filter(open=None, search=search)
    if chosen == CLOSED:
        return Filter(open=False, search=search)
    if chosen == LATE:
        return Filter(overdue=True, search=search)
    if chosen == OPEN:
        return Filter(search=search)
    return Filter(states=(chosen,), open=None, search=search)


PAGE = Page("/records/{kind}", "records.title", record_list)
