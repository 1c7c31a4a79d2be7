"""Tables as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Letters with which a spreadsheet begins a formula, also the wide ones of Chinese keyboards."""
MARK = "\ufeff"
BLANKS = " \t\r\n\v\f\xa0\u3000\ufeff"
Columns = Mapping[str, str]
Bom = Annotated[bool, Query(description="A sheet begins with a UTF-8 mark, as Excel needs it")]


def csv_response(
    name: str, columns: Columns, rows: Iterable[Mapping[str, Any]], *, bom: bool = False
) -> Response:
    """Return rows as a download ``name``.csv; ``columns`` maps the rows' keys to headings.

    With ``bom`` it begins with a byte order mark, by which Excel knows that it is UTF-8.
    """
    text = io.StringIO()
    text.write(MARK if bom else "")
    writer = csv.writer(text)
    writer.writerow(columns.values())
    writer.writerows(_cells(row, list(columns)) for row in rows)
    disposition = f'attachment; filename="{name}.csv"'
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )


def heading(name: str, unit: str) -> str:
    """Return a column's heading with its unit (UCUM): ``depth_m [m]``."""
    return f"{name} [{unit}]"


def _cells(row: Mapping[str, Any], keys: Sequence[str]) -> list[Any]:
    return [_cell(row[key]) for key in keys]


def _cell(value: Any) -> Any:
    """Return a time as ISO 8601, and text that a spreadsheet would run as a formula quoted."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.lstrip(BLANKS).startswith(FORMULA):
        return f"'{value}"
    return value
