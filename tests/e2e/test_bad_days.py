"""Bad days: `kill -9` of each process of a whole running platform, under its real supervisor.

A ledger that is never killed posts readings and sends each again until it is accepted. Whatever
dies: the supervisor starts it again, what was accepted is one row each, the alert that was up is
still one episode told once, and readings flow again. The promise is 15 s; the deadlines here leave
room for a loaded machine, and the seconds measured are printed (pytest -s).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from kafka import KafkaProducer

from catalog.frames import frame_headers
from catalog.registry import stream
from catalog.topics import readings_topic
from deploy import supervisor
from deploy.paths import ROOT, Layout
from deploy.process import tail
from deploy.status import rows
from tests.servers import native_folder, wait_until

STREAM = "waterlogging"
FLOW_S = 40.0
VICTIMS = ("gateway", "sink", "worker", "alerts-engine", "alerts-deliver", "kafka", "postgres")


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
                    self.stop.wait(0.2)
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

    def stored_since(self, moment: datetime) -> bool:
        """Tell whether a reading of the ledger observed after ``moment`` is stored."""
        query = f"SELECT max(observed_at) FROM readings_{STREAM} WHERE sensor = 'ledger'"
        newest = self.ask(query)
        return newest is not None and newest > moment


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with native_folder() as folder:
        state = folder / "state"
        layout = Layout(state)
        try:
            _deploy(state, "up", "--detach")
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
            _deploy(state, "clean")


def _deploy(state: Path, *arguments: str) -> None:
    own = {"CITYOPS_STATE_DIR": str(state), "CITYOPS_RUNTIME": "native", "CITYOPS_PORTS": "any"}
    env = os.environ | own
    line = [sys.executable, "-m", "deploy", *arguments]
    done = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(420)
def test_kill_9_of_any_process_loses_and_doubles_nothing(platform: Platform) -> None:
    ledger = platform.ledger
    wait_until(lambda: platform.stored_since(datetime(2000, 1, 1, tzinfo=UTC)), 30.0, "first row")
    start = datetime.now(UTC)
    for age_s in (70, 5):
        ledger.post("flooded", 0.5, start - timedelta(seconds=age_s))
    told = (
        "SELECT count(*) FROM outbox o JOIN outbox_subjects s ON s.outbox = o.id"
        " JOIN episodes e ON e.id = s.subject WHERE e.sensor = 'flooded'"
        " AND e.rule = 'waterlogging.ponding' AND s.kind = 'raised' AND o.delivered_at IS NOT NULL"
    )
    wait_until(lambda: platform.ask(told) == 1, 30.0, "the alert told")
    for victim in VICTIMS:
        _kill_and_recover(platform, victim)
    _poison(platform)
    ledger.stop.set()
    count = f"SELECT count(*) FROM readings_{STREAM} WHERE sensor = 'ledger'"
    wait_until(lambda: platform.ask(count) == len(ledger.accepted), 30.0, "every accepted row")
    episodes = "SELECT count(*) FROM episodes WHERE sensor = 'flooded' AND rule LIKE %s"
    assert platform.ask(episodes, "%.ponding") == 1
    assert platform.ask(told) == 1
    assert platform.ask("SELECT count(*) FROM dead_letters WHERE code <> 'arrow'") == 0


def _kill_and_recover(platform: Platform, victim: str) -> None:
    old = supervisor.states(platform.layout)[victim]["pid"]
    os.kill(old, signal.SIGKILL)
    killed, begun = datetime.now(UTC), time.monotonic()

    def again() -> bool:
        info = supervisor.states(platform.layout)[victim]
        return info["statename"] == "RUNNING" and info["pid"] != old

    wait_until(again, FLOW_S, f"{victim} started again")
    wait_until(lambda: platform.stored_since(killed), FLOW_S, f"flow after kill -9 of {victim}")
    flows = time.monotonic() - begun
    wait_until(lambda: not _unwell(platform), 45.0, "every process well")
    print(f"kill -9 {victim}: flow after {flows:.1f} s, all well {time.monotonic() - begun:.1f} s")


def _unwell(platform: Platform) -> list[str]:
    return [f"{row.name}: {row.reason}" for row in rows(platform.layout) if not row.well]


def _poison(platform: Platform) -> None:
    """Put bytes that are no frame on each partition; the flow goes on and each is kept."""
    producer = KafkaProducer(bootstrap_servers=platform.address["CITYOPS_KAFKA"], acks="all")
    headers = frame_headers(stream(STREAM), "test", datetime.now(UTC))
    for partition in range(4):
        topic = readings_topic("city", STREAM)
        producer.send(topic, b"no arrow", partition=partition, headers=headers).get(timeout=10)
    producer.close()
    kept = "SELECT count(*) FROM dead_letters WHERE code = 'arrow'"
    wait_until(lambda: platform.ask(kept) == 4, 30.0, "four dead letters")
    now = datetime.now(UTC)
    wait_until(lambda: platform.stored_since(now), FLOW_S, "flow after poison")
