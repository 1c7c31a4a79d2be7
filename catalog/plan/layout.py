"""Words on a sign: parts of a message as pages of lines, or the reason why they do not fit."""

import unicodedata
from collections.abc import Iterable

from catalog.plan.device import Screen

PAGE, LINE = "\n\n", "\n"


def width_of(words: str) -> float:
    """Return how wide text is in full-width characters: Latin letters and digits are half."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WFA" else 0.5 for c in words)


def lay_out(parts: Iterable[str], screen: Screen) -> str:
    """Return the parts, a line each, as pages; ``ValueError`` says what does not fit.

    Lines are parted by a newline, pages by an empty line. Nothing is cut: half a place name is
    worse than no message.
    """
    lines = [" ".join(part.split()) for part in parts]
    for line in lines:
        if not line:
            raise ValueError("a part of the message is empty")
        if not line.isprintable():
            raise ValueError(f"{line!r} holds characters that no sign shows")
        if width_of(line) > screen.width:
            raise ValueError(f"{line!r} is wider than {screen.width} characters")
    if len(lines) > screen.lines * screen.pages:
        raise ValueError(f"{len(lines)} lines on {screen.pages} pages of {screen.lines}")
    pages = [lines[n : n + screen.lines] for n in range(0, len(lines), screen.lines)]
    return PAGE.join(LINE.join(page) for page in pages)


def pages_of(message: str) -> list[list[str]]:
    """Return what ``lay_out`` has put together, as lists."""
    return [page.split(LINE) for page in message.split(PAGE)] if message else []
