"""From a reading posted alone to the wall: gateway, sink, worker and console, nothing else at work.

Single readings of a registered weather station go through the gateway; noted is when each value is
there for a panel (role ``grafana_ro``, ``dash.sensor_states``) and when a browser that shows
``/wall`` has been sent it.
"""

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import psycopg
from playwright.sync_api import Page, sync_playwright

from benchmarks.stand import Place, Stand, open_place
from deploy.native import packages
from deploy.ports import LOOPBACK, free_port
from deploy.screenshots import QUIET
from deploy.wait import wait_until
from storage.api_keys import add_key
from storage.views.reader import ROLE

STREAM, METRIC, SENSOR = "weather", "temp_c", "weather-510104-02"
SHOWN = re.compile(rf'"id":"{STREAM}/{SENSOR}"[^{{}}]*?"title":"[^"]* (\d+\.\d) ')
FIRST_VALUE, STEP = 12.0, 0.1
"""Each reading has a value of its own."""
READINGS = 30
SQL_EVERY_S = 0.005
DEADLINE_S = 30.0
PAUSE_S = 0.73
"""Between readings: not in step with anything that happens once a second."""

Seen = dict[str, float]
"""Value as it is shown → when it was first seen (epoch s)."""


def run(stand: Stand, share: float) -> list[dict[str, Any]]:
    """Post readings one by one; return the milliseconds until each was accepted and seen."""
    packages.ensure_browser()
    addresses = {
        name: f"http://{LOOPBACK}:{free_port()}" for name in ("CITYOPS_GATEWAY", "CITYOPS_CONSOLE")
    }
    with open_place(stand) as place, sync_playwright() as playwright:
        for line in (("storage", "sink"), ("streams", "worker"), ("ingest", "gateway")):
            place.start(*line, **addresses)
        place.start("console", **addresses, CITYOPS_CONSOLE_OPEN="true")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(QUIET)
        )
        try:
            page, on_wall, in_sql = browser.new_page(), Seen(), Seen()
            _watch(page, addresses["CITYOPS_CONSOLE"], on_wall)
            with _panel(place.dsn, in_sql):
                post = _poster(place, addresses["CITYOPS_GATEWAY"])
                found = _each(page, post, max(5, round(READINGS * share)), in_sql, on_wall)
        finally:
            browser.close()
    return [_summed_up(found)]


@contextmanager
def _panel(dsn: str, seen: Seen) -> Iterator[None]:
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


def _watch(page: Page, console: str, seen: Seen) -> None:
    """Open the wall and note each value of the sensor that the page is sent."""

    def received(payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode(errors="replace")
        for value in SHOWN.findall(text):
            seen.setdefault(value, time.time())

    page.on("websocket", lambda socket: socket.on("framereceived", received))
    page.goto(f"{console}/wall?page=city&seconds=0", wait_until="load")


def _poster(place: Place, gateway: str) -> Any:
    """Return what posts one value; the first, which waits for the key to be known, is sent."""
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        token = add_key(conn, "bench", ["ingest:*"], None)
    client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def post(value: float) -> bool:
        reading = {"sensor": SENSOR, "observed_at": datetime.now(UTC).isoformat(), METRIC: value}
        url = f"{gateway}/v1/streams/{STREAM}/readings"
        return client.post(url, json={"readings": [reading]}).status_code == 202

    wait_until(lambda: post(FIRST_VALUE - STEP), DEADLINE_S, "the gateway knows the key")
    return post


def _each(page: Page, post: Any, count: int, in_sql: Seen, on_wall: Seen) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"accepted": [], "in_sql": [], "on_wall": []}
    for number in range(-1, count):  # the first waits until the wall is complete, and is not timed
        value = f"{FIRST_VALUE + number * STEP:.1f}"
        posted = time.time()
        if number >= 0 and not post(float(value)):
            raise RuntimeError("the gateway refused a reading")
        accepted = time.time()
        while not (value in in_sql and value in on_wall):
            page.wait_for_timeout(5)
            if time.time() > posted + DEADLINE_S:
                raise RuntimeError(f"{value} was not seen within {DEADLINE_S:g} s")
        if number >= 0:
            times = (accepted, in_sql[value], on_wall[value])
            for name, moment in zip(found, times, strict=True):
                found[name].append((moment - posted) * 1000)
        page.wait_for_timeout(PAUSE_S * 1000)
    return found


def _summed_up(found: dict[str, list[float]]) -> dict[str, Any]:
    told: dict[str, Any] = {"readings": len(found["on_wall"])}
    for name, values in found.items():
        p50, p99 = np.percentile(values, [50, 99])
        told[name] = {"p50_ms": round(float(p50)), "p99_ms": round(float(p99))}
    return told | {"load_average": round(os.getloadavg()[0], 1)}
