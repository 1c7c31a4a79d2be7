"""The platform's own processes, as data: what runs, in which order it is shown."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Process:
    """One supervised process. Servers start first; a guest is told none of our addresses."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    folder: str = ""
    server: bool = False
    guest: bool = False


def _ours(name: str, *arguments: str) -> Process:
    return Process(name, (sys.executable, "-m", *arguments))


def processes() -> list[Process]:
    """Return our processes in the order of the pipe.

    `keep`, `alerts-deliver` and the demo receiver begin with their own module: the commands of
    their room, which they do not need, would be 10 to 25 MB more in each.
    """
    return [
        _ours("gateway", "ingest", "gateway"),
        _ours("sink", "storage", "sink"),
        _ours("facts", "storage", "facts"),
        _ours("keep", "storage.keep"),
        _ours("worker", "streams", "worker"),
        _ours("forecasts", "forecasts", "run"),
        _ours("alerts-engine", "alerts", "engine"),
        _ours("alerts-deliver", "alerts.delivery.deliver"),
        _ours("records", "records", "run"),
        _ours("console", "console"),
        _ours("city", "simulators", "live", "--history", "1h"),
        _ours("watchdog", "deploy.watchdog"),
    ]


PREFERRED_PORTS = {
    "kafka": 9092,
    "controller": 9093,
    "postgres": 5432,
    "gateway": 8600,
    "console": 8700,
    "receiver": 8800,
    "grafana": 3000,
    "signs": 8900,
}


def port_wishes() -> dict[str, int]:
    """Return every port the platform needs with the one it would like (0 = any).

    CITYOPS_PORTS=any has no likes: platforms that start at the same moment do not meet.
    """
    health = {f"{p.name}-health": 0 for p in processes()} | {"receiver-health": 0}
    if os.environ.get("CITYOPS_PORTS") == "any":
        return dict.fromkeys(PREFERRED_PORTS, 0) | health
    return PREFERRED_PORTS | health
