"""Dead letters on a real database, and their way back through a real gateway."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner, Result

from deploy.ports import free_port
from storage.__main__ import app
from storage.api_keys import add_key
from tests.support.servers import Spawner, wait_until

AT = "2026-11-24T08:00:00+00:00"
GOOD: dict[str, Any] = {"sensor": "n-1", "observed_at": AT, "leq_db": 50}
BAD: dict[str, Any] = {"sensor": "n-1", "observed_at": AT, "leq_db": "loud", "speed": 1}
NOISE = "/v1/streams/noise/readings"
Run = Callable[..., Result]


@pytest.fixture
def key(dsn: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return add_key(conn, "test", ["ingest:*"])


@pytest.fixture
def url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def run(dsn: str, key: str, url: str) -> Run:
    """Run ``python -m storage dead-letters …``; keyword arguments override the environment."""
    base = {"CITYOPS_DSN": dsn, "CITYOPS_GATEWAY": url, "CITYOPS_API_KEY": key, "COLUMNS": "200"}
    return lambda *words, **env: CliRunner().invoke(
        app, ["dead-letters", *words], env={**base, **env}, catch_exceptions=False
    )


def start_gateway(spawn: Spawner, url: str, **env: str) -> None:
    spawn("ingest", "gateway", env={"CITYOPS_GATEWAY": url, **env})
    wait_until(lambda: httpx.post(url + NOISE, json={}).status_code != 503, 20.0, "keys loaded")


def put(
    dsn: str,
    id: str,
    *readings: dict[str, Any],
    code: str = "range",
    stream: str = "noise",
    at: str = AT,
    payload: bytes | None = None,
) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO dead_letters (id, at, stream, stage, code, reason, readings, payload,"
            ' topic, partition, "offset")'
            " VALUES (%s, %s, %s, 'storing', %s, 'not [bold]this\x1b[2J', %s, %s, 't', 2, 7)",
            [id, at, stream, code, Jsonb(list(readings)), payload],
        )


def states(dsn: str) -> dict[str, tuple[str, bool]]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT id, status, redriven_at IS NOT NULL FROM dead_letters")
        return {id: (status, marked) for id, status, marked in rows}


def listed(run: Run, *words: str) -> list[str]:
    return [letter["id"] for letter in json.loads(run("list", "--json", *words).stdout)]


def test_a_strict_gateways_letter_becomes_a_row_once_its_sensor_is_registered(
    kafka: str, dsn: str, topic_prefix: str, spawn: Spawner, key: str, url: str, run: Run
) -> None:
    start_gateway(spawn, url, CITYOPS_REGISTER="strict")
    spawn("storage", "sink")

    def post(sensor: str) -> dict[str, Any]:
        body = {"readings": [{**GOOD, "sensor": sensor}]}
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.post(url + NOISE, json=body, headers=headers, timeout=30).json()

    assert post("stranger")["dead_lettered"] == 1
    wait_until(lambda: len(listed(run)) == 1, 30.0, "the letter")
    (first,) = listed(run)

    early = run("redrive", first)
    assert early.exit_code == 1
    assert "1 came back as new letters" in early.stdout
    wait_until(lambda: listed(run) not in ([], [first]), 30.0, "the reading in a new letter")
    (second,) = listed(run)

    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO sensors (stream, sensor, status) SELECT 'noise', s, 'registered'"
            " FROM unnest(ARRAY['stranger', 'probe']) s"
        )
    wait_until(lambda: "dead_lettered" not in post("probe"), 20.0, "sensors known to the gateway")
    probes = set(listed(run, "--limit", "1000")) - {second}

    late = run("redrive", second)
    assert (late.exit_code, late.stdout) == (0, "1 of 1 dead letters redriven\n")
    assert states(dsn)[second] == ("redriven", True)
    assert second not in listed(run)
    assert set(listed(run)) >= probes

    def rows() -> list[Any]:
        with psycopg.connect(dsn) as conn:
            query = "SELECT observed_at, leq_db FROM readings_noise WHERE sensor = 'stranger'"
            return conn.execute(query).fetchall()

    wait_until(lambda: bool(rows()), 30.0, "the reading as a row")
    assert rows() == [(datetime.fromisoformat(AT), 50.0)]


def test_only_what_the_gateway_takes_is_marked(
    kafka: str, dsn: str, topic_prefix: str, spawn: Spawner, url: str, run: Run
) -> None:
    start_gateway(spawn, url)
    put(dsn, "t/0/1", GOOD)
    put(dsn, "t/0/2", GOOD, BAD)
    put(dsn, "t/0/3", payload=b"\x00raw", code="arrow")
    put(dsn, "t/0/4", {**GOOD, "leq_db": 60}, code="conflict")
    put(dsn, "t/0/5", GOOD, stream="no/such")

    wrong = run("redrive", "--all", CITYOPS_API_KEY="wrong")
    assert wrong.exit_code == 1
    assert "refuses the API key" in wrong.stderr
    assert set(states(dsn).values()) == {("open", False)}

    done = run("redrive", "--all")
    assert done.exit_code == 1
    assert done.stdout == (
        "1 of 5 dead letters redriven, 1 refused and still open,"
        " 3 cannot be re-driven and still open\n"
    )
    told = done.stderr.splitlines()
    assert any("t/0/2" in x and "reading 1, leq_db: " in x and "[type]" in x for x in told)
    assert any("t/0/2" in x and "reading 1, speed: " in x and "[unknown]" in x for x in told)
    assert any("t/0/3" in x and "--to-file" in x for x in told)
    assert any("t/0/4" in x and "first one wins" in x for x in told)
    assert any("t/0/5" in x and "No stream 'no/such'" in x for x in told)
    after = states(dsn)
    assert after.pop("t/0/1") == ("redriven", True)
    assert set(after.values()) == {("open", False)}

    again = run("redrive", "t/0/1")
    assert (again.exit_code, again.stdout) == (0, "0 of 0 dead letters redriven\n")


def test_a_gateway_that_cannot_take_it_stops_the_redrive(dsn: str, url: str, run: Run) -> None:
    put(dsn, "t/0/1", GOOD)
    put(dsn, "t/0/2", GOOD)
    away = run("redrive", "--all")
    assert away.exit_code == 1
    assert f"no answer from the gateway at {url}" in away.stderr
    assert away.stdout == "0 of 2 dead letters redriven, 2 not tried\n"
    keyless = run("redrive", "--all", CITYOPS_API_KEY="")
    assert keyless.exit_code == 1
    assert "CITYOPS_API_KEY" in keyless.stderr
    assert run("redrive").exit_code == 2
    assert set(states(dsn).values()) == {("open", False)}


@pytest.mark.chaos
def test_a_503_leaves_the_letter_open(
    dsn: str, own_servers: Any, spawn: Spawner, url: str, run: Run
) -> None:
    start_gateway(spawn, url, CITYOPS_KAFKA=own_servers.start_broker())
    own_servers.broker.kill9()
    put(dsn, "t/0/1", GOOD)
    answer = run("redrive", "t/0/1")
    assert answer.exit_code == 1
    assert "cannot take readings now (503" in answer.stderr
    assert states(dsn) == {"t/0/1": ("open", False)}


def test_list_filters_and_prints_what_senders_wrote_harmlessly(dsn: str, run: Run) -> None:
    put(dsn, "old", GOOD, code="range")
    put(dsn, "new", GOOD, GOOD, code="conflict", at=datetime.now(UTC).isoformat())
    put(dsn, "rain", GOOD, stream="weather", at="2026-11-24T07:00:00+00:00")
    assert listed(run) == ["new", "old", "rain"]
    assert listed(run, "--code", "range", "--stream", "noise") == ["old"]
    assert listed(run, "--since", "1h") == ["new"]
    assert listed(run, "--since", "2026-11-24T07:30Z") == ["new", "old"]
    assert listed(run, "--limit", "1") == ["new"]
    shown = run("list", "--limit", "2").stdout
    assert "2 of 3 open dead letters" in shown
    assert "[bold]" in shown
    assert "\x1b" not in shown
    refused = run("list", "--since", "yesterday")
    assert refused.exit_code == 2
    assert "2h" in refused.stderr


def test_show_tells_everything_and_saves_the_original(dsn: str, run: Run, tmp_path: Path) -> None:
    payload = bytes(range(256)) * 40
    put(dsn, "t/2/7", payload=payload, code="arrow")
    put(dsn, "t/2/8", GOOD)
    raw = run("show", "t/2/7").stdout
    assert "10240" in raw and "AAECAwQF" in raw and "--to-file" in raw
    letter = json.loads(run("show", "t/2/8", "--json").stdout)
    assert letter["readings"] == [GOOD]
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("t", 2, 7)
    assert '"leq_db":50' in run("show", "t/2/8").stdout

    saved = tmp_path / "letter.bin"
    assert run("show", "t/2/7", "--to-file", str(saved)).exit_code == 0
    assert saved.read_bytes() == payload
    assert run("show", "t/2/7", "--to-file", str(saved)).exit_code == 1
    body = tmp_path / "body.json"
    run("show", "t/2/8", "--to-file", str(body))
    assert json.loads(body.read_bytes()) == {"readings": [GOOD]}
    missing = run("show", "nothing")
    assert missing.exit_code == 1
    assert "no dead letter 'nothing'" in missing.stderr


def test_discard_needs_a_choice_and_a_yes_and_is_safe_to_repeat(dsn: str, run: Run) -> None:
    for id in ("t/0/1", "t/0/2", "t/0/3"):
        put(dsn, id, GOOD, code="conflict" if id < "t/0/3" else "range")
    assert run("discard").exit_code == 2
    assert run("discard", "--stream", "noise", "--yes").exit_code == 2
    asked = run("discard", "--code", "conflict")
    assert asked.exit_code == 2
    assert "would discard 2" in asked.stderr
    assert listed(run) == ["t/0/1", "t/0/2", "t/0/3"]

    assert run("discard", "t/0/3").stdout == "1 dead letters discarded\n"
    repeated = run("discard", "t/0/3")
    assert (repeated.exit_code, repeated.stdout) == (0, "0 dead letters discarded\n")
    assert run("discard", "--code", "conflict", "--yes").stdout == "2 dead letters discarded\n"
    assert listed(run) == []
    assert set(listed(run, "--status", "discarded")) == {"t/0/1", "t/0/2", "t/0/3"}
    assert run("discard", "nothing").exit_code == 1
