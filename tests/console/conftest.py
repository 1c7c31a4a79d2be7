"""One console on one seeded database and one browser for all page tests.

| fixture | what a test gets |
|---|---|
| `place` | address and database of the console |
| `conn` | connection to that database |
| `api` | client of its API, as a viewer |
| `open_page` | opener of pages, logged in by role, that fails on script errors |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from console import accounts
from console.roles import Role
from deploy.native import packages
from deploy.ports import free_port
from storage.api_keys import add_key
from tests.support.databases import Databases
from tests.support.history import Past, write_alerts, write_history
from tests.support.servers import Spawned, Spawner

PASSWORD = "correct horse battery"
PATIENCE_MS = 15_000
START_S = 100.0
"""How long the one console may take to start: every test of pages would fail with it."""

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, slots=True)
class Place:
    """One running console; nobody serves ``gateway`` until a test does, ``key`` opens it."""

    url: str
    dsn: str
    gateway: str
    key: str
    process: Spawned


@pytest.fixture(scope="session")
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The console that all page tests look at."""
    with databases.fresh(migrated=True) as dsn:
        url, gateway = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        past = Past(datetime.now(UTC), raw_hours=0.2, window_hours=0.5)
        with psycopg.connect(dsn, autocommit=True) as conn:
            write_history(conn, past)
            write_alerts(conn, past)
            for role in Role:
                accounts.add_user(conn, role, PASSWORD, role)
            key = add_key(conn, "console", ["ingest:*"])
        base = {"CITYOPS_DSN": dsn, "CITYOPS_CONSOLE": url, "CITYOPS_DISKS": "/"}
        base |= {"CITYOPS_GATEWAY": gateway, "CITYOPS_API_KEY": key}
        base |= {"CITYOPS_WEBHOOK_HOSTS": '["127.0.0.1"]'}
        with Spawner(tmp_path_factory.mktemp("console"), base).stopping() as spawner:
            console = spawner("console", name="console", deadline_s=START_S)
            yield Place(url, dsn, gateway, key, console)


@pytest.fixture
def conn(place: Place) -> Iterator[psycopg.Connection]:
    """Connection to the console's database; sensors are made to have spoken just now."""
    with psycopg.connect(place.dsn, autocommit=True) as made:
        made.execute(
            "UPDATE sensor_last SET observed_at = now(), received_at = now()"
            " WHERE observed_at > now() - interval '12 hours'"
        )
        yield made


@pytest.fixture(scope="module")
def key(place: Place) -> str:
    """Key of the API that may look."""
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        return add_key(conn, "api tests", ["api:viewer"])


@pytest.fixture
def api(place: Place, key: str) -> Iterator[httpx.Client]:
    """Client of the API that may look."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{place.url}/api/v1", headers=headers, timeout=30) as made:
        yield made


def ok(answer: httpx.Response) -> Any:
    """Return the body of an answer that must be 200."""
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserContext]:
    """One headless Chromium, whose cache keeps the scripts from test to test."""
    packages.ensure_browser()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser.new_context()
        browser.close()


@pytest.fixture(scope="session")
def sessions(place: Place) -> dict[str, str]:
    """Session cookie by role."""
    found = {}
    for role in Role:
        form = {"name": role.value, "password": PASSWORD}
        answer = httpx.post(f"{place.url}/login", data=form, timeout=30)
        found[role.value] = answer.cookies["cityops_session"]
    return found


Opener = Callable[..., Page]


@pytest.fixture
def open_page(place: Place, chromium: BrowserContext, sessions: dict[str, str]) -> Iterator[Opener]:
    """Open `path` as `role` in `language` at `width` × `height`; script errors fail the test."""
    made: list[Page] = []
    wrong: list[str] = []

    def opener(
        path: str = "/",
        role: str = "operator",
        language: str = "zh",
        width: int = 1366,
        height: int = 768,
    ) -> Page:
        cookies = {"cityops_session": sessions[role], "cityops_language": language}
        chromium.add_cookies(
            [{"name": n, "value": v, "url": place.url} for n, v in cookies.items()]
        )
        page = chromium.new_page()
        made.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        _watch(page, place.url, wrong)
        page.goto(f"{place.url}{path}")
        return page

    yield opener
    for page in made:
        page.evaluate("localStorage.clear()")
        page.close()
    assert wrong == []


def _watch(page: Page, home: str, wrong: list[str]) -> None:
    """Note script errors, and requests that leave this machine."""

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((home, home.replace("http", "ws"), "data:", "blob:")):
            wrong.append(f"left this machine: {request.url}")

    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", said)
    page.on("request", asked)
