"""Records as rows, facts and lines of a timeline, in the words of their declaration."""

from datetime import datetime
from typing import Any

from catalog.base import text
from catalog.lifecycle.fields import RecordField
from catalog.lifecycle.record import Record
from catalog.site import zone
from console.texts import Words
from console.widgets.table import Column
from records.payload import headline, shown
from records.steps import DUE_SOON, OPEN, OVERDUE, UNDO
from records.store import Entry, Row


def list_columns(words: Words, record: Record) -> list[Column]:
    """Return the columns of a queue."""
    return [
        Column("number", words.of(record.title), "link"),
        Column("what", words("records.what")),
        Column("state", words("records.state")),
        Column("due", words("records.due"), "time"),
        Column("late", words("records.overdue")),
        Column("opened", words("records.opened"), "time", hide=True),
    ]


def list_row(words: Words, record: Record, row: Row) -> dict[str, Any]:
    """Return one record as a row of a queue."""
    name = f"{record.name}-{row.id}"
    return {
        "id": name,
        "number": {"text": name, "href": f"/records/{record.name}/{name}"},
        "what": words.of(headline(record, row.fields)),
        "state": words.of(record.state(row.state).title),
        "due": row.due_at.isoformat() if row.due_at else "",
        "late": words("records.is_overdue") if row.overdue else "",
        "opened": row.opened_at.isoformat(),
    }


def record_facts(words: Words, record: Record, row: Row) -> list[tuple[str, Any]]:
    """Return what is known of a record: state, deadline, then its fields in their order."""
    facts: list[tuple[str, Any]] = [
        (words("records.state"), words.of(record.state(row.state).title)),
        (words("records.due"), local(row.due_at)),
        (words("records.overdue"), words("records.is_overdue") if row.overdue else ""),
        (words("records.opened"), f"{local(row.opened_at)} · {row.opened_by}"),
        (words("records.reason"), reason(words, record, row.close_reason or "")),
    ]
    for field in record.all_fields:
        value = row.fields.get(field.name)
        if value is None:
            continue
        if field.kind == "files":
            links = [{"text": f"#{id}", "href": f"/api/v1/attachments/{id}"} for id in value]
            facts.append((words.of(field.title), links))
        elif field.kind == "thing":
            href = f"/things/{str(value).replace(':', '/', 1)}"
            facts.append((words.of(field.title), {"text": value, "href": href}))
        else:
            facts.append((words.of(field.title), words.of(shown(field, value))))
    return facts


def timeline_columns(words: Words) -> list[Column]:
    """Return the columns of a log."""
    return [
        Column("at", words("records.at"), "time"),
        Column("step", words("records.step")),
        Column("who", words("records.who")),
        Column("state", words("records.state")),
        Column("said", words("records.said")),
    ]


def timeline_row(words: Words, record: Record, entry: Entry) -> dict[str, Any]:
    """Return one step as a row of the log."""
    move = record.move(entry.move)
    own = text(entry.move, entry.move)
    title = words.of(move.title if move else own)
    if entry.move in (OPEN, UNDO, OVERDUE, DUE_SOON):
        title = words(f"records.step_{entry.move}")
    changes = [
        f"{words.of(field.title)} {words.of(shown(field, value))}"
        for name, value in entry.changes.items()
        if (field := record.field(name)) and value is not None and entry.move != OPEN
    ]
    clock = record.clock(entry.reason)
    why = words.of(clock.title) if clock else reason(words, record, entry.reason)
    return {
        "id": str(entry.seq),
        "at": entry.at.isoformat(),
        "step": title,
        "who": entry.actor,
        "state": words.of(record.state(entry.to_state).title),
        "said": " · ".join(part for part in (why, *changes, entry.note) if part),
    }


def choices_of(words: Words, field: RecordField) -> dict[str, str]:
    """Return the options of a choice, none of them first where none is the default."""
    none = {} if field.default is not None else {"": ""}
    return none | {c.name: words.of(c.title) for c in field.choices}


def field_hint(words: Words, field: RecordField) -> str:
    """Return what a form says of a field besides its name: whether it must be, its unit."""
    needed = words("records.needed") if field.required and field.default is None else ""
    return " ".join(part for part in (needed, field.unit) if part)


def reason(words: Words, record: Record, name: str) -> str:
    """Return a close reason in words; its name where it is declared no more."""
    known = [r for move in record.moves for r in move.reasons if r.name == name]
    return words.of(known[0].title) if known else name


def local(at: datetime | None) -> str:
    """Return a moment in the city's time."""
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M") if at else ""
