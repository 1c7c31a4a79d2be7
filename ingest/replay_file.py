"""Open a CSV file as people have them: packed or not, any Unicode, any separator, loose headers."""

import codecs
import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from service.errors import FatalError

SEPARATORS = ",;\t|"
GZIP = b"\x1f\x8b"
ENCODINGS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SHOWN_COLUMNS = 12
LONGEST_CELL = 2**24

Cells = dict[str, str]


class CsvFile:
    """The rows of one file, with the columns that are asked for under the names asked by."""

    def __init__(self, path: Path, columns: set[str]) -> None:
        self.path = path
        self._columns = columns

    def rows(self) -> Iterator[tuple[int, Cells | str]]:
        """Yield line number and cells of each row, or in words why it has none.

        Empty lines are no rows. ``FatalError`` when the file cannot be read or lacks a column.
        """
        line, before = 0, 0
        csv.field_size_limit(LONGEST_CELL)
        try:
            with _text(self.path) as file:
                before, head = next(((n, x) for n, x in enumerate(file, 1) if x.strip()), (0, ""))
                separator = max(SEPARATORS, key=head.count)
                names = self._names(next(csv.reader([head], delimiter=separator), []))
                reader = csv.reader(file, delimiter=separator)
                used = [i for i, name in enumerate(names) if name in self._columns]
                for row in reader:
                    line = reader.line_num + before
                    if not any(map(str.strip, row)):
                        continue
                    if len(row) == len(names):
                        broken = any("\n" in row[i] for i in used)
                        cells = dict(zip(names, row, strict=True))
                        yield line, "a quote is open over several lines" if broken else cells
                    else:
                        yield line, f"{len(row)} cells, the header has {len(names)}"
        except csv.Error as error:
            raise self._wrong(f"after line {line}: {error}") from None
        except (OSError, EOFError, UnicodeError) as error:
            raise self._wrong(str(error)) from None

    def _names(self, head: Sequence[str]) -> list[str]:
        """Return the header; a column that differs in case or spaces only gets the name asked."""
        if not head:
            raise self._wrong("the file is empty")
        given = [name.strip() for name in head]
        loose = {name.casefold(): name for name in self._columns if name not in given}
        names = [loose.get(name.casefold(), name) for name in given]
        if missing := self._columns - set(names):
            shown = ", ".join(given[:SHOWN_COLUMNS]) + (" …" if len(given) > SHOWN_COLUMNS else "")
            raise self._wrong(f"no column {', '.join(sorted(missing))}; it has {shown}")
        if twice := {name for name in self._columns if names.count(name) > 1}:
            raise self._wrong(f"column {', '.join(sorted(twice))} is there more than once")
        return names

    def _wrong(self, what: str) -> FatalError:
        return FatalError(f"{self.path}: {what}", code="replay_file", stage="receiving")


@contextmanager
def _text(path: Path) -> Iterator[io.TextIOBase]:
    """Open as text: gzip by its first bytes, UTF-16 by its mark, else UTF-8 with odd bytes kept."""
    with path.open("rb") as plain:
        packed = plain.read(2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as raw:
        start = raw.peek(2)[:2]
        encoding = ENCODINGS.get(start, "utf-8-sig")
        with io.TextIOWrapper(raw, encoding, errors="replace", newline="") as text:
            yield text
