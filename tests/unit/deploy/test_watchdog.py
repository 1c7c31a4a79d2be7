"""Who hangs is ended; who starts, who slept with us, and a machine without time are not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import signs, watchdog
from deploy.memory import family
from deploy.ports import free_port
from deploy.watchdog import EVERY_S, HANGS_S, STARTS_S, Patience
from tests.support.servers import wait_until

OTHER = {"kafka": (9, True)}


def rounds(patience: Patience, answered: bool, begin: float, lasts: float) -> list[float]:
    """Ask `gateway` every 5 s beside a broker that is well; return when it was found hanging."""
    moments = [begin + n * EVERY_S for n in range(int(lasts / EVERY_S) + 1)]
    found = {"gateway": (7, answered)} | OTHER
    return [at for at in moments if patience.hanging(found, at)]


def test_one_that_answered_before_may_be_silent_for_half_a_minute() -> None:
    patience = Patience()
    assert not rounds(patience, True, 0.0, 60.0)
    assert rounds(patience, False, 65.0, 60.0)[0] == 60.0 + HANGS_S


def test_one_that_starts_has_more_time() -> None:
    patience = Patience()
    assert rounds(patience, False, 0.0, 400.0)[0] == STARTS_S


def test_a_new_process_of_the_name_begins_anew() -> None:
    patience = Patience()
    rounds(patience, True, 0.0, 10.0)
    assert rounds(patience, False, 15.0, 25.0)
    assert not patience.hanging({"gateway": (8, False)} | OTHER, 45.0)


def test_time_in_which_nobody_asked_counts_for_nobody() -> None:
    patience = Patience()
    rounds(patience, True, 0.0, 10.0)
    assert not rounds(patience, False, 3600.0, HANGS_S - EVERY_S)
    assert rounds(patience, False, 3600.0 + HANGS_S, 0.0)


def test_when_nothing_at_all_answers_nobody_is_ended() -> None:
    patience = Patience()
    rounds(patience, True, 0.0, 10.0)
    silent = {"gateway": (7, False), "kafka": (9, False)}
    assert not [n for n in range(60) if patience.hanging(silent, 15.0 + n * EVERY_S)]


GREEDY = """
import re, sys, threading
from service.process import run_process
from service.settings import Settings
def body(vitals, stop):
    vitals.ready()
    sys.stdin.readline()
    re.match("(a|a)+b", "a" * 60)  # holds the interpreter for longer than anybody lives
sys.exit(run_process("greedy", Settings(), body))
"""


@pytest.fixture
def greedy() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    env = os.environ | {"CITYOPS_METRICS_PORT": str(port)}
    line = [sys.executable, "-c", GREEDY]
    child = subprocess.Popen(line, stdin=subprocess.PIPE, env=env, text=True)
    yield child, port
    child.kill()
    child.communicate()


def test_who_is_stopped_or_holds_its_interpreter_gives_no_sign(
    greedy: tuple[subprocess.Popen[str], int],
) -> None:
    child, port = greedy
    ports = {"greedy-health": port}
    wait_until(lambda: signs.answers("greedy", ports), 20.0, "a sign")
    child.send_signal(signal.SIGSTOP)
    assert signs.answers("greedy", ports) is False
    child.send_signal(signal.SIGCONT)
    assert signs.answers("greedy", ports) is True
    assert child.stdin
    child.stdin.write("\n")
    child.stdin.flush()
    time.sleep(0.5)
    assert signs.answers("greedy", ports) is False
    assert signs.answers("somebody else", ports) is None


def test_all_that_a_process_has_started_ends_with_it(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run(['sleep', '300'], start_new_session=True)"
    child = subprocess.Popen([sys.executable, "-c", script])
    wait_until(lambda: len(family(child.pid)) == 2, 10.0, "the child's child")
    members = family(child.pid)
    os.kill(members[1], signal.SIGSTOP)
    watchdog.end(child.pid)
    child.wait(10)
    wait_until(lambda: not _lives(members[1]), 10.0, "all ended")


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
