"""An open page leaves for the login when the session behind it is over."""

import re

import httpx
import psycopg
from playwright.sync_api import expect

from tests.console.conftest import PASSWORD, Opener, Place

LEAVES_MS = 45_000


def test_an_idle_page_asks_for_the_login_again(
    place: Place, conn: psycopg.Connection, open_page: Opener, sessions: dict[str, str]
) -> None:
    form = {"name": "viewer", "password": PASSWORD}
    token = httpx.post(f"{place.url}/login", data=form, timeout=30).cookies["cityops_session"]
    shared, sessions["viewer"] = sessions["viewer"], token
    try:
        page = open_page("/alerts?severity=1", role="viewer")
    finally:
        sessions["viewer"] = shared
    expect(page.locator(".person .who")).to_contain_text("viewer")
    expect(page.locator(".person .who")).to_have_attribute("href", "/me")
    conn.execute(
        "UPDATE console_sessions SET seen_at = seen_at - interval '31 minutes' WHERE token_hash ="
        " encode(sha256(%s::bytea), 'hex')",
        [token.encode()],
    )
    page.wait_for_url(re.compile(r"/login\?next="), timeout=LEAVES_MS)
    assert "severity" in page.url


def test_a_person_who_is_there_keeps_the_session(place: Place, conn: psycopg.Connection) -> None:
    with httpx.Client(base_url=place.url, timeout=30) as browser:
        browser.post("/login", data={"name": "viewer", "password": PASSWORD})
        token = browser.cookies["cityops_session"].encode()
        own = "WHERE token_hash = encode(sha256(%s::bytea), 'hex')"
        past = f"UPDATE console_sessions SET seen_at = now() - interval '20 minutes' {own}"
        conn.execute(past.encode(), [token])
        assert browser.post("/session/seen").status_code == 204
        query = f"SELECT now() - seen_at < interval '1 minute' FROM console_sessions {own}"
        assert conn.execute(query.encode(), [token]).fetchone() == (True,)
        assert browser.post("/session/seen", headers={"Origin": "null"}).status_code == 403
