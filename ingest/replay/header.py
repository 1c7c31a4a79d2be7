"""Where the header of a table is, and which separator makes the columns that the map asks for."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest.replay.encoding import is_text_encoding
from ingest.replay.faults import unusable

SEPARATORS = (",", ";", "\t", "|")
SEARCHED_LINES = 200
LONGEST_HEADER = 10
SHOWN_COLUMNS = 12
BLANKS = " "
"""As a separator: any number of blanks and tabs."""


class Rows(Protocol):
    """A CSV reader."""

    @property
    def line_num(self) -> int:
        """Lines read so far."""
        ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class FileForm(BaseModel):
    """What a map may say about the form of its files; what it does not say is found out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    skip_lines: int = Field(default=0, ge=0)
    header: tuple[str, ...] = ()
    """Names of the columns of files that have no header line."""
    sheet: str | None = None

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        if encoding is not None and not is_text_encoding(encoding):
            raise ValueError(f"no encoding {encoding!r}, write one like gb18030 or latin-1")
        return encoding


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, the lines up to and with the header, and the separator."""

    names: list[str]
    lines: int
    separator: str = ""


def find_header(
    path: Path, lines: Sequence[str], form: FileForm, columns: set[str], encoding: str
) -> Header:
    """Return the first line's header that has all ``columns``, by any separator.

    ``FatalError`` names what is missing in the line that comes nearest, and the encoding.
    """
    asked, skipped = _asked_separator(lines)
    separators = [form.separator] if form.separator else [*asked, *SEPARATORS]
    if form.header:
        found = _by_row(lines[form.skip_lines + skipped :], separators, len(form.header))
        return Header(list(form.header), form.skip_lines + skipped, found)
    rows = _candidates(lines, max(form.skip_lines, skipped), separators)
    if (found := best_header(path, rows, columns, f"read as {encoding}")) is None:
        raise unusable(path, "the file is empty")
    return found


def best_header(
    path: Path, rows: Iterable[Header], columns: set[str], where: str, *, strict: bool = True
) -> Header | None:
    """Return the candidate that has all columns, None when there is no candidate.

    ``FatalError`` when none has them all (None unless ``strict``), or one has a column twice.
    """
    nearest, most = None, (-1, -1)
    for row in rows:
        found = Header(_matched(row.names, columns), row.lines, row.separator)
        fit = (len(columns & set(found.names)), len(found.names))
        if fit[0] == len(columns):
            if twice := sorted(c for c in columns if found.names.count(c) > 1):
                raise unusable(path, f"column {', '.join(twice)} is there more than once")
            return found
        if fit > most:
            nearest, most = row, fit
    if nearest is None or not strict:
        return None
    given = [_plain(name) for name in nearest.names]
    shown = ", ".join(given[:SHOWN_COLUMNS]) + (" …" if len(given) > SHOWN_COLUMNS else "")
    missing = ", ".join(sorted(columns - set(_matched(nearest.names, columns))))
    raise unusable(path, f"no column {missing}; it has {shown} ({where})")


def line_reader(lines: Iterable[str], separator: str) -> Rows:
    """Return a reader of rows; the separator blank stands for any number of them."""
    if separator == BLANKS:
        return csv.reader((" ".join(line.split()) for line in lines), delimiter=BLANKS)
    return csv.reader(lines, delimiter=separator)


def _candidates(lines: Sequence[str], first: int, separators: Sequence[str]) -> Iterator[Header]:
    for number in range(first, len(lines)):
        if not lines[number].strip():
            continue
        for separator in separators:
            reader = line_reader(lines[number : number + LONGEST_HEADER], separator)
            names = next(reader, [])
            yield Header(names, number + reader.line_num, separator)


def _asked_separator(lines: Sequence[str]) -> tuple[list[str], int]:
    """Return what a first line ``sep=;`` asks for, as spreadsheets write it, and its lines."""
    first = lines[0].strip("\ufeff \r\n\"'") if lines else ""
    if first[:4].lower() == "sep=" and len(first) == 5:
        return [first[4]], 1
    return [], 0


def _by_row(lines: Sequence[str], separators: Sequence[str], width: int) -> str:
    """Return the separator by which the first row has as many cells as there are names."""
    first = next((line for line in lines if line.strip()), "")
    fits = (s for s in separators if len(next(line_reader([first], s), [])) == width)
    return next(fits, separators[0])


def _matched(given: Sequence[str], columns: set[str]) -> list[str]:
    """Return the header; a column that differs in case or blanks only gets the name asked.

    Names without letters at the end are none.
    """
    plain = [_plain(name) for name in given]
    while plain and not plain[-1]:
        plain.pop()
    loose = {_plain(name).casefold(): name for name in columns if name not in plain}
    return [loose.get(name.casefold(), name) for name in plain]


def _plain(name: str) -> str:
    return " ".join(name.strip("\ufeff").split())
