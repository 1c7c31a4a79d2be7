"""Who gets into the console: keys, logins, roles, lock-out, sessions, passwords."""

from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from console import accounts
from console.accounts import SessionTimes
from console.login_limits import PER_ADDRESS, PER_BROWSER, PER_PAIR
from console.passwords import PasswordError
from console.roles import Role
from storage import audit
from storage.api_keys import add_key
from tests.support.console_client import PASSWORD, from_address, guess, log_in, raise_alert


@pytest.mark.parametrize("path", ["/", "/api/v1/alerts", "/api/v1/audit"])
def test_nothing_is_shown_without_key_or_login(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    if path.startswith("/api"):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Bearer" in answer.json()["detail"]
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/")


def test_keys_work_by_scope(client: httpx.Client, conn: psycopg.Connection) -> None:
    raise_alert(conn, "by-key")
    scopes = {"all": "api:*", "operator": "api:operator", "viewer": "api:viewer", "in": "ingest:*"}
    keys = {name: add_key(conn, name, [scope]) for name, scope in scopes.items()}

    def status(name: str, method: str, path: str) -> int:
        headers = {"Authorization": f"Bearer {keys.get(name, name)}"}
        return client.request(method, f"/api/v1{path}", headers=headers).status_code

    listed = {name: status(name, "GET", "/alerts") for name in [*scopes, "unknown"]}
    assert listed == {"all": 200, "operator": 200, "viewer": 200, "in": 403, "unknown": 401}
    acked = {name: status(name, "POST", "/alerts/by-key/ack") for name in scopes}
    assert acked == {"all": 204, "operator": 204, "viewer": 403, "in": 403}
    audits = {name: status(name, "GET", "/audit") for name in scopes}
    assert audits == {"all": 200, "operator": 403, "viewer": 403, "in": 403}
    row = conn.execute("SELECT acked_by FROM episodes WHERE id = 'by-key'").fetchone()
    assert row == ("all",)


def test_a_login_opens_the_pages_and_logout_closes_them(client: httpx.Client) -> None:
    answer = log_in(client, "the-viewer", next="/?a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?a=1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/alerts").status_code == 200
    token = client.cookies["cityops_session"]
    client.post("/logout")
    client.cookies.set("cityops_session", token)
    assert client.get("/api/v1/alerts").status_code == 401


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_login_never_leads_to_another_site(client: httpx.Client, away: str) -> None:
    assert log_in(client, "the-viewer", next=away).headers["location"] == "/"


def test_another_site_cannot_use_a_session(client: httpx.Client, conn: psycopg.Connection) -> None:
    raise_alert(conn, "forged")
    log_in(client, "the-operator")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "none"},
    ):
        answer = client.post("/api/v1/alerts/forged/ack", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:cityops:cross_site")
    assert client.post("/api/v1/alerts/forged/ack").status_code == 204


def test_roles_bound_what_a_person_may_do(client: httpx.Client, conn: psycopg.Connection) -> None:
    raise_alert(conn, "by-person")
    log_in(client, "the-viewer")
    refused = client.post("/api/v1/alerts/by-person/ack", json={"note": "on it"})
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "needs role operator, you are viewer",
    )
    log_in(client, "the-operator")
    ack = client.post("/api/v1/alerts/by-person/ack", json={"note": "on it"})
    assert ack.status_code == 204
    act = audit.entries(conn, search="by-person")[0]
    assert (act.who, act.what) == ("the-operator", "alert.ack")
    assert act.detail == {"note": "on it", "address": "127.0.0.1"}
    assert client.get("/api/v1/audit").status_code == 403
    log_in(client, "the-admin")
    assert client.get("/api/v1/audit/verify").json()["whole"] is True


def test_errors_are_problems_that_name_the_field(client: httpx.Client) -> None:
    log_in(client, "the-operator")
    missing = client.post("/api/v1/alerts/no-such/ack")
    assert (missing.status_code, missing.json()["detail"]) == (404, "no alert no-such")
    bad = client.get("/api/v1/alerts", params={"limit": 0})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["field"] == "query.limit"


