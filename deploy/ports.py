"""Free ports: well-known ones when they are free, remembered between runs."""

from __future__ import annotations

import json
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether `port` can be listened on, on every address a server here might use."""
    for host in (LOOPBACK, "0.0.0.0"):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_port(taken: frozenset[int] | set[int] = frozenset()) -> int:
    """Return a port the kernel says is free and that is not in `taken`."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def choose(preferred: dict[str, int], remembered: dict[str, int]) -> dict[str, int]:
    """Give every name in `preferred` a port of its own.

    The port of the last run comes first, then the preferred one (0 = no preference), then any
    free one.
    """
    chosen: dict[str, int] = {}
    for name, wish in preferred.items():
        taken = set(chosen.values())
        tries = [remembered.get(name, 0), wish]
        fitting = (port for port in tries if port and port not in taken and is_free(port))
        chosen[name] = next(fitting, 0) or free_port(taken | set(remembered.values()))
    return chosen


def load(path: Path) -> dict[str, int]:
    """Read remembered ports; a missing or broken file is an empty memory."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): int(port) for name, port in data.items()}


def save(path: Path, ports: dict[str, int]) -> None:
    """Remember `ports` for the next run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(ports, indent=2) + "\n")
