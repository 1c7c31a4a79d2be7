"""From a posted breach to its webhook, timed against the running platform.

``python -m benchmarks.breach`` needs ``make run``. For each background rate it sends load to Kafka,
posts readings of new air stations far above the AQI limit through the gateway, and notes when the
signed webhook of each arrives at a receiver of its own, which is removed at the end. The index is
of hourly means: each station sends the values of two hours at once, so that it reports by the hour.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

import httpx
import numpy as np
import typer

from deploy.paths import ROOT, default_layout
from deploy.ports import LOOPBACK
from deploy.wait import wait_until

SETTLE_S = 4.0
LAST_WAIT_S = 30.0
POLLUTION = {"pm25": 480.0, "pm10": 560.0}
SENSOR = re.compile(rb"breach-[0-9a-z-]+")


@dataclass(slots=True)
class Inbox:
    """When each sensor's first webhook came (epoch s)."""

    came: dict[str, float] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        """Note every sensor that a message speaks of."""
        now = time.time()
        for found in SENSOR.findall(body):
            self.came.setdefault(found.decode(), now)


@contextmanager
def listening(inbox: Inbox) -> Iterator[str]:
    """Serve a receiver on loopback; give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.take(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def registered(console: httpx.Client, url: str) -> Iterator[None]:
    """Register the receiver through the API, and take it away at the end."""
    name = f"bench-{os.getpid()}"
    draft = {"name": name, "url": url, "domains": ["environment"]}
    console.post("/api/v1/receivers", json=draft).raise_for_status()
    try:
        yield
    finally:
        console.delete(f"/api/v1/receivers/{name}").raise_for_status()


@contextmanager
def background(address: dict[str, str], rate: int, sensors: int, seconds: float) -> Iterator[None]:
    """Send load for a while."""
    line = [sys.executable, "-m", "simulators", "load", "--json", "--rate", str(rate)]
    line += ["--sensors", str(sensors), "--seconds", str(seconds)]
    load = subprocess.Popen(line, env=os.environ | address, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield
        load.wait(timeout=seconds + 60)
    finally:
        load.kill()
        load.wait()


def measure(
    address: dict[str, str], inbox: Inbox, rate: int, sensors: int, count: int, every_s: float
) -> dict[str, Any]:
    """Post ``count`` breaches while ``rate`` readings a second go by; return the figures."""
    seconds = SETTLE_S + count * every_s + 1.0
    posted: dict[str, float] = {}
    headers = {"Authorization": f"Bearer {address['CITYOPS_API_KEY']}"}
    url = f"{address['CITYOPS_GATEWAY']}/v1/streams/air_quality/readings"
    with background(address, rate, sensors, seconds), httpx.Client(headers=headers) as gateway:
        time.sleep(SETTLE_S)
        for number in range(count):
            sensor = f"breach-{int(time.time())}-{rate}-{number:04d}"
            posted[sensor] = time.time()
            now = datetime.now(UTC)
            readings = [
                {"sensor": sensor, "observed_at": at.isoformat(), **POLLUTION}
                for at in (now - timedelta(hours=1), now)
            ]
            gateway.post(url, json={"readings": readings}, timeout=30).raise_for_status()
            time.sleep(max(0.0, posted[sensor] + every_s - time.time()))
        wait_until(lambda: posted.keys() <= inbox.came.keys(), LAST_WAIT_S, "every webhook")
    took_ms = [(inbox.came[sensor] - at) * 1000 for sensor, at in posted.items()]
    p50, p99 = np.percentile(took_ms, [50, 99])
    return {
        "background_per_s": rate,
        "sensors": sensors,
        "breaches": count,
        "p50_ms": round(float(p50)),
        "p99_ms": round(float(p99)),
        "max_ms": round(max(took_ms)),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main(
    rates: Annotated[str, typer.Option(help="background readings/s")] = "1000,20000",
    sensors: Annotated[int, typer.Option(min=1, help="of the background")] = 5_000,
    count: Annotated[int, typer.Option(min=2, help="breaches per rate")] = 100,
    every_s: Annotated[float, typer.Option(min=0.01, help="seconds between breaches")] = 0.2,
) -> None:
    """Print one JSON line per background rate: milliseconds from posting to the webhook."""
    path = default_layout().env_file
    if not path.exists():
        typer.echo("no platform runs here: start one with make run DETACH=1", err=True)
        raise typer.Exit(1)
    address: dict[str, str] = json.loads(path.read_text())
    key = {"Authorization": f"Bearer {address['CITYOPS_API_KEY']}"}
    inbox = Inbox()
    with (
        listening(inbox) as url,
        httpx.Client(base_url=address["CITYOPS_CONSOLE"], headers=key, timeout=30) as console,
        registered(console, url),
    ):
        for rate in map(int, rates.split(",")):
            figures = measure(address, inbox, rate, sensors, count, every_s)
            typer.echo(json.dumps(figures))


if __name__ == "__main__":
    typer.run(main)
