"""Small disks that can be filled: one for the broker's log, one for the database's files."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FILLER = "filler"
BLOCK = 1 << 20
SIZES_MB = {"kafka": 500, "postgres": 900}
"""Held in memory, and only as far as they are written."""


@contextmanager
def small_disks(folder: Path) -> Iterator[None]:
    """Mount a disk of limited size on the folder of each server; needs root."""
    mounted = list[Path]()
    try:
        for name, size in SIZES_MB.items():
            (folder / name).mkdir()
            options = f"size={size}m,mode=0755"
            line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder / name)]
            subprocess.run(line, check=True, capture_output=True, timeout=10)
            mounted.append(folder / name)
        yield
    finally:
        for place in mounted:
            subprocess.run(["umount", "-l", str(place)], check=False, timeout=10)


def fill(disk: Path) -> int:
    """Write until nothing fits any more; return the bytes that were free."""
    with (disk / FILLER).open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(BLOCK)) == BLOCK:
            pass
    return (disk / FILLER).stat().st_size


def free(disk: Path) -> None:
    """Give back what ``fill`` took."""
    (disk / FILLER).unlink(missing_ok=True)


def may_mount() -> bool:
    """Tell whether this process may mount disks."""
    return os.geteuid() == 0