def test_guessing_is_limited_and_keeps_no_owner_out(
    place: tuple[str, str], conn: psycopg.Connection
) -> None:
    accounts.add_user(conn, "victim", PASSWORD, Role.VIEWER)
    home, attacker = "198.51.100.7", "203.0.113.9"
    assert guess(place, "victim", home, PASSWORD).status_code == 303
    tries = [guess(place, "victim", attacker).status_code for _ in range(PER_PAIR + 1)]
    assert tries == [401] * PER_PAIR + [429]
    assert guess(place, "victim", attacker, PASSWORD).status_code == 429, "not even the right one"
    assert guess(place, "victim", home, PASSWORD).status_code == 303, "the owner goes in"
    assert guess(place, "victim", "198.51.100.8", PASSWORD).status_code == 303


def test_names_that_exist_and_names_that_do_not_are_answered_alike(
    place: tuple[str, str], conn: psycopg.Connection
) -> None:
    accounts.add_user(conn, "exists", PASSWORD, Role.VIEWER)
    said: dict[str, list[tuple[int, str]]] = {}
    for n, name in enumerate(("exists", "absent")):
        answers = [guess(place, name, f"192.0.2.{n}") for _ in range(PER_PAIR + 2)]
        said[name] = [(a.status_code, a.text.replace(name, "")) for a in answers]
    assert said["exists"] == said["absent"]
    assert said["absent"][-1][0] == 429
    assert "15 分钟" in said["absent"][-1][1]


def test_a_wrong_name_takes_as_long_as_a_wrong_password(
    place: tuple[str, str], conn: psycopg.Connection
) -> None:
    taken: dict[str, list[float]] = {"the-viewer": [], "nobody": []}
    for n in range(8):
        for m, name in enumerate(taken):
            answer = guess(place, name, f"192.0.2.{100 + 2 * n + m}")
            assert answer.status_code == 401
            taken[name].append(answer.elapsed.total_seconds())
    fastest = {name: min(times) for name, times in taken.items()}
    assert 0.5 < fastest["nobody"] / fastest["the-viewer"] < 2.0


def test_spraying_from_one_address_is_limited(place: tuple[str, str]) -> None:
    codes = [guess(place, f"user-{n}", "203.0.113.50").status_code for n in range(PER_ADDRESS + 3)]
    assert codes == [401] * PER_ADDRESS + [429] * 3


def test_a_browser_that_was_used_before_goes_in_from_a_crowded_address(
    place: tuple[str, str], conn: psycopg.Connection
) -> None:
    accounts.add_user(conn, "wang", PASSWORD, Role.VIEWER)
    office = "203.0.113.60"
    with httpx.Client(base_url=place[0], headers=from_address(office), timeout=30) as browser:
        assert log_in(browser, "wang").status_code == 303
        cookie = next(c for c in browser.cookies.jar if c.name == "cityops_browser")
        assert cookie.path == "/"
        for n in range(PER_ADDRESS + 1):
            guess(place, f"colleague-{n}", office)
        assert guess(place, "wang", office, PASSWORD).status_code == 429, "an unknown browser waits"
        assert log_in(browser, "wang").status_code == 303
        wrong = [log_in(browser, "wang", "guess").status_code for _ in range(PER_BROWSER + 1)]
        assert wrong == [401] * PER_BROWSER + [429]


TIMES = SessionTimes(timedelta(minutes=30), timedelta(hours=12))


