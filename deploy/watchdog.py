"""``python -m deploy.watchdog``: end what hangs whole, so that the supervisor starts it again.

A process watches its own progress and leaves when it stalls (`service/process.py`). One that is
stopped, or whose interpreter is held by a single call, cannot: this process stands outside and
asks each for a sign of life every few seconds, Kafka, PostgreSQL and Grafana too. It also begins
the daily backup when that is due.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

from deploy import ports, signs, supervisor
from deploy.backup.daily import Daily
from deploy.memory import family
from deploy.paths import Layout
from service.log import logger
from service.process import run_process
from service.settings import Settings
from service.vitals import Vitals

NAME = "watchdog"
EVERY_S = 5.0
HANGS_S = 30.0
"""So long without an answer, after it has answered before, is a hang."""
STARTS_S = 300.0
"""So long may a process take until its first answer: a broker may have a log to recover."""
MISSES = 4
"""So many questions in a row must be unanswered: time in which nobody asked does not count."""


@dataclass(slots=True)
class _Life:
    """What is known of one process id: when it last answered, or was first seen."""

    pid: int
    since: float
    answered: bool = False
    misses: int = 0


@dataclass(slots=True)
class Patience:
    """Decide which processes hang, from the answers of round after round."""

    _lives: dict[str, _Life] = field(default_factory=dict)
    _asked_at: float = float("-inf")

    def hanging(self, found: dict[str, tuple[int, bool]], now: float) -> list[str]:
        """Return the names that hang; `found` is name → (process id, whether it answered).

        When nothing at all answers it is the machine that has no time, and nobody is ended. After
        a pause in which this process did not run either, everybody's time begins again.
        """
        slept, self._asked_at = now - self._asked_at > 4 * EVERY_S, now
        none = not any(answered for _, answered in found.values())
        for name, (pid, answered) in found.items():
            life = self._lives.get(name)
            if life is None or life.pid != pid:
                life = self._lives[name] = _Life(pid, now)
            if answered:
                life.answered = True
            if answered or slept or none:
                life.since, life.misses = now, 0
            else:
                life.misses += 1
        return [name for name in found if self._hangs(name, now)]

    def _hangs(self, name: str, now: float) -> bool:
        life = self._lives[name]
        limit = HANGS_S if life.answered else STARTS_S
        return life.misses >= MISSES and now - life.since >= limit


def look(layout: Layout, pool: ThreadPoolExecutor) -> dict[str, tuple[int, bool]]:
    """Ask every running process but this one; return name → (process id, whether it answered)."""
    known = ports.load(layout.ports_file)
    running = {
        name: state["pid"]
        for name, state in supervisor.states(layout).items()
        if state["statename"] == "RUNNING" and state["pid"] not in (0, os.getpid())
    }
    said = dict(zip(running, pool.map(lambda n: signs.answers(n, known), running), strict=True))
    return {n: (running[n], said[n] is True) for n in running if said[n] is not None}


def end(pid: int) -> None:
    """Kill a process and all it has started: children that are stopped too would outlive it."""
    for member in family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def watch(
    layout: Layout,
    vitals: Vitals,
    stop: threading.Event,
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Ask, and end what hangs, until `stop`; `beside` is called once a round."""
    patience, ended = Patience(), 0
    vitals.ready()
    with ThreadPoolExecutor(4) as pool:
        while not stop.wait(EVERY_S):
            found = look(layout, pool)
            for name in patience.hanging(found, monotonic()):
                logger().error("hangs, ended for a restart", name=name, pid=found[name][0])
                end(found[name][0])
                ended += 1
                vitals.detail(ended_for_hanging=ended, last_ended=name)
            vitals.progress()
            beside()


def main() -> int:
    """Run until SIGTERM; return the exit code."""
    settings = Settings()
    layout = Layout(settings.state_dir.absolute())
    daily = Daily(layout)

    def body(vitals: Vitals, stop: threading.Event) -> None:
        watch(layout, vitals, stop, lambda: vitals.trouble(daily.look(datetime.now(UTC))))
        daily.stop()

    return run_process(NAME, settings, body)


if __name__ == "__main__":
    sys.exit(main())
