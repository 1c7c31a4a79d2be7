"""The sheets of a workbook (.xlsx, .xls, .xlsb, .ods) as rows of texts."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from ingest.replay.faults import unusable
from ingest.replay.header import SEARCHED_LINES, FileForm, Header, best_header
from ingest.replay.packing import Source

LARGEST_BYTES = 2**30
"""Unpacked; a workbook is held in memory, and its largest sheet has a million rows."""


class DateCell(str):
    """A cell that holds a date and time, not its text; ``moment`` is on the wall's clock."""

    __slots__ = ("moment",)
    moment: datetime


class SheetRows:
    """The rows of the one sheet that has the columns; it is found when this is made.

    ``FatalError`` when no sheet has them, several have, or the workbook cannot be opened.
    """

    spoilt = False

    def __init__(self, source: Source, form: FileForm, columns: set[str]) -> None:
        path = source.path
        try:
            _refuse_giants(path)
            with CalamineWorkbook.from_path(path) as book:
                self._sheet, self.header = _choose(path, book, form, columns)
        except PasswordError:
            raise unusable(path, "the workbook has a password: save it without one") from None
        except (CalamineError, zipfile.BadZipFile) as error:
            raise unusable(path, f"the workbook cannot be read: {error}") from None

    @property
    def words(self) -> str:
        """What the workbook turned out to be."""
        return f"workbook, sheet {self._sheet.name}"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and cells of each row below the header, as texts."""
        for number, row in enumerate(_texts(self._sheet), 1):
            if number > self.header.lines:
                yield number, row


def _choose(
    path: Path, book: CalamineWorkbook, form: FileForm, columns: set[str]
) -> tuple[CalamineSheet, Header]:
    if form.sheet is not None and form.sheet not in book.sheet_names:
        shown = ", ".join(book.sheet_names)
        raise unusable(path, f"no sheet {form.sheet}; it has {shown}")
    names = [form.sheet] if form.sheet is not None else book.sheet_names
    found: list[tuple[CalamineSheet, Header]] = []
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if form.header:
            return sheet, Header(list(form.header), form.skip_lines)
        strict = len(names) == 1
        where = f"sheet {name}"
        header = best_header(path, _heads(sheet, form), columns, where, strict=strict)
        if header is not None:
            found.append((sheet, header))
    if len(found) == 1:
        return found[0]
    shown = ", ".join(sheet.name for sheet, _ in found) or ", ".join(book.sheet_names)
    if found:
        raise unusable(path, f'sheets {shown} have the columns: the map chooses with sheet = "…"')
    raise unusable(path, f"no sheet has the columns {', '.join(sorted(columns))}; sheets: {shown}")


def _heads(sheet: CalamineSheet, form: FileForm) -> Iterator[Header]:
    for number, row in zip(range(1, SEARCHED_LINES + 1), _texts(sheet), strict=False):
        if number > form.skip_lines and any(row):
            yield Header(row, number)


def _texts(sheet: CalamineSheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [cell if type(cell) is str else _text(cell) for cell in row]


def _refuse_giants(path: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST_BYTES:
            raise unusable(path, f"the workbook is {size >> 20} MiB unpacked: save it as CSV")


def _text(cell: object) -> str:
    """Return a cell as a CSV file would have it; whole numbers without a point."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return _date_cell(cell.isoformat(" "), cell)
    if isinstance(cell, date):
        return _date_cell(cell.isoformat(), datetime.combine(cell, time()))
    if isinstance(cell, timedelta):
        return str(cell.total_seconds())
    return str(cell)


def _date_cell(text: str, moment: datetime) -> DateCell:
    made = DateCell(text)
    made.moment = moment
    return made
