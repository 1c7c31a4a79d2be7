"""Who gets into the console: keys, logins, roles, lock-out; and the audit log that keeps it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from console import accounts
from console.roles import Role
from deploy.ports import free_port
from storage import audit
from storage.api_keys import add_key
from tests.databases import Databases
from tests.servers import Spawner, outer_environment

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def place(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Address and database of one console for all tests of this file."""
    with databases.fresh(migrated=True) as dsn:
        url = f"http://127.0.0.1:{free_port()}"
        base = {"CITYOPS_DSN": dsn, "CITYOPS_CONSOLE": url}
        with psycopg.connect(dsn, autocommit=True) as conn:
            for role in Role:
                accounts.add_user(conn, f"the-{role}", PASSWORD, role)
        with Spawner(tmp_path_factory.mktemp("console"), base).stopping() as spawner:
            spawner("console", name="console", deadline_s=60.0)
            yield url, dsn


@pytest.fixture
def client(place: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place[0], timeout=30) as made:
        yield made


@pytest.fixture
def conn(place: tuple[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(place[1], autocommit=True) as made:
        yield made


def log_in(
    client: httpx.Client, name: str, password: str = PASSWORD, **form: str
) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password, **form})


def raise_alert(conn: psycopg.Connection, episode: str) -> None:
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES (%s, 'noise.night', 'noise', %s,"
        " 'active', 2, 2, 'leq_20min', 61, 50, now(), now())",
        [episode, f"sensor-{episode}"],
    )


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
    assert (act.who, act.what, act.detail) == ("the-operator", "alert.ack", {"note": "on it"})
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


def test_five_wrong_passwords_lock_the_account(
    client: httpx.Client, conn: psycopg.Connection
) -> None:
    accounts.add_user(conn, "victim", PASSWORD, Role.VIEWER)
    wrong = [log_in(client, "victim", "guess") for _ in range(accounts.MAX_FAILURES)]
    assert {answer.status_code for answer in wrong} == {401}
    locked = log_in(client, "victim")
    assert locked.status_code == 401
    assert "15 分钟" in locked.text
    now = datetime.now(UTC)
    with pytest.raises(accounts.LoginError, match="locked"):
        accounts.login(conn, "victim", PASSWORD, now + timedelta(minutes=14))
    assert accounts.login(conn, "victim", PASSWORD, now + timedelta(minutes=16))


def test_a_wrong_name_is_told_like_a_wrong_password(client: httpx.Client) -> None:
    texts = [log_in(client, name, "wrong").text for name in ("the-viewer", "nobody")]
    assert texts[0] == texts[1].replace("nobody", "the-viewer")


def test_sessions_end_idle_disabled_and_on_a_new_password(conn: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    accounts.add_user(conn, "li", PASSWORD, Role.VIEWER)
    token = accounts.login(conn, "li", PASSWORD, now)
    assert accounts.session_role(conn, token, now + timedelta(hours=11), 12) == ("li", Role.VIEWER)
    assert accounts.session_role(conn, token, now + timedelta(hours=22), 12) is not None  # was used
    assert accounts.session_role(conn, token, now + timedelta(hours=35), 12) is None
    fresh = accounts.login(conn, "li", PASSWORD, now)
    accounts.add_user(conn, "li", PASSWORD + "!", Role.VIEWER)
    assert accounts.session_role(conn, fresh, now, 12) is None
    fresh = accounts.login(conn, "li", PASSWORD + "!", now)
    accounts.disable_user(conn, "li")
    assert accounts.session_role(conn, fresh, now, 12) is None
    with pytest.raises(accounts.LoginError):
        accounts.login(conn, "li", PASSWORD + "!", now)
    with pytest.raises(ValueError, match="10 characters"):
        accounts.add_user(conn, "li", "short", Role.VIEWER)


def test_passwords_and_tokens_are_stored_hashed(conn: psycopg.Connection) -> None:
    token = accounts.login(conn, "the-admin", PASSWORD, datetime.now(UTC))
    stored = str(conn.execute("SELECT * FROM console_users, console_sessions").fetchall())
    assert PASSWORD not in stored
    assert token not in stored
    assert "$argon2id$" in stored


def test_the_audit_log_refuses_change_and_shows_tampering(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for number in range(5):
            audit.record(conn, "test", "act", f"target-{number}", note="涪城路")
        assert audit.verify(conn).whole
        for statement in (b"UPDATE audit SET who = 'x'", b"DELETE FROM audit", b"TRUNCATE audit"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                conn.execute(statement)
        conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        conn.execute("UPDATE audit SET detail = '{}' WHERE seq = 3")
        assert audit.verify(conn).broken_at == 3
        done = verify_command(dsn)
        assert (done.returncode, "broken at row 3" in done.stdout) == (1, True)


def test_a_row_taken_out_of_the_audit_log_is_noticed(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for number in range(4):
            audit.record(conn, "test", "act", str(number))
        assert "whole: 4 rows" in verify_command(dsn).stdout
        conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        conn.execute("DELETE FROM audit WHERE seq = 2")
        assert audit.verify(conn).broken_at == 3


def test_the_audit_chain_holds_under_concurrent_writers(dsn: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(writer: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            for _ in range(20):
                audit.record(conn, f"writer-{writer}", "act")

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    with psycopg.connect(dsn, autocommit=True) as conn:
        found = audit.verify(conn)
    assert (found.whole, found.rows) == (True, 80)


def verify_command(dsn: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "console", "verify-audit"]
    env = outer_environment() | {"CITYOPS_DSN": dsn}
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "scopes", [["ingest:noize"], ["api:read"], ["what:ever"], ["api:viewer", ""], [], ["ingest"]]
)
def test_a_key_has_scopes_that_exist(conn: psycopg.Connection, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="scope"):
        add_key(conn, "wrong", scopes)
    assert conn.execute("SELECT count(*) FROM api_keys WHERE name = 'wrong'").fetchone() == (0,)


def shell(dsn: str, *line: str) -> subprocess.CompletedProcess[str]:
    env = outer_environment() | {"CITYOPS_DSN": dsn, "COLUMNS": "200"}
    command = [sys.executable, "-m", *line]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_acts_by_shell_are_in_the_audit_log(
    place: tuple[str, str], conn: psycopg.Connection
) -> None:
    dsn = place[1]
    refused = shell(dsn, "storage", "api-key", "add", "--name", "x", "--scopes", "api:read")
    assert refused.returncode == 2
    assert "api:viewer" in refused.stderr
    shown = shell(dsn, "storage", "api-key", "add", "--help").stdout
    example = shown.partition("or '")[2].partition("'")[0]
    assert example == "ingest:noise,api:viewer"
    made = shell(dsn, "storage", "api-key", "add", "--name", "shop", "--scopes", example)
    assert made.stdout.startswith("ck_")
    assert shell(dsn, "storage", "api-key", "revoke", "shop").returncode == 0
    discard = ("storage", "dead-letters", "discard", "--code", "conflict", "--yes")
    assert shell(dsn, *discard).returncode == 0
    assert shell(dsn, "streams", "forget", "--yes").returncode == 0
    assert shell(dsn, "console", "add-user", "zhang").returncode == 0
    found = [e for e in audit.entries(conn) if str(e.detail.get("via", "")).startswith("shell of")]
    assert [e.what for e in found[:5]] == [
        "user.add",
        "streams.forget",
        "dead_letter.discard",
        "api-key.revoke",
        "api-key.add",
    ]
    assert found[4].target == "shop"
    assert found[4].detail["scopes"] == ["ingest:noise", "api:viewer"]
    assert made.stdout.strip() not in str(found), "never the key itself"
