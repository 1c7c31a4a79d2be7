"""Files that belong to records: checked, kept beside the database under the name of their hash."""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from catalog.errors import InvalidError, NotFoundError
from catalog.lifecycle.fields import Values
from catalog.lifecycle.record import Record
from records.context import Context

LARGEST = 10 * 1024 * 1024
LONGEST_NAME = 120
MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


class Attachment(BaseModel):
    """One file: what it is, not what it holds."""

    id: int
    kind: str
    record: int | None
    name: str
    content_type: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


COLUMNS = ", ".join(Attachment.model_fields)


@dataclass(frozen=True, slots=True)
class Files:
    """The folder that holds what the rows describe."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Return where a file lies."""
        return self.folder / sha256[:2] / sha256

    def keep(self, data: bytes) -> str:
        """Write bytes under their hash, whole or not at all; return the hash."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{digest}.{os.getpid()}.part")
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        return digest

    def read(self, sha256: str) -> bytes:
        """Return a file's bytes; ``NotFoundError`` when it is gone or is not what was kept."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"file {sha256[:12]} is not here") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotFoundError(f"file {sha256[:12]} is not what was kept")
        return data


def add(context: Context, files: Files, kind: str, name: str, data: bytes) -> Attachment:
    """Keep a photo (JPEG, PNG) or a PDF; a later step names it by its id."""
    if not data:
        raise InvalidError("the file is empty", "file")
    if len(data) > LARGEST:
        raise InvalidError(f"the file is larger than {LARGEST // 1024 // 1024} MB", "file")
    content_type = next((kind for magic, kind in MAGIC if data.startswith(magic)), None)
    if content_type is None:
        raise InvalidError("the file is no JPEG, PNG or PDF", "file")
    plain = "".join(c for c in Path(name).name if c.isprintable() and c not in '"\\<>')
    with context.conn.cursor(row_factory=class_row(Attachment)) as cursor:
        made = cursor.execute(
            "INSERT INTO record_attachments (kind, name, content_type, size, sha256, added_by)"
            f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}".encode(),
            [
                *(kind, plain[-LONGEST_NAME:] or "file", content_type, len(data)),
                *(files.keep(data), context.actor),
            ],
        ).fetchone()
    assert made is not None
    return made


def attachment(conn: Connection, id: int) -> Attachment:
    """Return one; ``NotFoundError`` otherwise."""
    with conn.cursor(row_factory=class_row(Attachment)) as cursor:
        query = f"SELECT {COLUMNS} FROM record_attachments WHERE id = %s"
        found = cursor.execute(query.encode(), [id]).fetchone()
    if found is None:
        raise NotFoundError(f"no attachment {id}")
    return found


def attachments_of(conn: Connection, record: int) -> list[Attachment]:
    """Return the files of a record, oldest first."""
    with conn.cursor(row_factory=class_row(Attachment)) as cursor:
        query = f"SELECT {COLUMNS} FROM record_attachments WHERE record = %s ORDER BY id"
        return cursor.execute(query.encode(), [record]).fetchall()


def claim(context: Context, record: Record, id: int, changes: Values) -> None:
    """Give the files that a step names to its record; ``InvalidError`` for one of another."""
    for name, value in changes.items():
        field = record.field(name)
        if field is None or field.kind != "files" or not isinstance(value, list):
            continue
        done = context.conn.execute(
            "UPDATE record_attachments SET record = %s WHERE id = ANY(%s) AND kind = %s"
            " AND (record = %s OR (record IS NULL AND added_by = %s))",
            [id, value, record.name, id, context.actor],
        )
        if done.rowcount != len(value):
            raise InvalidError(f"{name} names an attachment that is not this record's", name)
