"""Rows of a table as cells of a sheet: numbers with their unit in a column of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from catalog.site import zone
from console.workbook import Cell


class Column(Protocol):
    """What a sheet needs of a table's column."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def kind(self) -> str: ...


def sheet(
    columns: Sequence[Column], rows: Sequence[dict[str, Any]], unit: str
) -> tuple[list[str], list[list[Cell]]]:
    """Return headings and cells, without buttons; ``unit`` heads the columns of units."""
    heads: list[str] = []
    cells: list[list[Cell]] = [[] for _ in rows]
    for column in columns:
        if column.kind == "actions":
            continue
        heads.append(column.label)
        for row, line in zip(rows, cells, strict=True):
            line.append(_cell(column.kind, row.get(column.key)))
        if column.kind == "number" and any(_unit(row.get(column.key)) for row in rows):
            heads.append(unit)
            for row, line in zip(rows, cells, strict=True):
                line.append(_unit(row.get(column.key)))
    return heads, cells


def _cell(kind: str, value: Any) -> Cell:
    if value is None or value == "":
        return None
    if kind in ("age", "time"):
        return datetime.fromisoformat(value).astimezone(zone()).replace(tzinfo=None)
    text = str(value["text"]) if isinstance(value, dict) else str(value)
    return _number(text) if kind == "number" else text


def _number(text: str) -> Cell:
    """Return a number as it is shown, so that a sheet and the screen agree; else the text."""
    try:
        return float(text.replace("−", "-"))
    except ValueError:
        return text


def _unit(value: Any) -> str:
    return value["unit"] if isinstance(value, dict) else ""
