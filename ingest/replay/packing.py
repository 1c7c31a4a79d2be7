"""What the bytes of a file are: a text, a packed text, a workbook, or refused by name."""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ingest.replay.faults import unusable

HEAD_BYTES = 4096
ZIP = b"PK\x03\x04"
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PACKED: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
NO_TEXT = {
    b"7z\xbc\xaf\x27\x1c": "an archive (7z): unpack it first",
    b"Rar!\x1a\x07": "an archive (rar): unpack it first",
    b"\x28\xb5\x2f\xfd": "an archive (zstd): unpack it first",
    b"PK\x05\x06": "an empty archive (zip)",
    b"%PDF": "a PDF: save its table as CSV",
    b"PAR1": "a Parquet file: save it as CSV, or post it to the gateway as Arrow",
    b"ARROW1": "an Arrow file: post it to the gateway as an Arrow stream",
    b"SQLite format 3\x00": "a SQLite database: save its table as CSV",
    b"\x89PNG": "a picture",
    b"\x89HDF": "an HDF5 file: save its table as CSV",
    b"\xff\xd8\xff": "a picture",
}
MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml")
TAR = (257, b"ustar")
NUL_SHARE = 0.25
UNPACKING_FAULTS = (OSError, EOFError, zipfile.BadZipFile, lzma.LZMAError, RuntimeError, ValueError)
"""What the readers of packed files raise on damaged or locked content."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file whose kind is known: its packing in words, the member of an archive, a workbook."""

    path: Path
    packing: str = ""
    member: str = ""
    workbook: bool = False

    @contextmanager
    def bytes(self) -> Iterator[IO[bytes]]:
        """Open the unpacked bytes."""
        if self.member:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                yield file
            return
        unpack = next((f for name, f in PACKED.values() if name == self.packing), None)
        with unpack(self.path) if unpack else self.path.open("rb") as file:
            yield file


def recognise(path: Path) -> Source:
    """Return what the file is by its first bytes; ``FatalError`` naming what cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(OLD_WORKBOOK):
            return Source(path, workbook=True)
        if head.startswith(ZIP):
            source = _archive(path)
        else:
            names = [name for magic, (name, _) in PACKED.items() if head.startswith(magic)]
            source = Source(path, packing=names[0] if names else "")
        if not source.workbook:
            _refuse_what_is_no_text(source)
    except UNPACKING_FAULTS as error:
        raise unusable(path, str(error)) from None
    return source


def _archive(path: Path) -> Source:
    """Return the workbook or the only member that the zip archive holds."""
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        names = {m.filename for m in members}
        if any(name.startswith("xl/") for name in names) or _is_open_document(archive, names):
            return Source(path, workbook=True)
    if "[Content_Types].xml" in names:
        raise unusable(path, "an office document, and no workbook: save its table as CSV")
    members = [m for m in members if not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        shown = ", ".join(m.filename for m in members[:5]) + (" …" if len(members) > 5 else "")
        raise unusable(path, f"an archive of {len(members)} files ({shown}): unpack it first")
    if members[0].flag_bits & 1:
        raise unusable(path, "an archive with a password: unpack it first")
    return Source(path, packing="zip", member=members[0].filename)


def _is_open_document(archive: zipfile.ZipFile, names: set[str]) -> bool:
    return "mimetype" in names and archive.read("mimetype").endswith(b"opendocument.spreadsheet")


def _refuse_what_is_no_text(source: Source) -> None:
    with source.bytes() as file:
        head = file.read(HEAD_BYTES)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    offset, mark = TAR
    what = next((words for magic, words in NO_TEXT.items() if head.startswith(magic)), "")
    if head[offset:].startswith(mark):
        what = "an archive (tar): unpack it first"
    elif source.packing and head.startswith((ZIP, OLD_WORKBOOK, *PACKED)):
        what = "an archive or a workbook within an archive: unpack it first"
    elif start[:9].lower().startswith(MARKUP):
        what = "HTML or XML, whatever its name ends in: open it in a spreadsheet, save it as CSV"
    elif start.startswith((b'{"', b"[{")):
        what = "JSON: post it to the gateway"
    elif not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(0) > NUL_SHARE * len(head):
        what = 'full of zero bytes: if it is UTF-16 without a mark, encoding = "utf-16-le" reads it'
    if what:
        raise unusable(source.path, f"this is no CSV file but {what}")
