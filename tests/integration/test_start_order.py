"""Broker and database are away when the platform's processes start: each waits, none dies."""

import signal
from pathlib import Path

import pytest

from deploy.ports import LOOPBACK, free_port
from storage.migrate import migrate
from tests.support.servers import OwnServers, Spawner, wait_until

PROCESSES = (
    ("ingest", "gateway"),
    ("storage", "sink"),
    ("storage", "facts"),
    ("storage", "keep"),
    ("streams", "worker"),
    ("forecasts", "run"),
    ("alerts", "engine"),
    ("alerts", "deliver"),
    ("simulators", "live"),
    ("console",),
)
WAITS = {
    "ingest-gateway": "waits for Kafka",
    "storage-sink": "no broker",
    "storage-facts": "no broker",
    "storage-keep": "waits for PostgreSQL",
    "streams-worker": "waits for Kafka",
    "forecasts-run": "waits for PostgreSQL",
    "alerts-engine": "waits for PostgreSQL",
    "alerts-deliver": "waits for PostgreSQL",
    "simulators-live": "waits for Kafka",
}
"""What each says meanwhile; the console shows pages that say it."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_processes_that_start_before_their_servers_wait_and_then_work(
    own_servers: OwnServers, tmp_path: Path
) -> None:
    bootstrap, dsn = own_servers.start_broker(), own_servers.start_database()
    assert own_servers.broker and own_servers.database
    migrate(dsn)
    own_servers.broker.kill9()
    own_servers.database.stop(signal.SIGINT)
    base = {"CITYOPS_KAFKA": bootstrap, "CITYOPS_DSN": dsn}
    for name in ("GATEWAY", "CONSOLE"):
        base[f"CITYOPS_{name}"] = f"http://{LOOPBACK}:{free_port()}"
    with Spawner(tmp_path, base).stopping() as spawn:
        ours = {"-".join(line): spawn(*line, deadline_s=None) for line in PROCESSES}
        for name, says in WAITS.items():
            waits = lambda n=name, s=says: s in ours[n].health().get("reason", "")  # noqa: E731
            wait_until(waits, 60.0, f"{name} saying that it {says}")
        own_servers.start_database()
        own_servers.start_broker()
        for process in ours.values():
            process.wait_healthy(90.0)  # fails when it ended
