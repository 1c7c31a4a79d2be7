"""What processes cost: CPU seconds by process and peak memory, from /proc."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_S = 0.25
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Cost:
    """CPU seconds and peak proportional memory (PSS, MB) of one named process with its children."""

    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass
class Meter:
    """Watches named processes between ``with`` and its end; ``costs`` has the result."""

    pids: Mapping[str, int]
    costs: dict[str, Cost] = field(default_factory=dict)

    def __enter__(self) -> "Meter":
        self._before = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        self.costs = {name: Cost() for name in self.pids}
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sampler.join()
        self._look()

    def _sample(self) -> None:
        self._look()
        while not self._stop.wait(SAMPLE_S):
            self._look()

    def _look(self) -> None:
        """Note what there is; of a process that has ended the last look counts."""
        for name, pid in self.pids.items():
            cost = self.costs[name]
            cost.cpu_s = max(cost.cpu_s, cpu_seconds(pid) - self._before[name])
            cost.peak_mb = max(cost.peak_mb, memory_mb(pid))


def cpu_seconds(pid: int) -> float:
    """Return CPU seconds of a process, its living children and those it has reaped."""
    total = 0
    for each in family(pid):
        fields = _read(each, "stat").rpartition(")")[2].split()
        if fields:
            # utime and stime; for the parent also those of children that ended
            total += sum(map(int, fields[11 : 15 if each == pid else 13]))
    return total / _TICK


def memory_mb(pid: int) -> float:
    """Return the proportional set size of a process and its children: shared pages count once."""
    total = 0
    for each in family(pid):
        for line in _read(each, "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    children: list[int] = []
    for task in _listed(Path(f"/proc/{pid}/task")):
        children += map(int, _read(pid, f"task/{task}/children").split())
    return [pid, *children]


def _listed(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""
