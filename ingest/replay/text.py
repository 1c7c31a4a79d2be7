"""The rows of a text file, line by line; a quote that is never closed takes one line with it."""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice

from ingest.readings import FieldError
from ingest.replay.encoding import Encoding, find_encoding
from ingest.replay.header import SEARCHED_LINES, FileForm, find_header, line_reader
from ingest.replay.packing import Source

LONGEST_CELL = 2**24
LONGEST_ROW = 100
"""Lines that one quoted cell may span; a quote that is open for longer is taken as never closed."""
LINES_AT_ONCE = 1_000
QUOTE = '"'
OPEN_QUOTE = FieldError(None, "*", "quote", "a quote is open at the end of the line")
SEPARATOR_WORDS = {"\t": "tabs", " ": "blanks"}

Row = list[str] | FieldError


class TextRows:
    """The rows of one text; encoding, separator and header are found when it is made."""

    def __init__(self, source: Source, form: FileForm, columns: set[str]) -> None:
        csv.field_size_limit(LONGEST_CELL)
        self._source = source
        self._encoding = find_encoding(source, form.encoding)
        with _text(source, self._encoding) as file:
            lines = list(islice(file, SEARCHED_LINES + form.skip_lines))
        self.header = find_header(source.path, lines, form, columns, self._encoding.words)
        self._used = [i for i, name in enumerate(self.header.names) if name in columns]
        self.spoilt = self._encoding.spoilt

    @property
    def words(self) -> str:
        """What the text turned out to be."""
        packing = f"{self._source.packing}, " if self._source.packing else ""
        separator = self.header.separator
        shown = SEPARATOR_WORDS.get(separator, repr(separator))
        return f"{packing}{self._encoding.words}, separated by {shown}"

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield line number and cells of each row below the header; empty lines have no cells."""
        number, separator = self.header.lines, self.header.separator
        with _text(self._source, self._encoding) as file:
            skipped = list(islice(file, number))
            del skipped
            while chunk := list(islice(file, LINES_AT_ONCE)):
                if QUOTE not in "".join(chunk):
                    yield from zip(count(number + 1), line_reader(chunk, separator), strict=False)
                    number += len(chunk)
                else:
                    number = yield from self._quoted(deque(chunk), file, number)

    def _quoted(
        self, chunk: deque[str], file: Iterator[str], number: int
    ) -> Iterator[tuple[int, Row]]:
        """Yield the rows that begin in the chunk, whose cells may go on over the next lines."""
        lines = _Lines(chunk, file)
        reader = line_reader(lines, self.header.separator)
        while chunk:
            row = next(reader)
            if len(lines.held) > 1 and not self._is_sound(lines.held, row):
                yield number + 1, OPEN_QUOTE
                chunk.extendleft(reversed(lines.held[1:]))
                del lines.held[1:]
            else:
                yield number + 1, row
            number += len(lines.held)
            lines.held.clear()
        return number

    def _is_sound(self, lines: Sequence[str], row: list[str]) -> bool:
        """Tell whether a row of several lines is meant: closed, whole, none in a cell we use."""
        if len(row) != len(self.header.names) or any("\n" in row[i] for i in self._used):
            return False
        strict = csv.reader(lines, delimiter=self.header.separator, strict=True)
        try:
            return next(strict) == row
        except csv.Error:
            return False


class _Lines:
    """Hands out lines one by one and keeps those of the row that is being read."""

    def __init__(self, chunk: deque[str], file: Iterator[str]) -> None:
        self._chunk = chunk
        self._file = file
        self.held: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.held) >= LONGEST_ROW:
            raise StopIteration
        line = self._chunk.popleft() if self._chunk else next(self._file)
        self.held.append(line)
        return line


@contextmanager
def _text(source: Source, encoding: Encoding) -> Iterator[io.TextIOBase]:
    with (
        source.bytes() as raw,
        io.TextIOWrapper(raw, encoding.codec, errors="replace", newline="") as text,
    ):
        yield text
