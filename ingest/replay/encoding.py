"""In which encoding a text is: by its mark, else strict UTF-8, else GB18030, else as declared."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from ingest.replay.packing import Source

CHUNK = 2**20
UNREADABLE = "\ufffd"
"""Stands in the text for every byte that its encoding does not know."""
MARKS = {
    codecs.BOM_UTF8: ("utf-8-sig", "UTF-8 with a mark"),
    codecs.BOM_UTF32_LE: ("utf-32", "UTF-32"),
    codecs.BOM_UTF32_BE: ("utf-32", "UTF-32"),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
GLITCHES = 10
"""A UTF-8 file with faults has more than this many sound letters beyond ASCII for each of them."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec, its name for people, and whether bytes were met that it does not know."""

    codec: str
    words: str
    spoilt: bool = False


@dataclass(slots=True)
class _Tally:
    """How one codec fared: places it could not read, letters beyond ASCII that it could."""

    unread: int = 0
    letters: int = 0

    def add(self, text: str) -> None:
        if not text.isascii():
            unread = text.count(UNREADABLE)
            self.unread += unread
            self.letters += sum(not c.isascii() for c in text) - unread


def is_text_encoding(name: str) -> bool:
    """Tell whether Python knows a text encoding of this name."""
    try:
        "".encode(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, UnicodeError):
        return False
    return True


def find_encoding(source: Source, declared: str | None) -> Encoding:
    """Return the encoding of the source's text; ``declared`` goes before everything."""
    if declared:
        tally = _try(source, declared)
        return Encoding(declared, f"{declared}, as the map says", tally.unread > 0)
    with source.bytes() as file:
        head = file.read(4)
    for mark, (codec, words) in MARKS.items():
        if head.startswith(mark):
            return Encoding(codec, words, _try(source, codec).unread > 0)
    utf8 = _try(source, "utf-8")
    if not utf8.unread:
        return Encoding("utf-8", "UTF-8")
    chinese = _try(source, "gb18030")
    if utf8.letters > GLITCHES * utf8.unread or utf8.unread <= chinese.unread:
        words = f"UTF-8 with {utf8.unread} places that are not"
        return Encoding("utf-8", words, spoilt=True)
    if not chinese.unread:
        return Encoding("gb18030", "GB18030 (it is not UTF-8)")
    words = f"GB18030 with {chinese.unread} places that are not"
    return Encoding("gb18030", words, spoilt=True)


def _try(source: Source, codec: str) -> _Tally:
    tally = _Tally()
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    with source.bytes() as file:
        for chunk in _chunks(file):
            tally.add(decoder.decode(chunk))
    tally.add(decoder.decode(b"", final=True))
    return tally


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
