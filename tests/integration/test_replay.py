"""``python -m ingest replay`` against the real gateway and sink."""

import csv
from pathlib import Path

import httpx
import psycopg
import pytest

from deploy.ports import free_port
from storage.api_keys import add_key
from tests.support.servers import Spawner, wait_until


@pytest.fixture
def env(kafka: str, dsn: str, topic_prefix: str, spawn: Spawner) -> dict[str, str]:
    url = f"http://127.0.0.1:{free_port()}"
    with psycopg.connect(dsn, autocommit=True) as conn:
        made = {"CITYOPS_GATEWAY": url, "CITYOPS_API_KEY": add_key(conn, "all", ["ingest:*"])}
    spawn("storage", "sink", env=made)
    spawn("ingest", "gateway", env=made)
    probe = f"{url}/v1/streams/noise/readings"
    wait_until(lambda: httpx.post(probe, json={}).status_code != 503, 20.0, "keys loaded")
    return made


def replay(spawn: Spawner, env: dict[str, str], *arguments: str) -> tuple[int, str]:
    wide = {**env, "COLUMNS": "200"}
    ran = spawn("ingest", "replay", *arguments, "--at-once", env=wide, deadline_s=None)
    return ran.child.handle.wait(120), ran.log.read_text("utf-8")


def count(dsn: str, query: str) -> int:
    with psycopg.connect(dsn) as conn:
        found = conn.execute(query.encode()).fetchone()
    return found[0] if found else 0


def test_accepted_rows_are_stored_refused_ones_reported_and_a_second_run_sends_nothing(
    dsn: str, env: dict[str, str], spawn: Spawner, tmp_path: Path
) -> None:
    sample, rejects = tmp_path / "tr.csv", tmp_path / "rejects.csv"
    sample.write_text(
        "date,OT\n2016-07-01 00:00:00,30.5\n2016-07-01 01:00:00,hot\n"
        "2999-07-01 02:00:00,31\n2016-07-01 03:00:00,32\n"
    )
    asked = (str(sample), "--stream", "transformer", "--map", "etth1", "--rejects", str(rejects))
    code, said = replay(spawn, env, *asked)
    assert code == 0, said
    assert "2 readings accepted, 2 refused" in said
    assert "number: 1 (line 3)" in said
    with rejects.open(newline="") as file:
        refused = [(r["line"], r["rule"]) for r in csv.DictReader(file)]
    assert sorted(refused) == [("3", "number"), ("4", "future")]
    wait_until(
        lambda: count(dsn, "SELECT count(*) FROM readings_transformer") == 2, 30.0, "two rows"
    )
    code, said = replay(spawn, env, *asked)
    assert (code, "already replayed" in said) == (0, True)


def test_a_key_that_is_not_allowed_stops_with_the_reason(
    env: dict[str, str], spawn: Spawner, tmp_path: Path
) -> None:
    sample = tmp_path / "tr.csv"
    sample.write_text("date,OT\n2016-07-01 00:00:00,30.5\n")
    wrong = {**env, "CITYOPS_API_KEY": "nobody"}
    code, said = replay(spawn, wrong, str(sample), "--stream", "transformer", "--map", "etth1")
    assert code == 1
    assert "401" in said
