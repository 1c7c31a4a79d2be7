"""Real series through the whole pipe: the red-alert days of Beijing end as signed webhooks."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from alerts.guard import Guard
from alerts.receivers import Receiver, new_secret, register
from alerts.vault import open_vault
from deploy.paths import ROOT
from deploy.ports import free_port
from storage.api_keys import add_key
from tests.servers import Spawner, wait_until

DATA = ROOT.parent / "shared" / "data"
SECRET = new_secret()
STATIONS = ("Aotizhongxin", "Gucheng", "Wanliu")
RED_ALERT = ("2015-12-07", "2015-12-26")
RED = 1


@dataclass
class Inbox:
    """A receiver that keeps every request whose signature holds."""

    port: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {k.lower(): v for k, v in self.headers.items()}
            try:
                made.events += each(Webhook(SECRET).verify(body, headers))
            except Exception as error:  # the test fails on what is kept here
                made.forged.append(repr(error))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def each(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alerts of a webhook: one, or those of a group."""
    return event["data"]["alerts"] if event["type"] == "alerts.grouped" else [event]


def replay(file: str, stream: str, name: str, env: dict[str, str]) -> int:
    """Replay one file at once; return the readings accepted."""
    words = ["--stream", stream, "--map", name, "--at-once"]
    line = [sys.executable, "-m", "ingest", "replay", str(DATA / file), *words]
    ran = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = next(x for x in ran.stdout.splitlines() if "readings accepted" in x)
    print(file, stream, said)
    return int(said.split()[0])


def ask(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(query.encode()).fetchall()


def in_red_alert(event: dict[str, Any]) -> bool:
    """Tell whether the event is red and lies in the weeks of the two red alerts."""
    data = event["data"]
    at = datetime.fromisoformat(data["observed_at"]).date().isoformat()
    return data["severity"]["level"] == RED and RED_ALERT[0] <= at <= RED_ALERT[1]


@pytest.mark.slow
@pytest.mark.timeout(240)  # five processes start, then three stations of 90 days
@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the checkout")
def test_the_red_alert_days_of_beijing_reach_the_receiver(
    kafka: str, dsn: str, topic_prefix: str, spawn: Spawner, inbox: Inbox, tmp_path: Path
) -> None:
    gateway = f"http://127.0.0.1:{free_port()}"
    receiver = Receiver(
        name="duty", url=f"http://127.0.0.1:{inbox.port}/", secret=SecretStr(SECRET)
    )
    with psycopg.connect(dsn, autocommit=True) as conn:
        key = add_key(conn, "all", ["ingest:*"])
        vault = open_vault(tmp_path / "secrets.key")
        register(conn, receiver, Guard(["127.0.0.1"]), vault, "api")
    given = {"CITYOPS_GATEWAY": gateway, "CITYOPS_API_KEY": key}
    spawn("ingest", "gateway", env=given)
    spawn("storage", "sink")
    spawn("streams", "worker", deadline_s=60.0)
    spawn("alerts", "engine")
    spawn("alerts", "deliver")
    probe = f"{gateway}/v1/streams/noise/readings"
    wait_until(lambda: httpx.post(probe, json={}).status_code != 503, 20.0, "keys loaded")

    env = {**os.environ, **given, "CITYOPS_STATE_DIR": str(tmp_path), "COLUMNS": "160"}
    accepted = sum(
        replay(f"air/PRSA_{name}.csv", "air_quality", "prsa_air", env) for name in STATIONS
    )
    query = "SELECT count(*) FROM readings_air_quality"
    wait_until(lambda: ask(dsn, query) == [(accepted,)], 60.0, f"{accepted} rows")

    def told() -> set[str]:
        return {e["data"]["sensor"]["id"] for e in list(inbox.events) if in_red_alert(e)}

    wait_until(lambda: len(told()) == len(STATIONS), 60.0, "a red webhook of every station")
    assert told() == {f"prsa-{name}" for name in STATIONS}
    assert inbox.forged == []
    print(f"{accepted} readings, {len(inbox.events)} webhooks")
