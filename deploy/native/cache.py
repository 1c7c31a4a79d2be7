"""Folders of the download cache: filled once, whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def once(target: Path, fill: Callable[[Path], None]) -> Path:
    """Return `target`, made by `fill(part)` in a sibling folder when it does not exist yet.

    `fill` gets an empty folder that is renamed to `target` only when it returns.
    """
    if target.exists():
        return target
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with locked(target.with_name(f".{target.name}.lock")):
        if not target.exists():
            part = target.with_name(f".{target.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o755)
            try:
                fill(part)
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return target


@contextmanager
def locked(path: Path, waits: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`, which one process at a time can; `waits` is called if it waits."""
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
