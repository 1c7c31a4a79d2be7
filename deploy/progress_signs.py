"""What moves while servers and processes start: the signs by which a start is waited for."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy import supervisor
from deploy.errors import StartError
from deploy.memory import family
from deploy.paths import Layout
from deploy.process import tail

if TYPE_CHECKING:
    from deploy.status import Row

LIVES = 4
"""A process that ends so often during one start has a cause that waiting does not mend."""
ROWS_STEP = 1000
MOST_S = 120
"""More processor time than any of our processes needs until its first answer."""
TICKS = os.sysconf("SC_CLK_TCK")


class Lives:
    """Counts how often processes were started anew while they are waited for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._pids: dict[str, set[int]] = {}

    def check(self) -> dict[str, int]:
        """Return name → process id; StartError when one ends again and again, with its log."""
        found = supervisor.states(self._layout)
        for name, state in found.items():
            lives = self._pids.setdefault(name, set())
            lives |= {state["pid"]} - {0}
            if len(lives) >= LIVES or state["statename"] == "FATAL":
                log = tail(self._layout.logs / f"{name}.log")
                raise StartError(f"{name} ends again and again:\n{log}")
        return {name: state["pid"] for name, state in found.items() if state["pid"]}


def of_server(name: str, pids: dict[str, int]) -> set[Hashable]:
    """Return the sign of a server: processor time of it and its children, in steps of 2 s.

    One that only idles takes less than a step within the time that nothing may move.
    """
    return {(name, pids[name], _seconds(pids[name]) // 2)} if name in pids else set()


def of_processes(found: Sequence[Row], pids: dict[str, int], flows: bool) -> set[Hashable]:
    """Return the signs of our processes.

    One that does not answer yet moves by its processor time, one that answers by becoming well, by
    less lag, and until data flows by rows that are stored.
    """
    signs: set[Hashable] = set()
    for row in found:
        if not row.health and row.name in pids:
            signs.add((row.name, "begins", min(_seconds(pids[row.name]), MOST_S)))
        if row.health:
            signs.add((row.name, "answers"))
        if row.well:
            signs.add((row.name, "well"))
        if (lag := row.health.get("lag")) is not None:
            signs |= {(row.name, "lag", size) for size in _halved(lag)}
        if not flows and (rows := row.health.get("rows_total")):
            signs.add((row.name, "rows", rows // ROWS_STEP))
    return signs


def _halved(lag: int) -> set[int]:
    """Return every power of two above `lag`, up to a million: each is news the first time only."""
    return {2**n for n in range(21) if 2**n > lag}


def _seconds(pid: int) -> int:
    """Return the processor time of a process and its children in whole seconds."""
    return int(sum(_ticks(member) for member in family(pid)) / TICKS)


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
