"""How far a replay has come: kept beside the platform's state, so that it can be resumed."""

import hashlib
import os
from pathlib import Path

import msgspec

CHUNK = 2**20


class Progress(msgspec.Struct):
    """Rows of the file that are done with, what became of them, and the shift of all times."""

    rows: int = 0
    filtered: int = 0
    accepted: int = 0
    refused: dict[str, int] = {}
    shift_s: float = 0.0
    done: bool = False


class StateFile:
    """One file per replayed content, stream, map and sensor; replaced in one step."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / "replay" / f"{key}.json"

    def load(self) -> Progress | None:
        """Return the saved progress, None when this replay has never begun."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Progress)
        except FileNotFoundError:
            return None

    def save(self, progress: Progress) -> None:
        """Write the progress so that a crash leaves the old or the new one, never half."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(progress))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


def digest(path: Path, *words: str) -> str:
    """Return 32 hex digits of the file's content and of ``words``."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            whole.update(chunk)
    for word in words:
        whole.update(b"\0" + word.encode())
    return whole.hexdigest()[:32]
