"""What all workers of one test run share: servers and database templates, each made once.

The run's own process makes a folder and names it to its workers. Whoever first needs a thing makes
it under a lock and writes down how to reach and end it; the run's process ends everything after
the last test. Without workers the same process does both.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.native.cache import locked
from deploy.wait import wait_until

PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Made:
    """One shared thing: its address, and what ends it: a process and a signal, or a container."""

    address: str
    pid: int = 0
    signal: int = signal.SIGKILL
    container: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """The folder of one test run; `kept` are this process's handles of what it started."""

    folder: Path
    kept: list[object] = field(default_factory=list)

    @classmethod
    def new(cls) -> Shared:
        """Make the folder of a new run; the database's user may enter it."""
        folder = Path(tempfile.mkdtemp(prefix="cityops-tests-"))
        folder.chmod(0o755)
        return cls(folder)

    def once(self, name: str, make: Callable[[], Made]) -> str:
        """Return the address of `name`, made by the first of the run's processes that asks."""
        note = self.folder / f"{name}.json"
        with locked(self.folder / f".{name}.lock"):
            if not note.exists():
                note.write_text(json.dumps(asdict(make())))
            return _read(note).address

    def found(self, name: str) -> str:
        """Return the address of `name`, empty when nobody made it."""
        note = self.folder / f"{name}.json"
        return _read(note).address if note.exists() else ""

    def end(self) -> None:
        """End every process and container that was made and remove the folder."""
        for made in map(_read, self.folder.glob("*.json")):
            if made.pid:
                _end_process(made)
            if made.container:
                remove = ["docker", "rm", "--force", "--volumes", made.container]
                subprocess.run(remove, capture_output=True, timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(note: Path) -> Made:
    return Made(**json.loads(note.read_text()))


def _end_process(made: Made) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(made.pid, made.signal)
    wait_until(lambda: _gone(made.pid), PATIENCE_S, f"process {made.pid} ended")


def _gone(pid: int) -> bool:
    """Tell whether a process ended; as its parent, reap it."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"  # its parent ended before it, and nobody collects it
