"""A whole platform under its own supervisor for a test, and a ledger of what it accepted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from deploy.paths import ROOT, Layout
from deploy.process import tail
from deploy.status import rows
from tests.support.servers import wait_until

STREAM = "waterlogging"
FLOW_S = 90.0
"""A busy machine restarts a dozen processes one after the other."""


@dataclass
class Ledger:
    """Posts one reading after another and keeps what the gateway accepted."""

    gateway: str
    key: str
    accepted: list[datetime] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Post until ``stop``; a reading without an answer, or with a 503, is sent again."""
        with httpx.Client(timeout=20.0) as client:
            while not self.stop.wait(0.05):
                moment = datetime.now(UTC)
                while not self._post(client, {"sensor": "ledger", "depth_m": 0.01}, moment):
                    if self.stop.wait(0.2):  # else it would spin where the platform is gone
                        return
                self.accepted.append(moment)

    def post(self, sensor: str, depth_m: float, moment: datetime) -> None:
        """Post one reading until it is accepted."""
        reading = {"sensor": sensor, "depth_m": depth_m}
        with httpx.Client(timeout=20.0) as client:
            wait_until(lambda: self._post(client, reading, moment), FLOW_S, "accepted", 0.5)

    def _post(self, client: httpx.Client, reading: dict[str, Any], moment: datetime) -> bool:
        body = {"readings": [reading | {"observed_at": moment.isoformat()}]}
        url = f"{self.gateway}/v1/streams/{STREAM}/readings"
        headers = {"Authorization": f"Bearer {self.key}"}
        with suppress(httpx.TransportError):
            status = client.post(url, json=body, headers=headers).status_code
            assert status in (202, 503), status
            return status == 202
        return False


@dataclass
class Platform:
    """A running platform, its ledger, and questions to its database."""

    layout: Layout
    address: dict[str, str]
    ledger: Ledger

    def ask(self, query: str, *parameters: Any) -> Any:
        """Return the first value of a query; None while the database is away."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.address["CITYOPS_DSN"]) as c:
            row = c.execute(query.encode(), parameters).fetchone()
            return row[0] if row else None
        return None

    def told(self, sensor: str) -> int:
        """Return how often a receiver was told that a sensor's ponding alert was raised."""
        query = (
            "SELECT count(*) FROM outbox o JOIN outbox_subjects s ON s.outbox = o.id"
            " JOIN episodes e ON e.id = s.subject WHERE e.sensor = %s"
            " AND e.rule = 'waterlogging.ponding' AND s.kind = 'raised'"
            " AND o.delivered_at IS NOT NULL"
        )
        return self.ask(query, sensor) or 0

    def breach(self, sensor: str) -> None:
        """Send two readings that raise the ponding alert of a sensor at once."""
        now = datetime.now(UTC)
        for age_s in (70, 5):
            self.ledger.post(sensor, 0.5, now - timedelta(seconds=age_s))

    def unwell(self) -> list[str]:
        """Return who is unwell and why."""
        return [f"{row.name}: {row.reason}" for row in rows(self.layout) if not row.well]

    def stored_since(self, moment: datetime) -> bool:
        """Tell whether a reading of the ledger observed after ``moment`` is stored."""
        query = f"SELECT max(observed_at) FROM readings_{STREAM} WHERE sensor = 'ledger'"
        newest = self.ask(query)
        return newest is not None and newest > moment


@contextmanager
def running(state: Path) -> Iterator[Platform]:
    """Give a platform with a ledger at work; its data is gone at the end."""
    layout = Layout(state)
    try:
        deploy(state, "up", "--detach")
        address = json.loads(layout.env_file.read_text())
        ledger = Ledger(address["CITYOPS_GATEWAY"], address["CITYOPS_API_KEY"])
        thread = threading.Thread(target=ledger.run, daemon=True)
        thread.start()
        yield Platform(layout, address, ledger)
        ledger.stop.set()
        thread.join(30)
    finally:
        for log in sorted(layout.logs.glob("*.log")):
            print(f"---- {log.name}\n{tail(log)}")
        if state.exists():
            deploy(state, "clean")


def environment(state: Path) -> dict[str, str]:
    """Return the environment of commands for the platform in `state`."""
    own = {"CITYOPS_STATE_DIR": str(state), "CITYOPS_RUNTIME": "native", "CITYOPS_PORTS": "any"}
    return os.environ | own


def deploy(state: Path, *arguments: str, code: int = 0) -> str:
    """Run a command of `deploy` to its end and return what it printed."""
    line = [sys.executable, "-m", "deploy", *arguments]
    env = environment(state)
    done = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout
