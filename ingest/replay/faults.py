"""How a file that cannot be replayed says so."""

from pathlib import Path

from catalog.errors import FatalError


def unusable(path: Path, what: str) -> FatalError:
    """Return the error that stops a replay: the file's name, and what to do about it."""
    return FatalError(f"{path}: {what}", code="replay_file", stage="receiving")
