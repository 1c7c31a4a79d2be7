"""How much room the disks of the platform have: a disk that fills stops everything on it."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LOW_BYTES = 2 * 2**30
LOW_SHARE = 0.1
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system: a folder of ours on it, bytes in all and bytes free."""

    path: Path
    total: int
    free: int

    @property
    def low(self) -> bool:
        """Tell whether less than 2 GiB is free, on a small disk less than a tenth."""
        return self.free < min(LOW_BYTES, LOW_SHARE * self.total)

    def words(self) -> str:
        """Return what is free, for a person: ``79.2 of 252.0 GiB free at /var/lib``."""
        return f"{self.free / GIB:.1f} of {self.total / GIB:.1f} GiB free at {self.path}"


def disks(paths: Iterable[Path]) -> list[Disk]:
    """Return the file systems of these folders, each once, the one with the least room first."""
    found: dict[int, Disk] = {}
    for path in paths:
        there = next((p for p in (path, *path.parents) if p.exists()), None)
        if there is None:
            continue
        try:
            used = shutil.disk_usage(there)
            found.setdefault(there.stat().st_dev, Disk(there, used.total, used.free))
        except OSError:  # a folder that we may not look into
            continue
    return sorted(found.values(), key=lambda disk: disk.free)


def from_setting(paths: str) -> list[Disk]:
    """Return the file systems of folders named as in PATH."""
    return disks(Path(path) for path in paths.split(os.pathsep) if path)