def test_sessions_end_idle_after_long_disabled_and_on_a_new_password(
    conn: psycopg.Connection,
) -> None:
    now = datetime.now(UTC)
    accounts.add_user(conn, "li", PASSWORD, Role.VIEWER)

    def role(token: str, touch: bool = True, **later: float) -> object:
        at = now + timedelta(**later)
        return accounts.session_role(conn, token, at, TIMES, touch=touch)

    token = accounts.login(conn, "li", PASSWORD, now)
    assert role(token, minutes=29) == ("li", Role.VIEWER)
    assert role(token, minutes=50, touch=False) is not None, "it was used"
    assert role(token, minutes=60) is None, "a look is no use"
    token = accounts.login(conn, "li", PASSWORD, now)
    for minutes in range(20, 720, 20):
        assert role(token, minutes=minutes) is not None
    assert role(token, minutes=721) is None, "used all the time, over all the same"
    fresh = accounts.login(conn, "li", PASSWORD, now)
    accounts.add_user(conn, "li", PASSWORD + "!", Role.VIEWER)
    assert role(fresh) is None
    fresh = accounts.login(conn, "li", PASSWORD + "!", now)
    accounts.disable_user(conn, "li")
    assert role(fresh) is None
    with pytest.raises(accounts.LoginError):
        accounts.login(conn, "li", PASSWORD + "!", now)
    for weak in ("short", "aaaaaaaaaa", "1234567890"):
        with pytest.raises(PasswordError):
            accounts.add_user(conn, "li", weak, Role.VIEWER)


def test_a_screen_stays_logged_in_and_only_looks(conn: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="only look"):
        accounts.add_user(conn, "wall", PASSWORD, Role.OPERATOR, screen=True)
    accounts.add_user(conn, "wall", PASSWORD, Role.VIEWER, screen=True)
    token = accounts.login(conn, "wall", PASSWORD, now)
    later = now + timedelta(days=200)
    accounts.remove_ended(conn, now + timedelta(minutes=1), TIMES)
    assert accounts.session_role(conn, token, later, TIMES) == ("wall", Role.VIEWER)
    accounts.disable_user(conn, "wall")
    assert accounts.session_role(conn, token, later, TIMES) is None


def test_people_change_their_own_password(
    client: httpx.Client, place: tuple[str, str], conn: psycopg.Connection
) -> None:
    accounts.add_user(conn, "zhao", PASSWORD, Role.VIEWER)
    new = "brook under seven bridges"
    assert client.get("/password").headers["location"] == "/login?next=/password"
    log_in(client, "zhao")
    with httpx.Client(base_url=place[0], timeout=30) as elsewhere:
        log_in(elsewhere, "zhao")

        def change(old: str, new: str, again: str | None = None) -> httpx.Response:
            return client.post("/password", data={"old": old, "new": new, "again": again or new})

        assert client.get("/password").status_code == 200
        assert change("wrong", new).status_code == 403
        assert "不一致" in change(PASSWORD, new, new + "x").text
        for weak in ("zhao-zhao-zhao-1", "qwertyuiop12", "1111111111", PASSWORD):
            assert change(PASSWORD, weak).status_code == 422, weak
        assert elsewhere.get("/api/v1/alerts").status_code == 200
        form = {"old": PASSWORD, "new": new, "again": new}
        foreign = client.post("/password", data=form, headers={"Origin": "null"})
        assert foreign.json()["type"] == "urn:cityops:cross_site"
        assert change(PASSWORD, new).status_code == 200
        assert client.get("/api/v1/alerts").status_code == 200, "this session goes on"
        assert elsewhere.get("/api/v1/alerts").status_code == 401
    with pytest.raises(accounts.LoginError):
        accounts.login(conn, "zhao", PASSWORD, datetime.now(UTC))
    assert accounts.login(conn, "zhao", new, datetime.now(UTC))
    act = next(e for e in audit.entries(conn, search="user.password") if e.result == "ok")
    assert (act.who, act.target, act.detail["address"]) == ("zhao", "zhao", "127.0.0.1")


def test_passwords_and_tokens_are_stored_hashed(conn: psycopg.Connection) -> None:
    token = accounts.login(conn, "the-admin", PASSWORD, datetime.now(UTC))
    stored = str(conn.execute("SELECT * FROM console_users, console_sessions").fetchall())
    assert PASSWORD not in stored
    assert token not in stored
    assert "$argon2id$" in stored


@pytest.mark.parametrize(
    "scopes", [["ingest:noize"], ["api:read"], ["what:ever"], ["api:viewer", ""], [], ["ingest"]]
)
def test_a_key_has_scopes_that_exist(conn: psycopg.Connection, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="scope"):
        add_key(conn, "wrong", scopes)
    assert conn.execute("SELECT count(*) FROM api_keys WHERE name = 'wrong'").fetchone() == (0,)
