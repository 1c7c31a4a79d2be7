"""One list as a workbook (.xlsx, ECMA-376 part 1, 18.3 and 18.8) of the least parts there may be.

Numbers are numbers and times are times, so that a sheet can sort and add them. Texts are inline
strings, which no spreadsheet takes for a formula.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576
"""A sheet has no more (Excel specifications and limits)."""
LONGEST = 32_767
"""Characters of one cell."""
LONGEST_NAME = 31
EPOCH = datetime(1899, 12, 30)
"""Day 0 of the 1900 date system, as it counts from March 1900 on."""
Cell = str | float | datetime | None

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What would be read as the code of a letter (22.9.2.19)."""
_NO_NAME = re.compile(r"[\[\]:*?/\\']")
_TIME, _HEAD = 1, 2
"""Formats of a cell, by their place in ``cellXfs``."""


def workbook(title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a workbook with one sheet: a bold first row that stays in sight, then the rows.

    A ``datetime`` without a zone is shown as it stands. ``ValueError`` for more rows than a sheet
    has.
    """
    body = [[_text(head, _HEAD) for head in heads], *([_cell(c) for c in row] for row in rows)]
    if len(body) > MOST_ROWS:
        raise ValueError(f"a sheet has at most {MOST_ROWS} rows")
    parts = _PARTS | {
        "xl/workbook.xml": _book(title),
        "xl/worksheets/sheet1.xml": _sheet(body, len(heads)),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{xml}')
    return made.getvalue()


def _book(title: str) -> str:
    name = _clean(_NO_NAME.sub(" ", title)).strip()[:LONGEST_NAME] or "Sheet1"
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name={quoteattr(name)} sheetId="1" r:id="r1"/></sheets></workbook>'
    )


def _sheet(body: Sequence[Sequence[str]], columns: int) -> str:
    lines = "".join(f"<row>{''.join(cells)}</row>" for cells in body)
    widths = f'<cols><col min="1" max="{max(1, columns)}" width="20" customWidth="1"/></cols>'
    frozen = (
        '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2"'
        ' activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    )
    return f'<worksheet xmlns="{_MAIN}">{frozen}{widths}<sheetData>{lines}</sheetData></worksheet>'


def _cell(value: Cell) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, datetime):
        days = (value.replace(tzinfo=None) - EPOCH).total_seconds() / 86400
        return f'<c s="{_TIME}"><v>{days!r}</v></c>'
    if isinstance(value, str):
        return _text(value)
    return f"<c><v>{value!r}</v></c>" if abs(value) < float("inf") else "<c/>"


def _text(text: str, form: int = 0) -> str:
    style = f' s="{form}"' if form else ""
    inner = escape(_CODE.sub("_x005F_", _clean(text)[:LONGEST]))
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{inner}</t></is></c>'


def _clean(text: str) -> str:
    """Leave out what XML has no letter for."""
    return _NO_XML.sub("", text)


_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml"'
        f' ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1"'
        f' Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2"'
        f' Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164"'
        ' formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font/>'
        '<font><b/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/>'
        '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/>'
        '<xf numFmtId="164" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs>'
        "</styleSheet>"
    ),
}
