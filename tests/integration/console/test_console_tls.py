"""The console over HTTPS of its own: what browsers are told there, and only there."""

import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.support.certificates import Pair
from tests.support.console_client import log_in

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def secure(place: tuple[str, str], tls: tuple[str, Pair]) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=str(tls[1].chain))
    with httpx.Client(base_url=tls[0], timeout=30, verify=trust) as made:
        yield made


def test_a_login_over_https_leaves_cookies_that_never_go_in_clear(secure: httpx.Client) -> None:
    answer = log_in(secure, "the-viewer")
    assert answer.status_code == 303
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("; Secure" in cookie and "; HttpOnly" in cookie for cookie in cookies)
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert secure.get("/api/v1/sensors").status_code == 200
    assert "_nicegui" in secure.get("/alerts").text


def test_pages_stay_alive_over_https_for_their_own_origin_alone(secure: httpx.Client) -> None:
    own = {"Origin": str(secure.base_url).rstrip("/")}
    assert secure.get(SOCKET, headers=own).status_code == 200
    assert secure.get(SOCKET, headers={"Origin": "https://evil.example"}).status_code == 403


def test_the_door_of_this_machine_promises_nothing(client: httpx.Client) -> None:
    """A browser that was told HSTS for 127.0.0.1 would never come in by that door again."""
    answer = log_in(client, "the-viewer")
    assert "strict-transport-security" not in answer.headers
    assert not any("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
