"""Cells that are numbers, as the map declares their marks, and words that mean "missing"."""

import math
import re
from collections.abc import Iterable

USUAL = (
    "", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "missing", "-", "--", "---", "—", "――",
    "#n/a", "#div/0!", "#value!", "#num!", "#null!", "#ref!", "#name?",
    "无", "缺", "缺测", "缺失", "无数据", "暂无", "空",
)  # fmt: skip
"""Texts without a value, in small letters; what a map adds to them are mostly sentinels (-999)."""
BLANKS = re.compile("[ \u00a0\u202f]")


class Numbers:
    """Reads cells by a decimal mark and a thousands mark (none: refused)."""

    def __init__(self, decimal: str, thousands: str, missing: Iterable[str]) -> None:
        words = {word.strip().casefold() for word in (*USUAL, *missing)}
        self._decimal = decimal
        self._thousands = thousands
        self._plain = decimal == "." and not thousands
        mark = re.escape(" " if thousands.isspace() else thousands)
        self._grouped = re.compile(rf"[+-]?\d{{1,3}}({mark}\d{{3}})+({re.escape(decimal)}\d*)?")
        self._words = words
        self._sentinels = {n for word in words if (n := self.number(word)) is not None}
        self._sentinels |= {n for word in words if (n := _plain_number(word)) is not None}

    def read(self, cell: str) -> float | None:
        """Return the number, None when it is missing; ``ValueError`` when it is no number."""
        text = cell.strip()
        number = self.number(text)
        if number is not None:
            return None if number in self._sentinels else number
        if text.casefold() in self._words:
            return None
        raise ValueError(f"{text[:40]!r} is no number")

    def number(self, text: str) -> float | None:
        """Return the finite number that the text is, None when it is none."""
        if not self._plain:
            text = self._unmarked(text)
        return _plain_number(text)

    def _unmarked(self, text: str) -> str:
        """Return the text as Python writes a number; a mark in a wrong place makes it none."""
        if self._thousands:
            if self._thousands.isspace():
                text = BLANKS.sub(" ", text)
            if self._thousands in text:
                if not self._grouped.fullmatch(text):
                    return ""
                text = text.replace(self._thousands, "")
        if self._decimal == ".":
            return text
        return "" if "." in text else text.replace(self._decimal, ".")


def _plain_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    # Python reads 1_000 and Arabic digits as well
    if not math.isfinite(number) or "_" in text or not text.isascii():
        return None
    return number


class Marks:
    """Counts the fractions of a file by their mark, to tell a file of the other one."""

    FEW = 2
    COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
    POINT = re.compile(r"\s*[+-]?\d+\.\d+\s*")
    GROUPED = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+\s*")

    def __init__(self) -> None:
        self.commas = 0
        self.points = 0
        self.grouped = 0

    def add(self, cell: str) -> None:
        """Count one cell."""
        if "," in cell:
            self.commas += self.COMMA.fullmatch(cell) is not None
            self.grouped += self.GROUPED.fullmatch(cell) is not None
        elif "." in cell:
            self.points += self.POINT.fullmatch(cell) is not None

    def advice(self, decimal: str, thousands: str) -> str:
        """Return what the map should say instead, empty when what it says fits."""
        if decimal == "," and not thousands:
            if self.points >= self.FEW and self.points > self.commas:
                return 'most fractions have a point: take decimal = "," out of the map'
            return ""
        if thousands:
            return ""
        if self.grouped >= self.FEW and self.grouped >= self.commas:
            return (
                'numbers like 1,234 may be thousands or fractions: the map says thousands = "," '
                'or decimal = ","'
            )
        if self.commas >= self.FEW and self.commas > self.points:
            return 'most fractions have a comma: write decimal = "," in the map'
        return ""
