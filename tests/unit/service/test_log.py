"""Logs of an outage: what a library says again and again is told once."""

import logging
import subprocess
import sys

import pytest

from deploy.paths import ROOT
from service.log import QUIET_S, OncePerOutage


def said(at: float, message: str, *named: object) -> logging.LogRecord:
    record = logging.LogRecord("kafka.net", logging.ERROR, "", 0, message, named, None)
    record.created = at
    return record


def test_the_like_is_told_again_only_after_it_was_quiet(caplog: pytest.LogCaptureFixture) -> None:
    handler, away = OncePerOutage(), "no node %s"
    for at in (100.0, 101.0, 101.0 + QUIET_S, 103.0 + 2 * QUIET_S):
        handler.handle(said(at, away, at))
    handler.handle(said(104.0, "fenced"))
    assert caplog.messages == ["no node 100.0", f"no node {103.0 + 2 * QUIET_S}", "fenced"]


def test_a_process_tells_an_outage_once() -> None:
    code = (
        "import logging; from service.log import configure; configure('sink')\n"
        "for n in range(9): logging.getLogger('kafka.net').error('connection %s lost', n)\n"
        "logging.getLogger('aiokafka').warning('no node')"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.splitlines() == ["ERROR connection 0 lost", "WARNING no node"]
