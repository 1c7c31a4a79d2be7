"""The rows of a file as people have them: a text of any form, or a sheet of a workbook."""

import csv
from collections.abc import Iterator
from pathlib import Path

from ingest.readings import FieldError
from ingest.replay.encoding import UNREADABLE
from ingest.replay.faults import unusable
from ingest.replay.header import FileForm
from ingest.replay.packing import UNPACKING_FAULTS, recognise
from ingest.replay.text import TextRows
from ingest.replay.workbook import SheetRows

Cells = dict[str, str]
"""The cells of the columns that are asked for, under the names they are asked by."""


class Table:
    """The rows of one file, as often as they are asked for."""

    def __init__(self, path: Path, form: FileForm, columns: set[str]) -> None:
        """Find kind, encoding, header and separator; ``FatalError`` when the file has none."""
        self.path = path
        try:
            source = recognise(path)
            kind = SheetRows if source.workbook else TextRows
            self._raw = kind(source, form, columns)
        except UNPACKING_FAULTS as error:
            raise unusable(path, str(error)) from None
        names = self._raw.header.names
        if missing := columns - set(names):
            raise unusable(path, f"header in the map: no column {', '.join(sorted(missing))}")
        self.unused = [name for name in names if name not in columns]
        self._used = [(name, i) for i, name in enumerate(names) if name in columns]
        self._width = len(names)

    @property
    def words(self) -> str:
        """What the file turned out to be: packing, encoding, separator, place of the header."""
        return f"{self._raw.words}, rows from line {self._raw.header.lines + 1}"

    @property
    def separator(self) -> str:
        """What separates the cells; empty in a workbook."""
        return self._raw.header.separator

    def rows(self) -> Iterator[tuple[int, Cells | FieldError]]:
        """Yield line number and cells of each row, or why it has none. Empty lines are no rows.

        ``FatalError`` when the file breaks off.
        """
        line, used, width, spoilt = 0, self._used, self._width, self._raw.spoilt
        try:
            for line, row in self._raw.rows():
                if isinstance(row, FieldError):
                    yield line, row
                elif not row or (not row[0].strip() and not any(map(str.strip, row))):
                    continue
                elif len(row) != width and (len(row) < width or any(map(str.strip, row[width:]))):
                    words = f"{len(row)} cells, the header has {width}"
                    yield line, FieldError(None, "*", "columns", words)
                else:
                    cells = {name: row[i] for name, i in used}
                    yield line, (_sound(cells) if spoilt else cells)
        except (csv.Error, *UNPACKING_FAULTS) as error:
            raise unusable(self.path, f"after line {line}: {error}") from None


def _sound(cells: Cells) -> Cells | FieldError:
    """Return the cells, or which of them holds bytes that the encoding does not know."""
    for name, cell in cells.items():
        if UNREADABLE in cell:
            return FieldError(None, name, "encoding", f"{cell[:40]!r} is of another encoding")
    return cells
