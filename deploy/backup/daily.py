"""The daily backup: when it is due, how many are kept, and what is said of the last one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from catalog.site import zone
from deploy import shell_env
from deploy.backup.names import DAILY, STAMP, folder
from deploy.paths import ROOT, Layout

OVERDUE = timedelta(hours=26)
RETRY = timedelta(hours=1)
SETTLED = timedelta(minutes=10)
"""A backup that was missed is made up for so long after the start, not in its first minutes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When (of the city's day) a backup is made, and how many are kept; 0 makes none."""

    at: time = time(3, 30)
    keep: int = 7

    @classmethod
    def of(cls, environment: dict[str, str]) -> Plan:
        """Read CITYOPS_BACKUP_AT (HH:MM) and CITYOPS_BACKUP_KEEP; ValueError when they are none."""
        at = environment.get("CITYOPS_BACKUP_AT") or "03:30"
        return cls(time.fromisoformat(at), int(environment.get("CITYOPS_BACKUP_KEEP") or 7))

    def due(self, now: datetime, started: datetime, newest: datetime | None) -> bool:
        """Tell whether one is due: its hour has come since the newest one, or since the start."""
        if self.keep <= 0:
            return False
        local = now.astimezone(zone())
        last = datetime.combine(local.date(), self.at, zone())
        if last > local:
            last -= timedelta(days=1)
        if newest is None:
            return started < last
        return newest < last and (started < last or now - started > SETTLED)


def made(where: Path) -> list[tuple[datetime, Path]]:
    """Return the daily backups with their moments, the newest first."""
    found = []
    for file in where.glob(f"{DAILY}-*.zip"):
        try:
            moment = datetime.strptime(file.stem.removeprefix(f"{DAILY}-"), STAMP)
        except ValueError:
            continue
        found.append((moment.replace(tzinfo=UTC), file))
    return sorted(found, reverse=True)


def drop_old(where: Path, keep: int) -> list[Path]:
    """Remove all but the `keep` newest daily backups; those made by hand stay."""
    old = [file for _, file in made(where)[keep:]]
    for file in old:
        file.unlink()
    return old


def child_environment(ours: dict[str, str]) -> dict[str, str]:
    """Return what a command of `deploy` is given: addresses only of servers that are not ours."""
    if ours.get("CITYOPS_RUNTIME") == "external":
        return ours
    return {name: value for name, value in ours.items() if name not in shell_env.NAMES}


class Daily:
    """Makes the daily backup in a process of its own; `look` is called every few seconds."""

    def __init__(self, layout: Layout, environment: dict[str, str] | None = None) -> None:
        self._layout = layout
        self._environment = dict(os.environ if environment is None else environment)
        self._plan = Plan.of(self._environment)
        self._started = datetime.now(UTC)
        self._child: subprocess.Popen[bytes] | None = None
        self._failed_at: datetime | None = None

    def look(self, now: datetime) -> str:
        """Begin or end a backup; return what is wrong with them, empty when nothing is."""
        newest = next((moment for moment, _ in made(folder(self._layout))), None)
        if self._child is not None:
            if (code := self._child.poll()) is None:
                return ""
            self._child, self._failed_at = None, now if code else None
        wait = self._failed_at is not None and now - self._failed_at < RETRY
        if self._plan.due(now, self._started, newest) and not wait:
            line = [sys.executable, "-m", "deploy", "backup", "--daily"]
            env = child_environment(self._environment)
            self._child = subprocess.Popen(line, cwd=ROOT, env=env, stdin=subprocess.DEVNULL)
            return ""
        if self._failed_at is not None:
            return "the daily backup failed: make logs PROCESS=watchdog"
        since = max(newest or self._started, self._started)
        overdue = self._plan.keep > 0 and now - since > OVERDUE
        return "no daily backup for more than a day" if overdue else ""

    def stop(self) -> None:
        """End a backup that is under way."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait(30)
