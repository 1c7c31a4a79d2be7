"""Facts from POST to day: rows, minutes, stream and rollups are equal to the fen, whatever is
killed, sent twice, sent late or corrected."""

import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from kafka.structs import TopicPartition

from catalog.registry import facts, streams
from catalog.topics import all_topics, facts_topic
from deploy.ports import free_port
from deploy.wait import wait_until
from service.kafka import consumer, ensure_topics, producer
from service.postgres import connect
from storage.api_keys import add_key
from storage.facts.reconcile import reconcile
from storage.keep import roll_up
from tests.support.servers import Spawned, Spawner
from verify.oracle.facts import fact_hops

FACT = facts()["gantry_passage"]
PLATE = "川A12345"
DEADLINE_S = 120.0
START_S = 120.0


@dataclass
class City:
    """Gateway, facts and sink, and the account of what was sent that nobody here shares."""

    dsn: str
    kafka: str
    prefix: str
    http: httpx.Client
    facts: Spawned
    spawn: Spawner
    truth: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def post(self, *given: dict[str, Any], status: int = 202) -> httpx.Response:
        answer = self.http.post("/v1/facts/gantry_passage", json={"facts": list(given)})
        assert answer.status_code == status, answer.text
        for one in given if status == 202 else ():
            key = one["thing"], one["id"]
            revision = self.truth.get(key, {"revision": 0})["revision"]
            if one.get("revision", 1) > revision:
                self.truth[key] = {"revision": 1, "void": False} | one
        return answer

    def fen(self) -> int:
        return sum(one["fee_fen"] for one in self.truth.values() if not one["void"])

    def kill(self) -> None:
        """End the process of facts without a word and start it anew."""
        self.facts.child.signal_group(signal.SIGKILL)
        self.facts.child.handle.wait(10)
        self.facts = self.spawn("storage", "facts", name="facts", deadline_s=START_S)

    def told(self) -> int:
        """Return the fen of all windows of the stream that the sink has stored."""
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute("SELECT sum(fee_fen_sum)::bigint FROM aggregates_gantry").fetchone()
            return row[0] or 0 if row else 0

    def settle(self) -> None:
        wait_until(lambda: self.told() == self.fen(), DEADLINE_S, f"{self.fen()} fen in minutes")


@pytest.fixture
def city(dsn: str, kafka: str, topic_prefix: str, spawn: Spawner) -> Iterator[City]:
    url = f"http://127.0.0.1:{free_port()}"
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams()), tuple(facts())))
    with psycopg.connect(dsn, autocommit=True) as conn:
        key = add_key(conn, "gantries", ["ingest:gantry_passage"])
    spawn("ingest", "gateway", env={"CITYOPS_GATEWAY": url}, deadline_s=None)
    spawn("storage", "sink", deadline_s=None)
    process = spawn("storage", "facts", name="facts", deadline_s=START_S)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as http:
        ask = lambda: http.post("/v1/facts/gantry_passage", json={}).status_code  # noqa: E731
        wait_until(lambda: _asked(ask) == 422, DEADLINE_S, "the gateway's keys")
        yield City(dsn, kafka, topic_prefix, http, process, spawn)


def _asked(ask: Any) -> int:
    try:
        return ask()
    except httpx.TransportError:
        return 0


