"""From a reading posted alone to the wall, timed against the running platform.

``python -m benchmarks.wall`` needs ``make run`` and Chromium. It posts single readings of a
registered weather station through the gateway and notes when the value is there for a panel (role
``grafana_ro``, ``dash.sensor_states``) and when a browser that shows ``/wall`` has received it.
"""

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import numpy as np
import psycopg
import typer
from playwright.sync_api import Page, sync_playwright

from deploy.native import packages
from deploy.paths import default_layout
from deploy.screenshots import QUIET
from storage.views.reader import ROLE

STREAM, METRIC, SENSOR = "weather", "temp_c", "SENSOR"
SHOWN = re.compile(rf'"id":"{STREAM}/{SENSOR}"[^{{}}]*?"title":"[^"]* (\d+\.\d) ')
FIRST_VALUE, STEP = 12.0, 0.1
"""Mild enough for every limit; each reading has a value of its own."""
SQL_EVERY_S = 0.005
DEADLINE_S = 10.0
OVERTAKEN = 0.1
"""Of the readings at most: the live city's own report of the station came right after."""
PAUSE_S = 0.73
"""Between readings: not in step with anything that happens once a second."""

Seen = dict[str, float]
"""Value as it is shown → when it was first seen (epoch s)."""


@contextmanager
def panel(dsn: str, seen: Seen) -> Iterator[None]:
    """Ask again and again, as a panel would, until the end."""
    stop = threading.Event()
    query = f"SELECT value FROM dash.sensor_states('{STREAM}') WHERE sensor = '{SENSOR}'".encode()

    def ask() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(f"SET ROLE {ROLE}".encode())
            while not stop.wait(SQL_EVERY_S):
                if (row := conn.execute(query).fetchone()) and row[0] is not None:
                    seen.setdefault(f"{row[0]:.1f}", time.time())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def watch(page: Page, console: str, password: str, seen: Seen) -> None:
    """Open the wall and note each value of the sensor that the page is sent."""

    def received(payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode(errors="replace")
        for value in SHOWN.findall(text):
            seen.setdefault(value, time.time())

    page.on("websocket", lambda socket: socket.on("framereceived", received))
    form: dict[str, str | float | bool] = {"name": "admin", "password": password}
    if not page.context.request.post(f"{console}/login", form=form).ok:
        raise RuntimeError(f"{console}/login does not take the password of admin")
    page.goto(f"{console}/wall?page=city&seconds=0", wait_until="load")
    page.wait_for_timeout(5_000)


def post_each(
    address: dict[str, str], page: Page, count: int, in_sql: Seen, on_wall: Seen
) -> dict[str, list[float]]:
    """Post readings one by one; return milliseconds until each was accepted and seen."""
    url = f"{address['CITYOPS_GATEWAY']}/v1/streams/{STREAM}/readings"
    headers = {"Authorization": f"Bearer {address['CITYOPS_API_KEY']}"}
    found: dict[str, list[float]] = {"accepted": [], "in_sql": [], "on_wall": []}
    overtaken = 0
    with httpx.Client(headers=headers, timeout=30) as gateway:
        for number in range(count):
            value = f"{FIRST_VALUE + number * STEP:.1f}"
            posted, at = time.time(), datetime.now(UTC).isoformat()
            reading = {"sensor": SENSOR, "observed_at": at, METRIC: float(value)}
            gateway.post(url, json={"readings": [reading]}).raise_for_status()
            accepted = time.time()
            while not (value in in_sql and value in on_wall) and time.time() < posted + DEADLINE_S:
                page.wait_for_timeout(5)
            if value in in_sql and value in on_wall:
                times = (accepted, in_sql[value], on_wall[value])
                for name, moment in zip(found, times, strict=True):
                    found[name].append((moment - posted) * 1000)
            else:
                overtaken += 1
            page.wait_for_timeout(PAUSE_S * 1000)
    if overtaken > count * OVERTAKEN:
        raise RuntimeError(f"{overtaken} of {count} readings were not seen within {DEADLINE_S:g} s")
    return found


def _summed_up(found: dict[str, list[float]]) -> dict[str, Any]:
    told: dict[str, Any] = {"readings": len(found["on_wall"])}
    for name, values in found.items():
        p50, p99 = np.percentile(values, [50, 99])
        told[name] = {"p50_ms": round(float(p50)), "p99_ms": round(float(p99))}
    return told | {"load_average": round(os.getloadavg()[0], 1)}


def main(count: Annotated[int, typer.Option(min=2, help="readings")] = 30) -> None:
    """Print one JSON line: milliseconds from posting to the answer, the panel and the wall."""
    layout = default_layout()
    if not layout.env_file.exists():
        typer.echo("no platform runs here: start one with make run DETACH=1", err=True)
        raise typer.Exit(1)
    packages.ensure(["chromium"])
    address: dict[str, str] = json.loads(layout.env_file.read_text())
    in_sql, on_wall = Seen(), Seen()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(QUIET)
        )
        page = browser.new_page()
        password = layout.console_password_file.read_text().strip()
        watch(page, address["CITYOPS_CONSOLE"], password, on_wall)
        with panel(address["CITYOPS_DSN"], in_sql):
            found = post_each(address, page, count, in_sql, on_wall)
        browser.close()
    typer.echo(json.dumps(_summed_up(found)))


if __name__ == "__main__":
    typer.run(main)
