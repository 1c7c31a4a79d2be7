"""How much memory a process takes: its own pages, and its share of those it shares (PSS)."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")


def memory_mb(pid: int) -> float:
    """Return the megabytes of a process and all it has started; 0 when it is gone.

    Pages that several processes share are divided among them, so that the sum over all processes
    is what the machine gives. Where that is not told (another user's process), resident pages.
    """
    return sum(_kilobytes(process) for process in family(pid)) / 1024


def family(pid: int) -> list[int]:
    """Return a process and all that it and its children have started."""
    try:
        children = (PROC / f"{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(member for child in children for member in family(int(child)))]


def _kilobytes(pid: int) -> int:
    for name, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = (PROC / str(pid) / name).read_text().splitlines()
        except OSError:
            continue
        if found := [line for line in lines if line.startswith(field)]:
            return int(found[0].split()[1])
    return 0
