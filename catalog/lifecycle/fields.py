"""Fields of a record: what each may hold, and the check of one value from outside."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Text, text

Kind = Literal["text", "number", "integer", "boolean", "choice", "time", "files", "names", "thing"]
Value = str | float | int | bool | list[int] | list[str] | None
"""A field's value as it is stored: a time is ISO 8601 in UTC, files are ids of attachments."""
Among = Literal["exercise", "users"]
"""Whose names: receivers of the exercise channel, or users of the console."""
Values = Mapping[str, Value]
LONGEST_TEXT = 4000
MOST_FILES = 20
MOST_NAMES = 200
SLACK = timedelta(minutes=1)
"""A beginning that has just passed while the form was filled in is now."""


class Choice(Frozen):
    """One value of a closed list; ``parent`` names the group it is shown under."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
    title: Text
    parent: Text | None = None


class RecordField(Frozen):
    """One field of a record."""

    name: Name
    title: Text
    kind: Kind = "text"
    required: bool = False
    """A record cannot be opened without it."""
    fixed: bool = False
    """Given when the record is opened, never changed."""
    public: bool = False
    choices: tuple[Choice, ...] = ()
    longest: int = Field(default=500, ge=1, le=LONGEST_TEXT)
    ge: float | None = None
    le: float | None = None
    unit: str = ""
    default: str | float | bool | None = None
    """What it is when it is not given at the opening."""
    ahead: bool = False
    """A time that has not passed when the record is opened."""
    among: Among | None = None
    """Only names of these, of which there must be one."""
    things: tuple[Name, ...] = ()
    """Of kind ``thing``: the kinds that it may name, as ``<kind>:<id>``."""

    @model_validator(mode="after")
    def _is_sound(self) -> "RecordField":
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to kind 'choice', and only there")
        names = [choice.name for choice in self.choices]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a choice appears twice")
        if self.kind not in ("number", "integer") and (self.ge, self.le) != (None, None):
            raise ValueError(f"{self.name}: ge and le belong to numbers")
        if self.ahead and self.kind != "time":
            raise ValueError(f"{self.name}: ahead belongs to a time")
        if self.among and self.kind not in ("names", "text"):
            raise ValueError(f"{self.name}: among belongs to names")
        if (self.kind == "thing") != bool(self.things):
            raise ValueError(f"{self.name}: things belong to kind 'thing', and only there")
        if self.default is not None:
            self.read(self.default)
        return self

    def choice(self, name: object) -> Choice | None:
        """Return a choice by its name."""
        return next((c for c in self.choices if c.name == name), None)

    def read(self, given: object) -> Value:
        """Return a value as it is stored; ``ValueError`` says what is wrong with it.

        None and blank text are the absence of a value.
        """
        if given is None or (isinstance(given, str) and not given.strip()):
            return None
        return _READERS[self.kind](self, given)


def _text(field: RecordField, given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("is no text")
    if len(given) > field.longest:
        raise ValueError(f"is longer than {field.longest} characters")
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in given) or "\x7f" in given:
        raise ValueError("holds control characters")
    if any("\ud800" <= letter <= "\udfff" for letter in given):
        raise ValueError("is no valid Unicode")
    return given.strip()


def _number(field: RecordField, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("is no number")
    if not math.isfinite(given):
        raise ValueError("is not finite")
    if (field.ge is not None and given < field.ge) or (field.le is not None and given > field.le):
        raise ValueError(f"lies outside {field.ge} to {field.le}")
    return given


def _integer(field: RecordField, given: object) -> int:
    value = _number(field, given)
    if value != int(value) or abs(value) > 2**53:
        raise ValueError("is no whole number")
    return int(value)


def _boolean(_: RecordField, given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError("is neither true nor false")
    return given


def _choice(field: RecordField, given: object) -> str:
    if not isinstance(given, str) or field.choice(given) is None:
        raise ValueError("is not one of the choices")
    return given


def _time(_: RecordField, given: object) -> str:
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise ValueError("is no time (ISO 8601)") from None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValueError("is no time with a zone (ISO 8601)")
    try:
        return at.astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("is no time of this age") from None


def _files(_: RecordField, given: object) -> list[int]:
    if not isinstance(given, list) or len(given) > MOST_FILES:
        raise ValueError(f"is no list of at most {MOST_FILES} attachments")
    for item in given:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 < item < 2**63:
            raise ValueError("is no list of attachments")
    return list(dict.fromkeys(given))


def _thing(field: RecordField, given: object) -> str:
    kind, _, id = _text(field, given).partition(":")
    if kind not in field.things or not id:
        raise ValueError(f"is none of {', '.join(field.things)}, written as kind:id")
    return f"{kind}:{id}"


def _names(field: RecordField, given: object) -> list[str]:
    if not isinstance(given, list) or len(given) > MOST_NAMES:
        raise ValueError(f"is no list of at most {MOST_NAMES} names")
    return list(dict.fromkeys(name for item in given if (name := _text(field, item))))


_READERS = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "choice": _choice,
    "time": _time,
    "files": _files,
    "names": _names,
    "thing": _thing,
}

PLACE = (
    RecordField(
        name="lon", title=text("经度", "Longitude"), kind="number", ge=-180, le=180, public=True
    ),
    RecordField(
        name="lat", title=text("纬度", "Latitude"), kind="number", ge=-90, le=90, public=True
    ),
    RecordField(name="district", title=text("区县", "District"), longest=12, public=True),
    RecordField(name="address", title=text("地址", "Address"), longest=200, public=True),
)
"""Where a record is: WGS-84 degrees; the district is found by them when it is not given."""
