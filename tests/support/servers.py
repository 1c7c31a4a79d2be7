"""Servers and processes for the tests: real ones, on free ports, stopped by pid."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy import vitals
from deploy.errors import StartError
from deploy.paths import ROOT
from deploy.ports import LOOPBACK, free_port
from deploy.process import Child, spawn, tail
from deploy.wait import wait_until
from tests.support.least import as_process
from verify.servers import OwnServers, native_folder, outer_environment

__all__ = [
    "OwnServers",
    "Spawned",
    "Spawner",
    "native_folder",
    "outer_environment",
    "wait_until",
]


@dataclass(slots=True)
class Spawned:
    """Hold one of our processes under test."""

    child: Child
    port: int

    @property
    def pid(self) -> int:
        """Process id, also of its process group."""
        return self.child.pid

    @property
    def log(self) -> Path:
        """File with everything it printed."""
        return self.child.log

    @property
    def url(self) -> str:
        """Address of its vital signs: `/health` and `/metrics`."""
        return f"http://{LOOPBACK}:{self.port}"

    def health(self) -> dict[str, Any]:
        """Return the body of `/health`, well or unwell; empty while nothing answers."""
        return vitals.ask(self.port)

    def healthy(self) -> bool:
        """Tell whether it says it is healthy; raise StartError with its log once it ended."""
        return self.child.ensure_running() and bool(self.health().get("healthy"))

    def wait_healthy(self, deadline_s: float = 90.0) -> Spawned:
        """Wait until it is healthy; raise StartError with the end of its log otherwise."""
        try:
            wait_until(self.healthy, deadline_s, f"{self.child.name} healthy")
        except StartError as error:
            raise StartError(f"{error}\nhealth: {self.health()}\n{tail(self.log)}") from error
        return self

    def kill9(self) -> None:
        """Kill it and its children at once, as a crash would."""
        self.child.kill9()

    def stop(self, patience_s: float = 20.0) -> int:
        """Ask it to end and return its exit code."""
        self.child.stop(patience_s=patience_s)
        return self.child.handle.returncode


@dataclass(slots=True)
class Spawner:
    """Start `python -m ROOM …` for one test; `base` is the environment every process gets."""

    folder: Path
    base: Mapping[str, str]
    spawned: list[Spawned] = field(default_factory=list)

    def __call__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        deadline_s: float | None = 90.0,
        name: str = "",
    ) -> Spawned:
        """Start `python -m *arguments` and wait until it is healthy.

        `env` overrides the base environment; `deadline_s=None` does not wait.
        """
        name = name or "-".join(arguments[:2])
        port = free_port()
        own = {"CITYOPS_PROCESS": name, "CITYOPS_METRICS_PORT": str(port)}
        own["CITYOPS_STATE_DIR"] = str(self.folder)
        given = {**outer_environment(), **own, **self.base, **(env or {})}
        if "CITYOPS_DSN" in given:
            given["CITYOPS_DSN"] = as_process(given["CITYOPS_DSN"], arguments)
        log = self.folder / f"{name}-{len(self.spawned)}.log"
        line = [sys.executable, "-m", *arguments]
        process = Spawned(spawn(name, line, log, env=given, cwd=ROOT), port)
        self.spawned.append(process)
        return process if deadline_s is None else process.wait_healthy(deadline_s)

    @contextmanager
    def stopping(self) -> Iterator[Spawner]:
        """Stop all at the end of the block, whatever becomes of it."""
        try:
            yield self
        finally:
            self.stop_all()

    def stop_all(self) -> None:
        """Stop all at once and print their logs (pytest shows them on failure)."""
        with ThreadPoolExecutor(max(1, len(self.spawned))) as pool:
            list(pool.map(lambda process: process.child.stop(), self.spawned))
        for process in self.spawned:
            print(f"---- log of {process.child.name} (pid {process.pid})")
            print(tail(process.log, 60))
