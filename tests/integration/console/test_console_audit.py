"""The audit log: what is kept in it, and that a change to it is noticed."""

import subprocess
import sys

import httpx
import psycopg
import pytest

from storage import audit
from storage.api_keys import add_key
from tests.support.console_client import from_address, guess, log_in
from tests.support.servers import outer_environment, wait_until


def test_refused_calls_and_logins_are_in_the_audit_log_counted(
    place: tuple[str, str], conn: psycopg.Connection
) -> None:
    before = len(audit.entries(conn, limit=1000))
    source = from_address("198.51.100.77")
    wrong = {"Authorization": "Bearer ck_wrong-key-of-somebody"} | source
    viewer = {"Authorization": f"Bearer {add_key(conn, 'looker', ['api:viewer'])}"} | source
    with httpx.Client(base_url=place[0], timeout=30) as made:
        for _ in range(300):
            assert made.get("/api/v1/alerts", headers=wrong).status_code == 401
        for number in range(30):  # a crowd of strangers at the door, in the same ten seconds
            stranger = {"Authorization": f"Bearer ck_{number:05}-x"} | from_address("203.0.113.9")
            assert made.get("/api/v1/alerts", headers=stranger).status_code == 401
        assert made.get("/api/v1/audit", headers=viewer).status_code == 403

    def refused(what: str) -> list[audit.Entry]:
        found = audit.entries(conn, search=what, limit=1000)
        return [e for e in found if e.detail.get("address") == "198.51.100.77"]

    wait_until(lambda: bool(refused("call.403")), 60.0, "refusals recorded")
    wait_until(lambda: sum(e.detail["count"] for e in refused("call.401")) == 300, 60.0, "counted")
    guess(place, "the-admin", "198.51.100.77")
    wait_until(lambda: bool(refused("login.refused")), 30.0, "the login recorded")
    # on a slow machine the calls last for more of the ten seconds by which they are counted
    assert len(audit.entries(conn, limit=1000)) - before < 80
    (denied,) = refused("call.403")
    assert (denied.who, denied.target, denied.result) == ("looker", "GET /api/v1/audit", "refused")
    assert refused("call.401")[0].who == "key ck_wrong"
    (login,) = refused("login.refused")
    assert (login.who, login.detail["count"]) == ("the-admin", 1)


def test_exports_are_in_the_audit_log(client: httpx.Client, conn: psycopg.Connection) -> None:
    log_in(client, "the-viewer")
    assert client.get("/api/v1/sensors?format=csv").status_code == 200
    assert client.get("/api/v1/streams/noise/series?format=csv&step_s=600").status_code == 200
    found = audit.entries(conn, search="export")
    assert [(e.who, e.target, e.detail["address"]) for e in found] == [
        ("the-viewer", "noise/series", "127.0.0.1"),
        ("the-viewer", "sensors", "127.0.0.1"),
    ]


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


def verify_command(dsn: str, state: str = "/nowhere") -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "console", "verify-audit"]
    env = outer_environment() | {"CITYOPS_DSN": dsn, "CITYOPS_STATE_DIR": state}
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)


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
