"""One database role a process, with the least it needs."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from storage.audit import record
from storage.roles import ROLES, Rights, apply_rights, role_of
from tests.support.least import ROLE_PASSWORD

LEVEL = ("audit", "transitions", "episode_acts", "incident_acts", "responses")
REFUSED = psycopg.errors.InsufficientPrivilege


def become(dsn: str, process: str) -> Connection:
    own = make_conninfo(dsn, user=role_of(process), password=ROLE_PASSWORD)
    return psycopg.connect(own, autocommit=True)


@pytest.fixture
def owner(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


@pytest.mark.parametrize("process", sorted(ROLES))
def test_the_audit_log_and_acts_are_append_only_to_all(dsn: str, process: str) -> None:
    with become(dsn, process) as conn:
        for table in LEVEL:
            for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(REFUSED):
                    conn.execute(statement.encode())
        with pytest.raises(REFUSED):
            conn.execute("UPDATE audit SET who = 'x'")
        with pytest.raises(REFUSED):
            conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")


def test_who_records_needs_no_more_than_to_append(dsn: str, owner: Connection) -> None:
    for process in ("alerts-deliver", "gateway"):
        with become(dsn, process) as conn:
            record(conn, "test", "act")
            with pytest.raises(REFUSED):
                conn.execute("SELECT * FROM audit")
    with become(dsn, "sink") as conn, pytest.raises(REFUSED):
        record(conn, "test", "act")
    assert owner.execute("SELECT count(*), max(length(hash)) FROM audit").fetchone() == (2, 64)


@pytest.mark.parametrize(
    ("process", "statement"),
    [
        ("gateway", "SELECT * FROM console_users"),
        ("gateway", "INSERT INTO readings_noise (sensor) VALUES ('x')"),
        ("gateway", "UPDATE api_keys SET revoked_at = NULL"),
        ("sink", "DELETE FROM readings_noise"),
        ("sink", "SELECT * FROM episodes"),
        ("worker", "SELECT * FROM readings_noise"),
        ("keep", "DELETE FROM readings_noise"),
        ("keep", "SELECT * FROM console_users"),
        ("alerts-engine", "SELECT password_hash FROM console_users"),
        ("alerts-engine", "SELECT * FROM console_sessions"),
        ("alerts-engine", "UPDATE readings_noise SET sensor = ''"),
        ("alerts-deliver", "INSERT INTO episodes (id) VALUES ('x')"),
        ("alerts-deliver", "SELECT * FROM api_keys"),
        ("console", "INSERT INTO api_keys (name) VALUES ('x')"),
        ("console", "UPDATE readings_noise SET sensor = ''"),
        ("console", "DELETE FROM dead_letters"),
        ("console", "CREATE TABLE own (a integer)"),
        ("console", "SELECT drop_old_chunks('readings_noise', now())"),
        ("sink", "SELECT pg_advisory_lock(1)"),
    ],
)
def test_a_process_may_not_do_anothers_work(dsn: str, process: str, statement: str) -> None:
    with become(dsn, process) as conn, pytest.raises(REFUSED):
        conn.execute(statement.encode())


def test_rights_follow_the_table_and_are_written_once(
    dsn: str, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert apply_rights(owner) == 0
    owner.execute("GRANT DELETE ON readings_noise TO cityops_sink")
    owner.execute("CREATE TABLE last_of_a_new_stream (a integer)")
    readers = [name for name, rights in ROLES.items() if "*" in rights.tables.get("S", ())]
    assert apply_rights(owner) == 1 + 3 + len(readers)
    with become(dsn, "sink") as conn:
        conn.execute("INSERT INTO last_of_a_new_stream VALUES (1)")
        with pytest.raises(REFUSED):
            conn.execute("DELETE FROM readings_noise")
    fewer = Rights({**ROLES["gateway"].tables, "S": ("api_keys",)})
    less = dict(ROLES) | {"gateway": fewer}
    monkeypatch.setattr("storage.roles.ROLES", less)
    assert apply_rights(owner) == 1
    with become(dsn, "gateway") as conn, pytest.raises(REFUSED):
        conn.execute("SELECT * FROM sensors")


def test_retention_drops_chunks_without_owning_them(dsn: str, owner: Connection) -> None:
    owner.execute(
        "INSERT INTO readings_noise (sensor, observed_at, received_at)"
        " VALUES ('a', '2020-01-01', now()), ('a', now(), now())"
    )
    with become(dsn, "keep") as conn:
        row = conn.execute("SELECT drop_old_chunks('readings_noise', '2021-01-01')").fetchone()
    assert row == (1,)
    assert owner.execute("SELECT count(*) FROM readings_noise").fetchone() == (1,)


def test_nobody_comes_in_without_a_password(owner: Connection) -> None:
    """No local account is trusted, and passwords are kept as SCRAM's verifiers."""
    methods = owner.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert methods == [("scram-sha-256",)]
    held = owner.execute("SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname ~ '^cityops_'")
    assert set(held.fetchall()) == {("SCRAM-SHA-256",)}
