"""Bodies of the API of one record, made from its declaration, so that OpenAPI shows its fields."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from catalog.lifecycle.fields import Kind, RecordField
from catalog.lifecycle.record import Move, Record

TYPES: dict[Kind, Any] = {
    "text": str,
    "number": float,
    "integer": int,
    "boolean": bool,
    "time": str,
    "files": list[int],
    "names": list[str],
    "thing": str,
}
STRICT = ConfigDict(extra="forbid", strict=True)
KEY = Field(default=None, max_length=200, description="Your name for this step: once only")
NOTE = Field(default="", max_length=2000)


class Step(BaseModel):
    """Base of all bodies of moves."""

    model_config = STRICT

    note: str = NOTE
    key: str | None = KEY
    expected_state: str | None = Field(default=None, description="409 when it is another one")
    expected_version: int | None = Field(default=None, description="409 when it has moved on")


class Opened(BaseModel):
    """Base of all bodies that open a record."""

    model_config = STRICT

    note: str = NOTE
    key: str | None = KEY
    if_near: Literal["open", "refuse"] = Field(
        default="open", description="refuse = 409 when an open one may be about the same"
    )


def opening_model(record: Record) -> type[BaseModel]:
    """Return the body that opens a record: ``fields`` and what goes with it."""
    fields = _fields(f"{record.name}_fields", record.all_fields, must=_required)
    return create_model(f"{record.name}_open", __base__=Opened, fields=(fields, ...))


def move_model(record: Record, move: Move) -> type[BaseModel]:
    """Return the body of a move: ``args``, and a reason where the move has some."""
    taken = [f for name in (*move.needs, *move.takes) if (f := record.field(name))]
    args = _fields(f"{record.name}_{move.name}_args", taken, must=lambda f: f.name in move.needs)
    more: dict[str, Any] = {"args": (args, Field() if move.needs else Field(default_factory=args))}
    reasons = tuple(choice.name for choice in move.reasons)
    if reasons:
        more["reason"] = (Literal[reasons], Field())
    return create_model(f"{record.name}_{move.name}", __base__=Step, **more)


def _required(field: RecordField) -> bool:
    return field.required and field.default is None


def _fields(
    name: str, fields: Iterable[RecordField], must: Callable[[RecordField], bool]
) -> type[BaseModel]:
    made: dict[str, Any] = {}
    for field in fields:
        names = tuple(choice.name for choice in field.choices)
        kind: Any = Literal[names] if names else TYPES[field.kind]
        title = f"{field.title.zh} {field.title.en}"
        if must(field):
            made[field.name] = (kind, Field(title=title))
        else:
            made[field.name] = (kind | None, Field(default=None, title=title))
    return create_model(name, __config__=STRICT, **made)
