"""Texts that are times: ISO, counts of seconds, spreadsheet days, any strptime format."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

Reader = Callable[[str], datetime]
"""Returns a moment with a zone, or one on the wall's clock; ``ValueError`` says what is wrong."""

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNIX = {"unix_s": 1, "unix_ms": 1_000, "unix_us": 1_000_000, "unix_ns": 1_000_000_000}
"""Named formats of a count since 1970-01-01 in UTC, with their units a second."""
EARLIEST_S, LATEST_S = 10**8, 10**10
"""Seconds (1973 and 2286) between which a count is one of the declared unit, not of another."""
EXCEL = {"excel": datetime(1899, 12, 30), "excel_1904": datetime(1904, 1, 1)}
"""Named formats of a day number on the wall's clock, with day 0."""
FIRST_DAY, LAST_DAY = 61, 2_958_466
FINE_DECIMALS = 9
"""A day number of fewer decimals cannot tell milliseconds, only seconds."""
NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
ISO = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)
QUICK = {
    f"%Y-%m-%d{middle}%H:%M{seconds}": (len("2015-09-01 11:25") + 3 * bool(seconds), middle)
    for middle in " T"
    for seconds in ("", ":%S")
}
"""Formats that Python reads twenty times as fast by another way, with length and middle."""


def time_reader(form: str, decimal: str = ".") -> Reader:
    """Return the reader of a named or strptime format; ``decimal`` is that of its numbers."""
    if form == "iso":
        return _read_iso
    if form in UNIX:
        return lambda text: _read_unix(_number(text, decimal), form)
    if form in EXCEL:
        return lambda text: _read_day_number(_number(text, decimal), EXCEL[form])
    return _strptime_reader(form)


def _read_iso(text: str) -> datetime:
    if not ISO.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no ISO 8601 time like 2015-09-01T11:25:00+08:00")
    try:
        return datetime.fromisoformat(text.upper().replace(" Z", "Z"))
    except ValueError:
        if text[11:13] != "24":
            raise ValueError(f"{text[:40]!r} is no time of the calendar") from None
    return _next_day(datetime.fromisoformat(f"{text[:11]}00{text[13:]}".upper()), text)


def _number(text: str, decimal: str) -> str:
    plain = text.replace(decimal, ".") if decimal != "." else text
    if not NUMBER.fullmatch(plain):
        raise ValueError(f"{text[:40]!r} is no plain number")
    return plain


def _read_unix(number: str, form: str) -> datetime:
    seconds = Fraction(number) / UNIX[form]
    if not EARLIEST_S <= seconds < LATEST_S:
        fits = (f for f, n in UNIX.items() if EARLIEST_S <= Fraction(number) / n < LATEST_S)
        advice = f', format = "{other}" fits' if (other := next(fits, "")) else ""
        raise ValueError(f"{number[:40]} as {form} lies outside 1973 to 2286{advice}")
    return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _read_day_number(number: str, day_0: datetime) -> datetime:
    days = float(number)
    if not FIRST_DAY <= days < LAST_DAY:
        raise ValueError(f"{number[:40]} is no day number of a spreadsheet")
    decimals = len(number.partition(".")[2])
    units = 86_400_000 if decimals >= FINE_DECIMALS else 86_400
    return day_0 + timedelta(milliseconds=round(days * units) * (86_400_000 // units))


def _strptime_reader(form: str) -> Reader:
    length, middle = QUICK.get(form, (0, ""))

    def read(text: str) -> datetime:
        if len(text) == length and text[10] == middle and text[13] == ":" and text[7] == "-":
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass  # strptime says what is wrong
        try:
            return datetime.strptime(text, form)
        except ValueError:
            if (midnight := _midnight(text, form)) is None:
                raise
            return midnight

    return read


def _midnight(text: str, form: str) -> datetime | None:
    """Return the end of the day if the text names it as hour 24, None if it does not.

    Where 00 can be read and 24 cannot is the hour.
    """
    at = text.find("24")
    while at >= 0:
        try:
            return _next_day(datetime.strptime(f"{text[:at]}00{text[at + 2 :]}", form), text)
        except ValueError:
            at = text.find("24", at + 1)
    return None


def _next_day(midnight: datetime, text: str) -> datetime:
    if (midnight.minute, midnight.second, midnight.microsecond) != (0, 0, 0):
        raise ValueError(f"{text[:40]!r}: a day ends at 24:00")
    return midnight + DAY
