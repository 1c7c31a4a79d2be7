"""Alerts on real Kafka, TimescaleDB and HTTP: one episode, one signed webhook, nothing lost."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from standardwebhooks import Webhook

from tests.support.alerting import (
    DRIP,
    DROP,
    SECRET,
    START,
    Stub,
    add_receiver,
    ask,
    serving,
    transition,
)
from tests.support.servers import Spawner, wait_until


def start(spawn: Spawner) -> None:
    spawn("alerts", "engine")
    spawn("alerts", "deliver")


def test_an_alert_is_told_once_signed_and_readable(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    start(spawn)
    send(transition(1), transition(1), transition(1, "changed", 1), transition(1, "cleared", 1))
    wait_until(lambda: len(stub.got) >= 3, 30.0, "three webhooks")
    events = [Webhook(SECRET).verify(body, headers) for headers, body in stub.got]
    assert [e["type"] for e in events] == ["alert.raised", "alert.changed", "alert.cleared"]
    first = events[0]["data"]
    assert first["title"]["zh"] == "夜间噪声超标"
    assert (first["value"], first["threshold"], first["unit"]) == (61.5, 50.0, "dB(A)")
    assert len(set(stub.ids())) == 3
    episodes = ask(dsn, "SELECT status, severity, peak_severity, cleared_at FROM episodes")
    assert episodes == [("cleared", 1, 1, START + timedelta(seconds=1))]
    assert ask(dsn, "SELECT count(*) FROM transitions") == [(3,)]


def test_a_second_open_episode_of_a_subject_becomes_a_dead_letter(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    spawn("alerts", "engine")
    other = msgspec.structs.replace(transition(1), id="t-other", episode="e-other")
    send(transition(1), other, transition(2))
    wait_until(lambda: ask(dsn, "SELECT count(*) FROM episodes") == [(2,)], 30.0, "episodes")
    wait_until(lambda: ask(dsn, "SELECT code FROM dead_letters") == [("database",)], 30.0, "letter")


def test_failures_are_tried_again_in_order_with_the_same_id_until_410(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    elsewhere = {"Location": f"http://127.0.0.1:{stub.port}/other"}
    stub.script = [(500, {}), (302, elsewhere), (DROP, {})]
    start(spawn)
    send(transition(1), transition(1, "cleared"))
    for failures in (1, 2, 3):
        query = (
            f"SELECT count(*) FROM deliveries WHERE error IS NOT NULL HAVING count(*) = {failures}"
        )
        wait_until(lambda q=query: bool(ask(dsn, q)), 30.0, f"{failures} failures")
        with psycopg.connect(dsn, autocommit=True) as conn:  # do not wait for the schedule
            conn.execute("UPDATE outbox SET next_attempt_at = now()")
    wait_until(lambda: len(stub.got) == 5, 30.0, "both delivered")
    ids = stub.ids()
    assert len(set(ids[:4])) == 1 and ids[4] != ids[0]
    assert len({body for _, body in stub.got[:4]}) == 1
    assert set(stub.paths) == {"/"}, "no redirect is followed"
    done = "SELECT attempts FROM outbox WHERE delivered_at IS NOT NULL ORDER BY seq"
    wait_until(lambda: ask(dsn, done) == [(4,), (1,)], 30.0, "delivered marks")
    stub.script = [(410, {})]
    send(transition(2))
    gone = "SELECT disabled_reason FROM receivers WHERE NOT enabled"
    wait_until(lambda: bool(ask(dsn, gone)), 30.0, "disabled")
    assert "410" in ask(dsn, gone)[0][0]


def test_a_receiver_that_hangs_delays_nobody_else(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    with serving() as other:
        add_receiver(dsn, tmp_path, stub, "hangs")
        add_receiver(dsn, tmp_path, other, "works")
        start(spawn)
        stub.hold.clear()
        send(*(transition(n) for n in range(10)))
        wait_until(lambda: len(other.got) == 10, 10.0, "everything at the one that works")
        assert len(stub.got) == 1, "one request is under way, the rest waits its turn"
        hangs = "SELECT count(*) FROM outbox o JOIN receivers r ON r.id = o.receiver"
        hangs += " WHERE r.name = 'hangs' AND o.delivered_at IS NULL"
        assert ask(dsn, hangs) == [(10,)]
        stub.hold.set()
        wait_until(lambda: ask(dsn, hangs) == [(0,)], 30.0, "and then at the other")
        numbers = [h["webhook-sequence"] for h, _ in stub.got]
        assert numbers == [str(n) for n in range(1, 11)], "in order"


def test_a_receiver_that_drips_its_headers_is_a_failed_attempt_and_tried_again(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    stub.script = [(DRIP, {})]
    start(spawn)
    send(transition(1), transition(2))
    tries = "SELECT attempt, error FROM deliveries ORDER BY at"
    wait_until(lambda: len(ask(dsn, tries)) == 1, 60.0, "an attempt that ends")
    assert ask(dsn, tries) == [(1, "no answer within 15 s")]
    wait_until(lambda: len(ask(dsn, tries)) == 3, 60.0, "the second attempt, and what waited")
    assert ask(dsn, tries)[1:] == [(2, None), (1, None)]
    assert stub.ids()[0] == stub.ids()[1] != stub.ids()[2], "in order"


def test_the_log_read_again_from_its_beginning_tells_nothing_again(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    engine = spawn("alerts", "engine")
    spawn("alerts", "deliver")
    send(transition(1), transition(1, "cleared"), transition(2))
    wait_until(lambda: len(stub.got) == 3, 30.0, "three webhooks")
    engine.stop()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("DELETE FROM consumer_offsets")  # as after a restore
    spawn("alerts", "engine")
    send(transition(3))
    wait_until(lambda: len(stub.got) == 4, 30.0, "only what is new")
    assert len(set(stub.ids())) == 4
    assert ask(dsn, "SELECT count(*) FROM episodes") == [(3,)]
    assert ask(dsn, "SELECT count(*) FROM dead_letters") == [(0,)], "known, not refused"


@pytest.mark.chaos
def test_kill_9_between_post_and_mark_sends_the_same_message_again(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    spawn("alerts", "engine")
    deliver = spawn("alerts", "deliver")
    stub.hold.clear()
    send(transition(1))
    wait_until(lambda: len(stub.got) == 1, 30.0, "the first post")
    deliver.kill9()
    stub.hold.set()
    spawn("alerts", "deliver")
    wait_until(lambda: len(stub.got) == 2, 30.0, "the second post")
    assert stub.got[0][1] == stub.got[1][1]
    assert stub.ids()[0] == stub.ids()[1]
    assert ask(dsn, "SELECT count(*) FROM episodes") == [(1,)]


@pytest.mark.chaos
def test_kill_9_of_the_engine_doubles_and_loses_nothing(
    dsn: str, topic_prefix: str, send: Any, stub: Stub, spawn: Spawner, tmp_path: Path
) -> None:
    add_receiver(dsn, tmp_path, stub)
    routes = tmp_path / "each.toml"  # or those of the one incident would gather for minutes
    routes.write_text("incident_interval_s = 0\n[route]\nreceivers = ['*']\n")
    each = {"CITYOPS_ROUTES_FILE": str(routes)}
    engine = spawn("alerts", "engine", env=each)
    for block in range(3):
        rules = ("noise.night", "air_quality.aqi")
        send(*(transition(n, rule=rules[n % 2]) for n in range(block * 100, block * 100 + 100)))
        done = f"SELECT count(*) FROM transitions HAVING count(*) > {block * 100}"
        wait_until(lambda q=done: bool(ask(dsn, q)), 60.0, "progress")
        engine.kill9()
        engine = spawn("alerts", "engine", env=each)
    whole = [(300, 300)]
    query = "SELECT count(*), count(DISTINCT sensor) FROM episodes"
    wait_until(lambda: ask(dsn, query) == whole, 30.0, "every episode")
    assert ask(dsn, "SELECT count(*) = max(receiver_seq) FROM outbox") == [(True,)], "no gap"
    told = "SELECT kind, count(*) FROM outbox_subjects GROUP BY kind ORDER BY kind"
    assert ask(dsn, told + " DESC")[0] == ("raised", 300), "each told once"
    assert ("confirmed", 1) in ask(dsn, told), "one incident, told once"
    members = "SELECT count(DISTINCT incident), count(*) FROM incident_members"
    assert ask(dsn, members) == [(1, 150)]
    assert ask(dsn, "SELECT count(*) FROM told") == [(301,)]
