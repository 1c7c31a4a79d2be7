"""The pictures of README and docs are taken from a running console, logged in."""

import struct
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from deploy.errors import DeployError
from deploy.screenshots import Shot, pictures
from tests.console.conftest import PASSWORD, Place


@pytest.mark.browser
def test_a_picture_has_the_size_asked_for_and_shows_the_page(
    place: Place, chromium: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.screenshots.SETTLE_MS", 500)
    page = chromium.new_page()
    shots = [Shot("seen.png", "/", "en", 800, 600)]
    (made,) = pictures(page, place.url, PASSWORD, tmp_path, shots)
    assert struct.unpack(">II", made.read_bytes()[16:24]) == (800, 600)
    assert page.url == f"{place.url}/"
    assert "/login" not in page.content()
    monkeypatch.setattr("deploy.screenshots.FOLLOW_MS", 200)
    empty = Shot("empty.png", "/", follow="a.nothing-to-open")
    assert pictures(page, place.url, PASSWORD, tmp_path, [empty, *shots]) == [made]
    with pytest.raises(DeployError, match="/nowhere answers 404"):
        pictures(page, place.url, PASSWORD, tmp_path, [Shot("none.png", "/nowhere")])
    with pytest.raises(DeployError, match="password of admin"):
        pictures(page, place.url, "wrong password", tmp_path, shots)
    page.close()
