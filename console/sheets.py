"""Tables as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi.responses import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r")
Columns = Mapping[str, str]


def csv_response(name: str, columns: Columns, rows: Iterable[Mapping[str, Any]]) -> Response:
    """Return rows as a download ``name``.csv; ``columns`` maps the rows' keys to headings."""
    text = io.StringIO()
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
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
