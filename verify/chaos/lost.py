"""What is done to the log and to the past: lost, restored older, made anew; the database as well.

Before the log is touched everything in it has gone all the way, so that what must be a row is known
exactly. Afterwards the log no longer holds what came before: such a fault has a platform of its own
and is judged by its rows alone.
"""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from catalog.topics import all_topics
from deploy.wait import wait_until
from service.kafka import ensure_topics
from verify.chaos.ledger import STREAMS, Reading
from verify.chaos.seen import Seen
from verify.chaos.stack import FLOW_S, PREFIX, Stack
from verify.oracle.log import body

READERS = ("sink", "worker", "alerts")
SETTLE_S = 120.0
SAID_WITHIN_S = 60.0
COPY = "chaos_copy"


def lose_log(stack: Stack, seen: Seen) -> None:
    """The broker comes back with no log at all; everybody stops until a person says new-log."""
    _rest(stack)
    _broker_down(stack)
    shutil.rmtree(_log(stack))
    _broker_up(stack)
    _begin_anew(stack, seen)


def restore_log(stack: Stack, seen: Seen) -> None:
    """The broker comes back with an older copy of its log."""
    _copy_log(stack)
    _more(stack)
    _rest(stack)
    _put_log_back(stack)
    _begin_anew(stack, seen)


def restore_database(stack: Stack, seen: Seen) -> None:
    """The database comes back older, the log is whole: what came since is read again, once."""
    _copy_database(stack)
    _more(stack)
    known = len(stack.ledger.accepted)
    _put_database_back(stack)
    seen.note("accepted since the copy", known)
    stack.await_rows()


def restore_both(stack: Stack, seen: Seen) -> None:
    """Log and database come back, the log the older one: what came after both is gone."""
    _copy_log(stack)
    _more(stack)
    _rest(stack)
    _copy_database(stack)
    first = len(stack.ledger.accepted)
    _more(stack)
    _rest(stack)
    stack.gone = (first, len(stack.ledger.accepted))
    _put_log_back(stack)
    _put_database_back(stack)
    seen.note("accepted after both copies", stack.gone[1] - first)
    _begin_anew(stack, seen)


def judge_rows(stack: Stack) -> list[str]:
    """Return what was accepted, and is not gone with both copies, and is no row; else empty."""
    stack.ledger.pause()
    first, after = stack.gone
    kept = stack.ledger.accepted[:first] + stack.ledger.accepted[after:]
    missing: list[str] = []

    def whole() -> bool:
        missing[:] = _missing(stack, kept)
        return not missing

    try:
        wait_until(whole, SETTLE_S, "every accepted reading a row", every_s=1.0)
    except Exception as error:
        return [f"{error}: {len(missing)} of {len(kept)} missing, first {missing[:3]}"]
    return [f"{name} is unwell" for name in READERS if not stack.healthy(name)]


def _missing(stack: Stack, accepted: list[tuple[str, Reading]]) -> list[str]:
    """Return accepted readings whose key is no row, or whose row nobody sent."""
    wanted: dict[tuple[str, str, str], set[str]] = {}
    for name, reading in [*accepted, *stack.ledger.beside]:
        at = str(reading["observed_at"])
        values = {k: v for k, v in reading.items() if k not in ("sensor", "observed_at")}
        wanted.setdefault((name, reading["sensor"], at), set()).add(body(values))
    found: dict[tuple[str, str, str], str] = {}
    with psycopg.connect(stack.dsn) as conn:
        for name in STREAMS:
            rows = conn.execute(f"SELECT * FROM readings_{name}".encode())
            columns = [column.name for column in rows.description or ()]
            for row in rows:
                one = dict(zip(columns, row, strict=True))
                key = (name, one.pop("sensor"), one.pop("observed_at").isoformat())
                one.pop("received_at")
                found[key] = body({k: v for k, v in one.items() if v is not None})
    keys = {(n, r["sensor"], str(r["observed_at"])) for n, r in accepted}
    odd = (key for key in sorted(keys) if found.get(key) not in wanted[key])
    return [f"{key} as {found.get(key)}" for key in odd]


def _rest(stack: Stack) -> None:
    """Let everything that was issued go all the way, and issue nothing more."""
    stack.settle(SETTLE_S)


def _more(stack: Stack) -> None:
    """Issue for a while again."""
    stack.ledger.start()
    for _ in range(3):
        stack.await_rows()


def _begin_anew(stack: Stack, seen: Seen) -> None:
    """Readings come again; see that each reader names the way out, and take it."""
    stack.ledger.start()
    begun = time.monotonic()
    said = lambda: all("new-log" in stack.reason(name) for name in READERS[:2])  # noqa: E731
    wait_until(said, SAID_WITHIN_S, "sink and worker say that the log is another one")
    seen.note("said after, s", time.monotonic() - begun)
    time.sleep(2.0)  # what is accepted meanwhile lies in the new log
    stack.run("storage", "new-log", "--yes")


def _log(stack: Stack) -> Path:
    return stack.own.folder / stack.own.brokers[0].folder / "data"


def _broker_down(stack: Stack, kindly: bool = False) -> None:
    child = stack.own.broker
    assert child is not None
    if kindly:
        child.stop()
    else:
        child.kill9()


def _broker_up(stack: Stack) -> None:
    stack.own.start_broker()
    ensure_topics(stack.own.kafka, all_topics(PREFIX, STREAMS))


def _copy_log(stack: Stack) -> None:
    """Copy the log of a broker that has ended in an orderly way."""
    _rest(stack)
    _broker_down(stack, kindly=True)
    shutil.copytree(_log(stack), stack.own.folder / "log-copy")
    _broker_up(stack)


def _put_log_back(stack: Stack) -> None:
    _broker_down(stack)
    shutil.rmtree(_log(stack))
    (stack.own.folder / "log-copy").rename(_log(stack))
    _broker_up(stack)


def _copy_database(stack: Stack) -> None:
    with _shut(stack) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {COPY}")
        conn.execute(f"CREATE DATABASE {COPY} TEMPLATE chaos")


def _put_database_back(stack: Stack) -> None:
    """As every restore does, while nothing of the platform runs."""
    for name in stack.members:
        stack.signal(name, signal.SIGSTOP)
    with _shut(stack) as conn:
        conn.execute("DROP DATABASE chaos WITH (FORCE)")
        conn.execute(f"CREATE DATABASE chaos TEMPLATE {COPY}")
        for name in stack.members:
            stack.signal(name, signal.SIGKILL)


@contextmanager
def _shut(stack: Stack) -> Iterator[psycopg.Connection]:
    """Let nobody into the database meanwhile; give the server's own connection."""
    door = sql.SQL("ALTER DATABASE chaos ALLOW_CONNECTIONS {}")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'chaos%'"
    with psycopg.connect(stack.own.dsn, autocommit=True) as conn:
        conn.execute(door.format(sql.SQL("false")))
        conn.execute(end)
        gone = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'chaos%'"
        wait_until(lambda: conn.execute(gone).fetchone() == (0,), FLOW_S, "the database is free")
        yield conn
        conn.execute(door.format(sql.SQL("true")))
