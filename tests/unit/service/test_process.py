"""The process runner: signals, exit codes and the stall watchdog, each in a real child."""

import os
import signal
import subprocess
import sys

import pytest

from deploy.ports import free_port

PRELUDE = """
import sys, threading
from catalog.errors import FatalError
from service.process import run_process
from service.settings import Settings
"""


def run(body: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + body],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"CITYOPS_METRICS_PORT": "0"} | more,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_body_and_gives_zero(number: signal.Signals) -> None:
    child = run(
        """
def body(vitals, stop):
    print("up", flush=True)
    assert stop.wait(30)
    print("down", flush=True)
sys.exit(run_process("t", Settings(), body))
"""
    )
    assert child.stdout and child.stdout.readline() == "up\n"
    child.send_signal(number)
    out, _ = child.communicate(timeout=20)
    assert (out, child.returncode) == ("down\n", 0)


def test_a_fatal_error_gives_two_and_says_why() -> None:
    child = run(
        """
def body(vitals, stop):
    raise FatalError("no such database", code="config", stage="storing")
sys.exit(run_process("t", Settings(), body))
"""
    )
    _, err = child.communicate(timeout=20)
    assert child.returncode == 2
    assert "no such database" in err


def test_a_stalled_process_leaves_with_three() -> None:
    child = run(
        """
def body(vitals, stop):
    vitals.ready()
    vitals.lag(5)
    stop.wait(30)
sys.exit(run_process("t", Settings(), body, exit_when_stalled_s=1.0))
"""
    )
    _, err = child.communicate(timeout=20)
    assert child.returncode == 3
    assert "stalled" in err


def test_a_server_whose_event_loop_is_blocked_leaves_with_three() -> None:
    child = run(
        """
import os, time, urllib.request
from service.doors import Doors
from service.web import serve
async def app(scope, receive, send):
    if scope["type"] == "http":
        time.sleep(60)
url = os.environ["ITS_URL"]
def ask():
    while True:
        try:
            urllib.request.urlopen(url, timeout=1)
        except OSError:
            time.sleep(0.1)
def body(vitals, stop):
    threading.Thread(target=ask, daemon=True).start()
    serve(app, Doors(url), vitals, stop)
sys.exit(run_process("t", Settings(), body, exit_when_stalled_s=2.0))
""",
        ITS_URL=f"http://127.0.0.1:{free_port()}",
    )
    _, err = child.communicate(timeout=40)
    assert child.returncode == 3
    assert "stalled" in err
