"""What a hostile query can do as grafana_ro, logged in as Grafana logs in: nothing."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.views.reader import CONNECTIONS, ROLE, end_overlong, ensure_reader, grant
from tests.support.databases import Databases

REFUSED = (
    # write
    "DELETE FROM dash.streams",
    "UPDATE public.sensors SET title_zh = ''",
    "INSERT INTO public.silences DEFAULT VALUES",
    "SELECT nextval('public.receivers_id_seq')",
    # change the schema
    "CREATE TABLE dash.mine (a int)",
    "CREATE TABLE public.mine (a int)",
    "CREATE TEMP TABLE mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION dash.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION dash.freshness()",
    "ALTER TABLE dash.streams OWNER TO grafana_ro",
    "CREATE EXTENSION dblink",
    # read what is not for screens
    "SELECT * FROM public.readings_noise",
    "SELECT secret FROM public.receivers",
    "SELECT hash FROM public.api_keys",
    "SELECT token_hash FROM public.console_sessions",
    "SELECT * FROM dash.applied",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT * FROM public.outbox",
    "SELECT * FROM public.audit",
    "SELECT pg_read_binary_file('postgresql.conf')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT current_setting('config_file')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/taken')",
    "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t (a int)",
    "COPY dash.streams FROM PROGRAM 'id'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY dash.streams TO '/tmp/streams'",
    # become somebody else
    "SET ROLE postgres",
    "SELECT set_config('role', 'postgres', false)",
    "SET temp_file_limit = -1",
    "SET log_min_duration_statement = -1",
    "DO LANGUAGE plpython3u 'pass'",
    "LOAD 'auto_explain'",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE grafana_ro SUPERUSER",
    "CREATE ROLE mine SUPERUSER",
    "GRANT pg_read_all_data TO grafana_ro",
    # fill the disk
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, repeat('x', 100)::bytea)",
    "SELECT pg_logical_emit_message(false, 'x', repeat('x', 100), true)",
    # disturb others
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'grafana_ro'",
    "SELECT pg_reload_conf()",
    "ALTER SYSTEM SET log_statement = 'all'",
    "TRUNCATE dash.streams",
    "BEGIN; LOCK TABLE public.sensors",
    # advisory locks, which the platform's own processes take (1801807216 is the scheduler's)
    "SELECT pg_advisory_lock(1801807216)",
    "SELECT pg_advisory_xact_lock(1801807216)",
    "SELECT pg_try_advisory_lock(104, 1)",
    "SELECT pg_try_advisory_xact_lock(1801807216)",
    "SELECT pg_advisory_lock_shared(1801807216)",
)


REFUSALS = {"42501", "42P01", "42883", "42704"}
"""No right; no such table, function, language: what is not there cannot be misused either."""


@pytest.fixture(scope="module")
def address(databases: Databases) -> Iterator[str]:
    """Address of a fresh database for grafana_ro."""
    password = secrets.token_urlsafe(12)
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            ensure_reader(conn, password)
            grant(conn)  # rights on the database itself do not come with a copied template
        yield make_conninfo(dsn, user=ROLE, password=password)


@pytest.fixture
def reader(address: str) -> Iterator[Connection]:
    """A new session of grafana_ro."""
    with psycopg.connect(address, autocommit=True) as conn:
        yield conn


@pytest.mark.parametrize("hostile", REFUSED)
def test_hostile_sql_is_refused(reader: Connection, hostile: str) -> None:
    with pytest.raises(psycopg.errors.Error) as refused:
        reader.execute(hostile.encode()).fetchall()
    assert refused.value.sqlstate in {*REFUSALS, "25006"}, refused.value


@pytest.mark.parametrize("hostile", REFUSED)
def test_and_still_refused_by_one_who_unsets_read_only(reader: Connection, hostile: str) -> None:
    """A role may change its own defaults, so rights alone must hold."""
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.Error) as refused:
        reader.execute(hostile.encode()).fetchall()
    assert refused.value.sqlstate in REFUSALS, refused.value


@pytest.mark.parametrize(
    "endless", ["SELECT pg_sleep(60)", "SELECT count(*) FROM generate_series(1, 1000000000000)"]
)
def test_a_long_query_is_ended(reader: Connection, endless: str) -> None:
    assert reader.execute("SHOW statement_timeout").fetchone() == ("5s",)
    assert reader.execute("SHOW lock_timeout").fetchone() == ("1s",)
    reader.execute("SET statement_timeout = '100ms'")  # so that the test need not wait for 5 s
    with pytest.raises(psycopg.errors.QueryCanceled):
        reader.execute(endless.encode())


def test_sorting_without_end_finds_no_disk(reader: Connection) -> None:
    assert reader.execute("SHOW temp_file_limit").fetchone() == ("256MB",)
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
        reader.execute("SELECT repeat(i::text, 2000) FROM generate_series(1, 100000) i ORDER BY 1")


@pytest.fixture
def owner(address: str, databases: Databases) -> Iterator[Connection]:
    """The database's owner, who is no superuser, as `make run` sets it up."""
    name = str(conninfo_to_dict(address)["dbname"])
    role = sql.Identifier(f"owner_{name}"[:60])
    with psycopg.connect(databases.server, dbname=name, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER").format(role))
        conn.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), role))
        ensure_reader(conn)
        conn.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(role))
        yield conn
        conn.execute("RESET SESSION AUTHORIZATION")
        back = sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(name))
        conn.execute(back)
        conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
        conn.execute(sql.SQL("DROP ROLE {}").format(role))


