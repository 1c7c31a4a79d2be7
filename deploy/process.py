"""Child processes in their own process group, stopped by pid and never by name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import StartError


def tail(path: Path, lines: int = 25) -> str:
    """Return the last `lines` lines of a log file."""
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return "(no log)"


@dataclass(slots=True)
class Child:
    """Hold one started process: its name, handle and log file."""

    name: str
    handle: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its process group."""
        return self.handle.pid

    def running(self) -> bool:
        """Tell whether the process still runs."""
        return self.handle.poll() is None

    def ensure_running(self) -> bool:
        """Return True while the process runs; raise StartError with its log once it ended."""
        if self.running():
            return True
        code = self.handle.returncode
        raise StartError(f"{self.name} ended with code {code}:\n{tail(self.log)}")

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and every process it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill9(self) -> None:
        """Kill at once, as a crash would, and reap."""
        self.signal_group(signal.SIGKILL)
        self.handle.wait(timeout=10)

    def stop(self, ask: signal.Signals = signal.SIGTERM, patience_s: float = 20.0) -> None:
        """Ask to end, then kill what is left of the group after `patience_s`."""
        if self.running():
            self.handle.send_signal(ask)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.handle.wait(timeout=patience_s)
        self.signal_group(signal.SIGKILL)
        self.handle.wait(timeout=10)


def spawn(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    cwd: Path | None = None,
) -> Child:
    """Start `command` in a new session with both outputs appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    extra: dict[str, str | list[str]] = {}
    if user is not None:
        extra = {"user": user, "group": user_group(user), "extra_groups": []}
    with log.open("ab") as out:
        handle = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            **extra,  # type: ignore[arg-type]
        )
    return Child(name, handle, log)


def user_group(user: str) -> str:
    """Return the name of a user's primary group."""
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
