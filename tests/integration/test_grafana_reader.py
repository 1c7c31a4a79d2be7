"""What a hostile query can do as grafana_ro, logged in as Grafana logs in: nothing."""

import secrets
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from storage.views.reader import CONNECTIONS, ROLE, ensure_reader
from tests.databases import Databases

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
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY dash.streams TO '/tmp/streams'",
    # become somebody else
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE grafana_ro SUPERUSER",
    "CREATE ROLE mine SUPERUSER",
    "GRANT pg_read_all_data TO grafana_ro",
    # disturb others
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'grafana_ro'",
    "SELECT pg_reload_conf()",
    "ALTER SYSTEM SET log_statement = 'all'",
    "TRUNCATE dash.streams",
    "BEGIN; LOCK TABLE public.sensors",
)


@pytest.fixture(scope="module")
def address(databases: Databases) -> Iterator[str]:
    """Address of a fresh database for grafana_ro."""
    password = secrets.token_urlsafe(12)
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            ensure_reader(conn, password)
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
    assert refused.value.sqlstate in {"42501", "25006", "42P01"}, refused.value


@pytest.mark.parametrize("hostile", [sql for sql in REFUSED if "TEMP" not in sql])
def test_and_still_refused_by_one_who_unsets_read_only(reader: Connection, hostile: str) -> None:
    """A role may change its own defaults, so rights alone must hold."""
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.Error) as refused:
        reader.execute(hostile.encode()).fetchall()
    assert refused.value.sqlstate in {"42501", "42P01"}, refused.value


def test_a_long_query_is_ended(reader: Connection) -> None:
    assert reader.execute("SHOW statement_timeout").fetchone() == ("5s",)
    assert reader.execute("SHOW lock_timeout").fetchone() == ("1s",)
    reader.execute("SET statement_timeout = '100ms'")  # so that the test need not wait for 5 s
    with pytest.raises(psycopg.errors.QueryCanceled):
        reader.execute("SELECT pg_sleep(60)")


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
