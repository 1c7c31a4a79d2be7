"""Openings and moves from elsewhere, as JSON lines: by the table of legal moves, each once."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import NotFoundError, RefusedError
from records.act import act, open_record
from records.context import Context
from records.keys import LONGEST_KEY


class Line(BaseModel):
    """One step: an opening, or a move of the record that ``of`` (a key) or ``id`` names."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    key: str = Field(min_length=1, max_length=LONGEST_KEY)
    open: dict[str, object] | None = None
    of: str = ""
    id: int | None = None
    move: str = ""
    args: dict[str, object] = {}
    reason: str = ""
    note: str = ""


@dataclass(slots=True)
class Imported:
    """How it went; ``refused`` has (line, why)."""

    taken: int = 0
    repeated: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def import_lines(context: Context, lines: Iterable[str]) -> Imported:
    """Take every line for itself; the same file again changes nothing."""
    result = Imported()
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            done = _take(context, Line.model_validate(json.loads(text)))
        except (RefusedError, ValidationError, json.JSONDecodeError) as error:
            result.refused.append((number, str(error).partition("\n")[0]))
        else:
            result.taken += not done
            result.repeated += done
    return result


def _take(context: Context, line: Line) -> bool:
    """Return whether it had been taken before."""
    if line.open is not None:
        made = open_record(context, line.kind, line.open, note=line.note, key=line.key)
        return made.repeated
    id = line.id or _known(context, line)
    return act(
        context,
        line.kind,
        id,
        line.move,
        line.args,
        reason=line.reason,
        note=line.note,
        key=line.key,
    ).repeated


def _known(context: Context, line: Line) -> int:
    row = context.conn.execute(
        "SELECT record FROM record_log WHERE actor = %s AND key = %s AND kind = %s",
        [context.actor, line.of, line.kind],
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no {line.kind} was imported as {line.of!r}")
    return row[0]