def passage(n: int, at: datetime, **more: Any) -> dict[str, Any]:
    one = {"thing": f"gantry-{n % 12 + 1:02d}", "id": f"p-{n}", "at": at.isoformat()}
    one |= {"medium": "obu", "result": "ok", "fee_fen": 101 + n, "due_fen": 101 + n}
    return one | {"plate": PLATE, "unit_plate": PLATE} | more


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_fen_is_counted_once_whatever_is_killed(city: City) -> None:
    rnd, now = random.Random(5), datetime.now(UTC).replace(second=0, microsecond=0)
    sent: list[dict[str, Any]] = []
    for turn in range(6):
        fresh = []
        for n in range(turn * 50, turn * 50 + 50):
            late = timedelta(hours=rnd.choice([0, 0, 0, 1, 30, 60]))
            fresh.append(passage(n, now - late - timedelta(seconds=60 + rnd.randrange(300))))
        again = rnd.sample(sent, min(20, len(sent)))
        corrected = [
            one | {"revision": 2, "fee_fen": one["fee_fen"] // 2, "void": rnd.random() < 0.3}
            for one in rnd.sample(sent, min(6, len(sent)))
            if (one["thing"], one["id"]) in city.truth
        ]
        corrected = [c for c in corrected if city.truth[c["thing"], c["id"]]["revision"] == 1]
        city.post(*fresh)
        if again:
            city.post(*again)
        if corrected:
            city.post(*corrected)
        sent += fresh
        if turn in (1, 3):
            city.kill()
    city.settle()
    _equal_to_the_fen(city)
    wrong = [hop for hop in fact_hops(city.kafka, city.dsn, city.prefix, FACT) if hop]
    assert not wrong, "\n".join(map(str, wrong))
    _plates_are_nowhere(city)
    _closed_books_and_hostile_bytes(city)


def _equal_to_the_fen(city: City) -> None:
    """Rows, minutes, windows and days say the same as the account outside."""
    with connect(city.dsn, "test", autocommit=True) as conn:
        roll_up(conn)
        done = reconcile(conn, FACT)
    assert len(done) >= 3 and all(day.equal for day in done), done
    for name in ("passages", "fee_fen"):
        told = sum(day.rows[name] for day in done)
        mine = [one for one in city.truth.values() if not one["void"]]
        assert told == (len(mine) if name == "passages" else city.fen())
    with psycopg.connect(city.dsn) as conn:
        found = conn.execute("SELECT thing, id, revision, fee_fen FROM facts_gantry_passage")
        rows = {(thing, id): (revision, fee) for thing, id, revision, fee in found}
        assert rows == {k: (v["revision"], v["fee_fen"]) for k, v in city.truth.items()}
        history = conn.execute("SELECT count(*) FROM fact_history").fetchone()
        assert history == (sum(v["revision"] == 2 for v in city.truth.values()),)
        twice = conn.execute(
            "SELECT count(*) FROM dead_letters WHERE code <> 'late_window'"
        ).fetchone()
        assert twice == (0,)


def _plates_are_nowhere(city: City) -> None:
    """The plate is in no row, no message and no log, and equal plates of a day have one hash."""
    with psycopg.connect(city.dsn) as conn:
        rows = conn.execute("SELECT row_to_json(f)::text FROM facts_gantry_passage f").fetchall()
        assert rows and not any("12345" in text for (text,) in rows)
    reader = consumer(city.kafka, "test", f"{city.prefix}.test")
    try:
        parts = [TopicPartition(facts_topic(city.prefix, FACT.name), p) for p in range(4)]
        reader.assign(parts)
        reader.seek_to_beginning(*parts)
        ends, found = reader.end_offsets(parts), b""
        while any((reader.position(p) or 0) < ends[p] for p in parts):
            polled = reader.poll(timeout_ms=500)
            found += b"".join(r.value for records in polled.values() for r in records)
    finally:
        reader.close()
    assert found and PLATE.encode() not in found
    for process in city.spawn.spawned:
        assert "12345" not in process.log.read_text()


def _closed_books_and_hostile_bytes(city: City) -> None:
    """What cannot be booked is refused or a dead letter, and the good ones beside it are booked."""
    now, before = datetime.now(UTC), city.fen()
    city.post(passage(1, now - timedelta(days=4)), passage(900, now), status=422)
    city.post(city.truth["gantry-11", "p-10"] | {"fee_fen": 7}, status=202)  # another body
    sender = producer(city.kafka, "test")
    topic = facts_topic(city.prefix, FACT.name)
    for value, headers in ((b"\x00poison", [("ce_type", b"city.facts")]), (b"", [])):
        sender.send(topic, value=value, partition=1, headers=headers).get(timeout=10)
    sender.close()
    city.post(passage(901, now - timedelta(minutes=2)))
    city.settle()
    assert city.fen() == before + 101 + 901
    answer = city.http.post("/v1/streams/gantry/readings", json={"readings": []})
    assert answer.status_code in (403, 409)
    with psycopg.connect(city.dsn) as conn:
        query = "SELECT code FROM dead_letters WHERE source = 'facts' ORDER BY code"
        codes = [code for (code,) in conn.execute(query)]
    assert codes == ["conflict", "headers", "schema_version"]
