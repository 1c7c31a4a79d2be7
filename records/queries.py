"""What there is to read of records: queues, boards, one record with all that belongs to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from catalog.errors import InvalidError, NotFoundError
from catalog.lifecycle.record import Record
from records.attachments import Attachment, attachments_of
from records.near import Likeness, near
from records.store import COLUMNS, Entry, Row, log_of

MOST = 500
COLUMN_LIST = sql.SQL(", ").join(map(sql.Identifier, Row.model_fields))
ORDERS = {
    "due": sql.SQL("due_at ASC NULLS LAST, id"),
    "new": sql.SQL("opened_at DESC, id DESC"),
}


class Link(BaseModel):
    """What a record has to do with."""

    relation: str
    target: str
    at: datetime
    by: str


class Page(BaseModel):
    """One record, its log, links, files, and others that may be about the same."""

    record: Row
    log: list[Entry]
    links: list[Link]
    attachments: list[Attachment]
    near: list[Likeness]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a list shows; everything that is given must hold."""

    states: tuple[str, ...] = ()
    open: bool | None = True
    overdue: bool = False
    district: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    """By fields of kind choice or text, equal."""
    search: str = ""
    """In any field, as text."""
    since: datetime | None = None
    until: datetime | None = None
    """When it was opened."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list, in which order: ``due`` first due first, ``new`` newest first."""

    limit: int = 50
    offset: int = 0
    order: Literal["due", "new"] = "due"


FIRST = Window()


def list_records(
    conn: Connection, record: Record, wanted: Filter, window: Window = FIRST
) -> list[Row]:
    """Return the records of one kind that pass."""
    order = ORDERS[window.order]
    query = sql.SQL("SELECT {} FROM records WHERE {} ORDER BY {} LIMIT %(limit)s OFFSET %(offset)s")
    values = _values(record, wanted) | {
        "limit": min(window.limit, MOST),
        "offset": max(window.offset, 0),
    }
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(query.format(COLUMN_LIST, _where(wanted), order), values).fetchall()


def count_records(conn: Connection, record: Record, wanted: Filter) -> int:
    """Return how many pass."""
    query = sql.SQL("SELECT count(*) FROM records WHERE {}").format(_where(wanted))
    row = conn.execute(query, _values(record, wanted)).fetchone()
    assert row is not None
    return row[0]


def states_of(conn: Connection, record: Record) -> dict[str, tuple[int, int]]:
    """Return how many open records are in each state, and how many of them are overdue."""
    rows = conn.execute(
        "SELECT state, count(*), count(*) FILTER (WHERE overdue) FROM records"
        " WHERE kind = %s AND closed_at IS NULL GROUP BY state",
        [record.name],
    ).fetchall()
    found = {state: (total, late) for state, total, late in rows}
    return {s.name: found.get(s.name, (0, 0)) for s in record.states if not s.final}


def get_record(conn: Connection, record: Record, id: int) -> Row:
    """Return one record; ``NotFoundError`` otherwise."""
    query = f"SELECT {COLUMNS} FROM records WHERE kind = %s AND id = %s"
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(query.encode(), [record.name, id]).fetchone() if id < 2**63 else None
    if row is None:
        raise NotFoundError(f"no {record.name}-{id}")
    return row


def get_page(conn: Connection, record: Record, id: int) -> Page:
    """Return one record with all that belongs to it."""
    row = get_record(conn, record, id)
    with conn.cursor(row_factory=class_row(Link)) as cursor:
        links = cursor.execute(
            "SELECT relation, target, at, by FROM record_links WHERE record = %s ORDER BY at", [id]
        ).fetchall()
    return Page(
        record=row,
        log=log_of(conn, id),
        links=links,
        attachments=attachments_of(conn, id),
        near=near(conn, record, row.fields, row.opened_at, but=id),
    )


def _where(wanted: Filter) -> sql.Composable:
    parts = ["kind = %(kind)s"]
    if wanted.open is not None:
        parts.append("closed_at IS NULL" if wanted.open else "closed_at IS NOT NULL")
    if wanted.states:
        parts.append("state = ANY(%(states)s)")
    if wanted.overdue:
        parts.append("overdue")
    if wanted.district:
        parts.append("district = %(district)s")
    if wanted.fields:
        parts.append("fields @> %(fields)s")
    if wanted.search:
        parts.append("strpos(lower(fields::text), lower(%(search)s)) > 0")
    if wanted.since:
        parts.append("opened_at >= %(since)s")
    if wanted.until:
        parts.append("opened_at < %(until)s")
    return sql.SQL(" AND ").join([sql.SQL(part) for part in parts])  # pyright: ignore


def _values(record: Record, wanted: Filter) -> dict[str, Any]:
    for name in wanted.fields:
        if record.field(name) is None:
            raise InvalidError(f"{record.name} has no field {name[:60]!r}", name[:60])
    return {
        "kind": record.name,
        "states": list(wanted.states),
        "district": wanted.district,
        "fields": Jsonb(wanted.fields),
        "search": wanted.search,
        "since": wanted.since,
        "until": wanted.until,
    }