OVERLONG = {
    "a query": ["SELECT pg_sleep(60)"],
    "a transaction": ["BEGIN", "SELECT 1"],
}


def test_a_transaction_left_open_is_ended_before_a_panel_has_asked_twice(
    reader: Connection,
) -> None:
    reader.execute("BEGIN")
    time.sleep(2.5)
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        reader.execute("SELECT 1")


def test_a_transaction_in_use_by_others_is_ended_too(address: str, owner: Connection) -> None:
    """A pooled session goes from panel to panel: each query makes it look busy again."""
    with psycopg.connect(address, autocommit=True) as pooled:
        pooled.execute("SET idle_in_transaction_session_timeout = 0")
        with suppress(psycopg.errors.DivisionByZero):
            pooled.execute("BEGIN; SELECT 1/0")
        deadline = time.monotonic() + 10
        while not end_overlong(owner):
            assert time.monotonic() < deadline, "nothing was ended"
            with suppress(psycopg.errors.InFailedSqlTransaction):
                pooled.execute("SELECT 1")
            time.sleep(0.2)
        with pytest.raises(psycopg.OperationalError):
            pooled.execute("SELECT 1")


def test_a_lock_is_ended_at_once_where_nobody_could_revoke_it(
    address: str, owner: Connection
) -> None:
    """A database of somebody else: its superuser has not taken the functions from PUBLIC."""
    owner.execute("RESET SESSION AUTHORIZATION")
    owner.execute("GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO grafana_ro")
    try:
        with psycopg.connect(address, autocommit=True) as hostile:
            hostile.execute("SELECT pg_advisory_lock(1801807216)")
            assert end_overlong(owner) == 1
            with pytest.raises(psycopg.OperationalError):
                hostile.execute("SELECT 1")
    finally:
        owner.execute("REVOKE EXECUTE ON FUNCTION pg_advisory_lock(bigint) FROM grafana_ro")


def test_the_platforms_own_role_still_takes_its_locks(owner: Connection) -> None:
    assert owner.execute("SELECT pg_try_advisory_xact_lock(1801807216)").fetchone() == (True,)


@pytest.mark.parametrize("case", OVERLONG)
def test_who_raises_his_own_limit_is_ended_by_the_owner(
    address: str, reader: Connection, owner: Connection, case: str
) -> None:
    with psycopg.connect(address, autocommit=True) as hostile:
        for unset in ("statement_timeout", "idle_in_transaction_session_timeout"):
            hostile.execute(f"SET {unset} = 0".encode())
        given = (hostile, OVERLONG[case])
        worker = threading.Thread(target=_run, args=given, daemon=True)
        worker.start()
        try:
            assert end_overlong(owner, after_s=30) == 0
            deadline = time.monotonic() + 10
            while not (ended := end_overlong(owner, after_s=0.2)):
                assert time.monotonic() < deadline, "nothing was ended"
            assert ended == 1
        finally:
            worker.join(10)
        with pytest.raises(psycopg.OperationalError):
            hostile.execute("SELECT 1")
    assert reader.execute("SELECT 1").fetchone() == (1,)  # who keeps the limits stays


def _run(conn: Connection, statements: list[str]) -> None:
    """Run statements of which the last may never answer."""
    with suppress(psycopg.OperationalError):
        for statement in statements:
            conn.execute(statement.encode())


GREEDY = {
    "interval": "'1 microsecond'",
    "integer": "2147483647",
    "bigint": "9000000000000000000",
    "double precision": "1e300",
    "boolean": "true",
    "text": "'noise'",
}
"""Asks for as much as the type of an argument allows."""


@pytest.mark.parametrize(
    ("start", "end"), [("0001-01-01", "9999-12-31"), ("1996-01-01", "2027-01-01")]
)
def test_every_function_bounds_what_it_gives_and_how_long_it_works(
    reader: Connection, start: str, end: str
) -> None:
    found = reader.execute(
        "SELECT p.proname, array_agg(a.name ORDER BY a.n), array_agg(a.type::regtype::text"
        " ORDER BY a.n) FROM pg_proc p, unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[])"
        " WITH ORDINALITY a (name, type, n) WHERE p.pronamespace = 'dash'::regnamespace"
        " GROUP BY p.oid, p.proname ORDER BY 1"
    ).fetchall()
    assert len(found) > 20
    reader.execute("SET statement_timeout = '2s'")
    for name, names, types in found:
        given = (
            GREEDY.get(kind, f"'{end if known == 'p_to' else start}'")
            for known, kind in zip(names, types, strict=True)
        )
        call = f"SELECT count(*) FROM dash.{name}({', '.join(given)})"
        try:
            (rows,) = reader.execute(call.encode()).fetchone() or (0,)
        except psycopg.errors.DataError:  # the span itself is refused
            continue
        assert rows <= 20_000, call


def test_the_number_of_sessions_is_limited(address: str) -> None:
    opened: list[Connection] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            opened.extend(psycopg.connect(address) for _ in range(CONNECTIONS + 1))
    finally:
        for conn in opened:
            with suppress(psycopg.Error):
                conn.close()


def test_what_panels_need_is_allowed(reader: Connection) -> None:
    assert reader.execute("SELECT count(*) > 0 FROM dash.streams").fetchone() == (True,)
    assert reader.execute("SELECT count(*) > 0 FROM dash.freshness()").fetchone() == (True,)
    assert reader.execute("SHOW search_path").fetchone() == ("dash, pg_temp",)
