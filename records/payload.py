"""What the outside gets of a step: one body, its JSON Schema, and a headline for people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog.base import Text, text
from catalog.lifecycle.fields import Kind, RecordField
from catalog.lifecycle.record import Record
from records.steps import DUE_SOON, OPEN, OVERDUE, UNDO

JSON_TYPES: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "choice": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
    "files": {"type": "array", "items": {"type": "integer"}, "description": "attachments"},
    "thing": {"type": "string", "description": "kind:id"},
    "names": {"type": "array", "items": {"type": "string"}},
}


def headline(record: Record, fields: Mapping[str, Any]) -> Text:
    """Return a record in one line: its headline fields, then where it is."""
    found = [
        shown(field, fields[name])
        for name in (*record.headline, "address")
        if (field := record.field(name)) and fields.get(name) is not None
    ]
    zh = " · ".join(part.zh for part in found) or record.title.zh
    return text(zh, " · ".join(part.en for part in found) or record.title.en)


def shown(field: RecordField, value: object) -> Text:
    """Return a field's value as people read it."""
    if choice := field.choice(value):
        return choice.title
    if isinstance(value, list):
        said = "、".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
        return text(said, said.replace("、", ", "))
    if isinstance(value, bool):
        return text("是", "yes") if value else text("否", "no")
    said = f"{value:g}" if isinstance(value, float) else str(value)
    said = f"{said} {field.unit}".strip()
    return text(said, said)


def payload(record: Record, line: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """Return the body of a step. ``fields`` are those of now, ``changes`` those of the step."""
    move, name = record.move(str(line["move"])), str(line["move"])
    return {
        "id": f"{record.name}-{line['record']}/{line['version']}",
        "record": f"{record.name}-{line['record']}",
        "kind": record.name,
        "domain": record.system,
        "page": f"records/{record.name}",
        "version": line["version"],
        "move": line["move"],
        "move_title": (move.title if move else text(name, name)).model_dump(),
        "from": line["from_state"],
        "to": line["to_state"],
        "state_title": record.state(str(line["to_state"])).title.model_dump(),
        "at": _iso(line["at"]),
        "actor": line["actor"],
        "role": line["role"],
        "reason": line["reason"],
        "note": line["note"],
        "changes": line["changes"],
        "fields": line["fields"],
        "title": headline(record, line["fields"]).model_dump(),
        "opened_at": _iso(line["opened_at"]),
        "clocks": [
            {name: clock[name] for name in ("clock", "round", "due_at", "overdue_at", "stopped_at")}
            for clock in line["clocks"]
        ],
    } | more


def json_schema(record: Record) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the webhooks of a record's steps."""
    words = {"type": "object", "required": ["zh", "en"]}
    moment = {"type": "string", "format": "date-time"}
    late = {"type": ["string", "null"], "format": "date-time"}
    steps = [OPEN, UNDO, DUE_SOON, OVERDUE, *(move.name for move in record.moves)]
    told = dict.fromkeys(record.told.events.values()) if record.told else ()
    states = [state.name for state in record.states]
    clock = {
        "clock": {"enum": [c.name for c in record.clocks]},
        "round": {"type": "integer", "minimum": 1},
        **dict.fromkeys(("due_at", "overdue_at", "stopped_at"), late),
    }
    data = {
        "id": {"type": "string", "description": "the step"},
        "record": {"type": "string", "pattern": f"^{record.name}-[0-9]+$"},
        "kind": {"const": record.name},
        "domain": {"const": record.system},
        "page": {"const": f"records/{record.name}"},
        "version": {"type": "integer", "minimum": 1, "description": "counts a record's steps"},
        "move": {"enum": steps},
        "move_title": words,
        "from": {"enum": ["", *states]},
        "to": {"enum": states},
        "state_title": words,
        "at": moment,
        "actor": {"type": "string"},
        "role": {"type": "string"},
        "reason": {"type": "string", "description": "of the move's list; the clock of due_soon"},
        "note": {"type": "string"},
        "changes": {**_fields(record), "description": "fields that the step has set"},
        "fields": {**_fields(record), "description": "as they were when this was sent"},
        "title": words,
        "opened_at": moment,
        "clocks": {
            "type": "array",
            "items": {"type": "object", "required": list(clock), "properties": clock},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:cityops:webhook:record:{record.name}",
        "title": f"{record.title.en}: steps",
        "type": "object",
        "required": ["type", "timestamp", "data", "sequence"],
        "properties": {
            "type": {"enum": [f"{record.name}.{step}" for step in (*steps, *told)]},
            "timestamp": moment,
            "sequence": {"type": "integer", "minimum": 1},
            "data": {"type": "object", "required": list(data), "properties": data},
        },
    }


def _fields(record: Record) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in record.all_fields:
        known = dict(JSON_TYPES[field.kind])
        if field.choices:
            known["enum"] = [choice.name for choice in field.choices]
        properties[field.name] = {"anyOf": [known, {"type": "null"}], "title": field.title.en}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _iso(at: object) -> str:
    return at.isoformat() if isinstance(at, datetime) else str(at)
