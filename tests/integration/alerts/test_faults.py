"""What is promised while something around the alerts fails: database, network, a restore.

Rows 10, 14 and 30 of the fault matrix; see the table in docs/alerting.md.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from alerts.delivery.deliver import Queue
from alerts.delivery.guard import Guard
from alerts.delivery.links import links_of
from alerts.delivery.vault import open_vault
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES, AlertSettings
from alerts.sources.external import take
from alerts.sources.foreign import read_foreign
from deploy.errors import StartError
from deploy.native import packages, postgres_files
from deploy.paths import cache_dir
from deploy.ports import free_port
from service.vitals import Vitals
from storage.migrate import migrate
from tests.support.alerting import SECRET, Desk, Stub, add_receiver, ask, do, serving, transition
from tests.support.databases import Databases
from tests.support.servers import OwnServers, Spawner, wait_until
from verify.chaos.proxy import Proxy

pytestmark = pytest.mark.chaos
OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offsets ORDER BY 1, 2"


def started_again(servers: OwnServers) -> str:
    """Start the database anew; it refuses while a process of the one before still winds up."""
    try:
        return servers.start_database()
    except StartError:
        return ""


def test_a_database_that_is_killed_doubles_and_loses_nothing(
    kafka: str,
    topic_prefix: str,
    own_servers: OwnServers,
    send: Any,
    stub: Stub,
    spawn: Spawner,
    tmp_path: Path,
) -> None:
    dsn = own_servers.start_database()
    migrate(dsn)
    add_receiver(dsn, tmp_path, stub)
    for process in ("engine", "deliver"):
        spawn("alerts", process, env={"CITYOPS_DSN": dsn})
    send(*(transition(n) for n in range(60)))
    wait_until(lambda: len(stub.got) > 0, 30.0, "the first message")
    assert own_servers.database is not None
    own_servers.database.kill9()
    send(*(transition(n) for n in range(60, 120)))
    wait_until(lambda: started_again(own_servers) == dsn, 30.0, "the database is back")
    told = "SELECT kind, count(*) FROM outbox_subjects GROUP BY kind"
    wait_until(lambda: ask(dsn, told) == [("raised", 120)], 60.0, "each told once")
    waiting = "SELECT count(*) FROM outbox WHERE delivered_at IS NULL"
    wait_until(lambda: ask(dsn, waiting) == [(0,)], 60.0, "everything delivered")
    assert ask(dsn, "SELECT count(*), count(DISTINCT sensor) FROM episodes") == [(120, 120)]
    assert ask(dsn, "SELECT count(*) = max(receiver_seq) FROM outbox") == [(True,)], "no gap"
    assert set(stub.ids()) == {i for (i,) in ask(dsn, "SELECT id FROM outbox")}
    bodies = {(h["webhook-id"], body) for h, body in stub.got}
    assert len(bodies) == len(set(stub.ids())), "the same body on every attempt"


def test_a_receiver_that_cannot_be_reached_is_reported_and_gets_everything_in_order_later(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    routes = tmp_path / "routes.toml"
    routes.write_text("fallback = ['standby']\n[route]\nreceivers = ['duty']\n")
    port = free_port()
    add_receiver(dsn, tmp_path, Stub(port), "duty")
    add_receiver(dsn, tmp_path, stub, "standby", routed=False)
    for process in ("engine", "deliver"):
        spawn("alerts", process, env={"CITYOPS_ROUTES_FILE": str(routes)})
    send(*(transition(n) for n in range(5)))
    failed = "SELECT count(*) > 0 FROM deliveries WHERE error ~ 'ConnectError'"
    wait_until(lambda: ask(dsn, failed) == [(True,)], 30.0, "a failed attempt")
    wait_until(lambda: ask(dsn, "SELECT count(*) FROM outbox") == [(5,)], 30.0, "five are owed")
    pause = "SELECT extract(epoch FROM next_attempt_at - at) FROM outbox JOIN deliveries d"
    ((first, *_),) = zip(*ask(dsn, pause + " ON d.outbox = outbox.id ORDER BY d.id"), strict=True)
    assert 3.9 < first < 6.1, "5 s with jitter, by the database's clock"
    do(dsn, "UPDATE outbox SET created_at = created_at - interval '3 minutes'")
    wait_until(lambda: len(stub.got) == 1, 30.0, "the fallback is told")
    event = Webhook(SECRET).verify(stub.got[0][1], stub.got[0][0])
    assert (event["type"], event["data"]["receiver"]) == ("delivery.stuck", "duty")
    assert event["data"]["waiting"] == 5
    with serving(port) as duty:
        do(dsn, "UPDATE outbox SET next_attempt_at = now()")  # do not wait for the schedule
        wait_until(lambda: len(duty.got) == 5, 30.0, "everything is delivered")
        assert [h["webhook-sequence"] for h, _ in duty.got] == ["1", "2", "3", "4", "5"]
    assert len(stub.got) == 1, "told once, not once a message"


@contextmanager
def queue_of(dsn: str, state_dir: Path, receiver: str) -> Iterator[None]:
    """Work off a receiver's queue in this process, where a test may shorten its patience."""
    ((number,),) = ask(dsn, f"SELECT id FROM receivers WHERE name = '{receiver}'")
    settings = AlertSettings(dsn=SecretStr(dsn), state_dir=state_dir)
    vault, guard = open_vault(state_dir / "secrets.key"), Guard(["127.0.0.1"])
    queue = Queue(settings, number, guard, vault, Vitals("deliver"))
    thread = threading.Thread(target=queue.run, daemon=True)
    thread.start()
    yield
    queue.end()
    thread.join(20)


