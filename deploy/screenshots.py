"""Pictures of the running console for README and docs, taken by a headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, sync_playwright

from deploy.errors import DeployError
from deploy.native import packages
from deploy.paths import ROOT

FOLDER = ROOT / "docs" / "images"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTLE_MS = 4000
"""Charts and the map animate after the last request; live values come each second."""

FOLLOW_MS = 10_000


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its file, the page, the language and the size; ``follow`` is a link to open."""

    name: str
    path: str
    language: str = "zh"
    width: int = 1440
    height: int = 900
    follow: str = ""


SHOTS = (
    Shot("overview.png", "/"),
    Shot("wall.png", "/wall?seconds=0", "zh", 1920, 1080),
    Shot("alert.png", "/alerts?stream=waterlogging", height=1000, follow=".list td a"),
    Shot("incident.png", "/incidents", follow=".list td a"),
)


def take(console: str, password: str) -> list[Path]:
    """Write every picture into docs/images, from the console at this address."""
    packages.ensure_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(QUIET)
        )
        try:
            return pictures(browser.new_page(), console, password)
        finally:
            browser.close()


def pictures(
    page: Page,
    console: str,
    password: str,
    folder: Path = FOLDER,
    shots: Sequence[Shot] = SHOTS,
) -> list[Path]:
    """Log in as admin and write the pictures; raises DeployError when a page does not come."""
    form: dict[str, str | float | bool] = {"name": "admin", "password": password}
    answer = page.context.request.post(f"{console}/login", form=form)
    if not answer.ok:
        raise DeployError(f"{console}/login answers {answer.status} to the password of admin")
    taken = [_take(page, console, shot, folder) for shot in shots]
    return [path for path in taken if path]


def _take(page: Page, console: str, shot: Shot, folder: Path) -> Path | None:
    """Take one picture; None when the page has nothing yet that ``follow`` could open."""
    page.context.add_cookies([{"name": "cityops_language", "value": shot.language, "url": console}])
    page.set_viewport_size({"width": shot.width, "height": shot.height})
    answer = page.goto(f"{console}{shot.path}", wait_until="load")
    if answer is None or not answer.ok:
        raise DeployError(f"{shot.path} answers {answer.status if answer else 'nothing'}")
    if shot.follow:
        try:
            page.locator(shot.follow).first.click(timeout=FOLLOW_MS)
        except TimeoutError:
            return None
        page.wait_for_load_state("load")
    page.wait_for_timeout(SETTLE_MS)
    target = folder / shot.name
    page.screenshot(path=target)
    return target