def test_a_connection_on_which_nothing_passes_any_more_is_given_up_and_said_again(
    dsn: str, desk: Desk, stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half open: what was sent may have come or not, so the same message goes again."""
    monkeypatch.setattr("alerts.delivery.attempt.TIMEOUT_S", 0.5)
    proxy = Proxy("127.0.0.1", stub.port)
    add_receiver(dsn, tmp_path, Stub(proxy.port), "far")
    delivered = "SELECT count(*) FROM outbox o JOIN receivers r ON r.id = o.receiver"
    delivered += " WHERE r.name = 'far' AND delivered_at IS NOT NULL"
    lost = "SELECT count(*) > 0 FROM deliveries WHERE error ~ 'no answer|Timeout'"
    with queue_of(dsn, tmp_path, "far"):
        desk.take(transition(1))
        wait_until(lambda: ask(dsn, delivered) == [(1,)], 20.0, "one passes")
        proxy.block()
        desk.take(transition(2), transition(3))
        wait_until(lambda: ask(dsn, lost) == [(True,)], 20.0, "its end is not waited for")
        proxy.unblock()
        do(dsn, "UPDATE outbox SET next_attempt_at = now()")  # do not wait for the schedule
        wait_until(lambda: ask(dsn, delivered) == [(3,)], 20.0, "everything is delivered")
    proxy.close()
    numbers = [int(headers["webhook-sequence"]) for headers, _ in stub.got]
    assert sorted(set(numbers)) == [1, 2, 3], "nothing is lost"
    assert numbers[-1] == 3, "in order"
    told = {(h["webhook-id"], h["webhook-sequence"], body) for h, body in stub.got}
    assert len(told) == 3, "the same id, number and body each time"


def test_processes_whose_clock_is_set_back_delay_and_repeat_nothing(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    """Row 24: three days ahead, then an hour behind, in the middle of a retry."""
    packages.ensure([], extra=["libfaketime"])
    clock = tmp_path / "clock"
    clock.write_text("+3d")
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    faked = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock)}
    faked |= {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    # without faking the monotonic clock libfaketime 0.9.10 (issue 426) breaks time.sleep
    slept = "import select, time\ntime.sleep = lambda s: select.select([], [], [], s)\n"
    (tmp_path / "sitecustomize.py").write_text(slept)
    faked["PYTHONPATH"] = str(tmp_path)
    add_receiver(dsn, tmp_path, stub)
    stub.script = [(500, {})]
    for process in ("engine", "deliver"):
        spawn("alerts", process, env=faked)
    send(transition(1))
    wait_until(lambda: len(stub.got) == 1, 30.0, "the first attempt")
    clock.write_text("-1h")
    wait_until(lambda: len(stub.got) == 2, 20.0, "the second one, 5 s later by any clock")
    send(transition(1, "cleared"))
    wait_until(lambda: len(stub.got) == 3, 20.0, "the end")
    for headers, body in stub.got:
        Webhook(SECRET).verify(body, headers)  # refuses what is signed minutes off
    first, again, end = stub.ids()
    assert first == again != end
    line = [sys.executable, "-c", "import time; print(time.time())"]
    seen = subprocess.run(line, env=faked, capture_output=True, text=True, timeout=30)
    assert float(seen.stdout) < time.time() - 3000, "the clock was indeed set back"


def test_an_engine_without_its_broker_still_tells_what_time_brings(
    dsn: str, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    settings = AlertSettings(state_dir=tmp_path)
    with psycopg.connect(dsn, autocommit=True) as conn:
        notifier = Notifier(read_routes(DEFAULT_ROUTES), links_of(settings))
        pushed, _ = read_foreign({"labels": {"alertname": "Probe"}})
        assert pushed
        take(conn, [pushed], notifier, settings, pushed=True)
        conn.execute("UPDATE episodes SET expires_at = now()")
    away = {"CITYOPS_KAFKA": f"127.0.0.1:{free_port()}"}
    engine = spawn("alerts", "engine", env=away, deadline_s=None)
    spawn("alerts", "deliver", env=away)
    wait_until(lambda: len(stub.got) == 2, 30.0, "raised, and cleared by the engine's timers")
    assert engine.child.running(), "it waits for the broker"
    engine.kill9()  # asked to end it would wait for the broker a while longer


@contextmanager
def restored(databases: Databases, dump: Path) -> Iterator[str]:
    """Give a new database made of a dump."""
    programs = postgres_files.install(cache_dir())
    with databases.fresh(migrated=False) as dsn:
        do(dsn, "SELECT timescaledb_pre_restore()")
        line = [str(programs / "pg_restore"), "--no-owner", "--exit-on-error", "-d", dsn, dump]
        subprocess.run(line, check=True, timeout=120)
        do(dsn, "SELECT timescaledb_post_restore()")
        yield dsn


def test_a_restored_database_tells_nothing_that_its_dump_knew_and_goes_on_from_there(
    kafka: str,
    dsn: str,
    databases: Databases,
    topic_prefix: str,
    send: Any,
    stub: Stub,
    spawn: Spawner,
    tmp_path: Path,
) -> None:
    add_receiver(dsn, tmp_path, stub)
    running = [spawn("alerts", "engine"), spawn("alerts", "deliver")]
    send(transition(1), transition(1, "cleared"), transition(2))
    delivered = "SELECT count(*) FROM outbox WHERE delivered_at IS NOT NULL"
    wait_until(lambda: ask(dsn, delivered) == [(3,)], 30.0, "three are told")
    dump = tmp_path / "dump"
    program = postgres_files.install(cache_dir()) / "pg_dump"
    subprocess.run([str(program), "-Fc", "-f", dump, dsn], check=True, timeout=120)
    then = ask(dsn, OFFSETS)
    again = msgspec.structs.replace(transition(2), id="t-2-again", episode="e-2-again")
    send(transition(2, "cleared"), again)
    wait_until(lambda: ask(dsn, delivered) == [(5,)], 30.0, "two more, after the dump")
    lost = "SELECT id, status, raised_at, cleared_at FROM episodes ORDER BY id"
    known, offsets = ask(dsn, lost), ask(dsn, OFFSETS)
    for process in running:
        process.kill9()
    with restored(databases, dump) as other:
        assert ask(other, OFFSETS) == then, "offsets go back with the rows they belong to"
        for process in ("engine", "deliver"):
            spawn("alerts", process, env={"CITYOPS_DSN": other})
        wait_until(lambda: ask(other, delivered) == [(5,)], 30.0, "the log since then is told")
        assert (ask(other, OFFSETS), ask(other, lost)) == (offsets, known)
        send(transition(4))
        wait_until(lambda: ask(other, delivered) == [(6,)], 30.0, "and what is new")
        ids = stub.ids()
        assert ids[5:7] == ids[3:5], "what the dump did not know is told again, by the same id"
        assert not set(ids[5:]) & set(ids[:3]), "what it knew is not"
        assert len(ids) == 8
        numbers = [int(h["webhook-sequence"]) for h, _ in stub.got]
        assert numbers == [1, 2, 3, 4, 5, 4, 5, 6]
        assert ask(other, "SELECT count(*) FROM dead_letters") == [(0,)]
