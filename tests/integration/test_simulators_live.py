"""The live city on real Kafka: a scenario by command raises and clears what was announced."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from catalog.contracts import Transition, decode_transition
from catalog.frames import decode
from catalog.registry import stream
from catalog.topics import readings_topic, transitions_topic
from deploy.paths import ROOT
from simulators.control import Control
from simulators.core.city import City
from simulators.drill import make_event
from simulators.forecast import forecast
from tests.support.servers import Spawner, wait_until
from tests.support.topics import records

MINUTE = 60.0


def transitions(kafka: str, prefix: str) -> list[Transition]:
    topic = transitions_topic(prefix)
    return [decode_transition(r.value) for r in records(kafka, topic)]


def pairs(found: list[Transition], kind: str) -> set[tuple[str, str]]:
    return {(t.rule, t.sensor) for t in found if t.kind == kind and "silent" not in t.rule}


@pytest.mark.slow
def test_a_storm_at_speed_raises_and_clears_what_it_announces(
    kafka: str, dsn: str, topic_prefix: str, spawn: Spawner, tmp_path: Path
) -> None:
    spawn("streams", "worker", deadline_s=60.0)
    now = datetime.now(UTC).timestamp()
    start = now - 42 * MINUTE
    event = make_event("rainstorm", start + 2 * MINUTE, None, 1.0, "")
    Control(tmp_path).add(event)
    alarms = [a for a in forecast(City(1, [event]), event.start, now) if "ponding" in a.rule]
    cleared = {(a.rule, a.sensor) for a in alarms if a.cleared and a.cleared < now - 2 * MINUTE}
    assert len(alarms) > 5
    assert cleared
    moment = datetime.fromtimestamp(start, UTC).isoformat()
    fast = ("--speed", "240", "--start", moment, "--faults", "none", "-s", "waterlogging")
    spawn("simulators", "live", *fast, deadline_s=30.0)
    wanted = {(a.rule, a.sensor) for a in alarms}

    def done() -> bool:
        found = transitions(kafka, topic_prefix)
        return pairs(found, "raised") >= wanted and pairs(found, "cleared") >= cleared

    wait_until(done, 60.0, "the announced alerts raised and cleared", 0.5)
    assert pairs(transitions(kafka, topic_prefix), "raised") == wanted


def test_the_command_starts_a_scenario_on_the_running_city(
    kafka: str, topic_prefix: str, spawn: Spawner, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    quick = ("-s", "feeder", "--fault", "duplicate=0.2", "--truth", str(truth))
    live = spawn("simulators", "live", *quick)
    control = Control(tmp_path)
    wait_until(lambda: control.live() is not None, 20.0, "the city says it is live")
    line = [sys.executable, "-m", "simulators", "scenario", "feeder_trip", "--detach"]
    env = os.environ | {"CITYOPS_STATE_DIR": str(tmp_path), "COLUMNS": "200"}
    told = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "feeder.trip" in told.stdout
    (event,) = control.events()

    def taken_up() -> bool:
        state = control.live()
        return state is not None and event.id in state.events

    wait_until(taken_up, 20.0, "the scenario is taken up")
    headers = [("ce_type", b"city.readings"), ("ce_dataschema", b"feeder/1")]
    headers.append(("ce_time", b"2026-11-24T00:00:00+00:00"))

    def without_voltage() -> bool:
        for record in records(kafka, readings_topic(topic_prefix, "feeder")):
            for row in decode("feeder", record.value, headers).batch.to_pylist():
                if row["sensor"] == event.where and row["ua_kv"] == 0.0:
                    return True
        return False

    wait_until(without_voltage, 40.0, "the feeder loses its voltage on the topic", 0.5)
    assert live.health()["healthy"]
    kinds = {json.loads(row)["kind"] for row in truth.read_text().splitlines()}
    assert "duplicate" in kinds
    assert live.stop() == 0


def test_poison_and_faults_reach_the_topic(
    kafka: str, topic_prefix: str, spawn: Spawner, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    many = ("--faults", "many", "--fault", "poison=3600", "--truth", str(truth))
    spawn("simulators", "live", "-s", "grid_frequency", *many)
    topic = readings_topic(topic_prefix, "grid_frequency")
    wait_until(
        lambda: any(b"no arrow frame" in (r.value or b"") for r in records(kafka, topic)),
        30.0,
        "poison on the topic",
        0.5,
    )
    assert stream("grid_frequency").cadence_s == 5
    assert any(json.loads(row)["kind"] == "poison" for row in truth.read_text().splitlines())


def test_scores_come_from_the_database(dsn: str, tmp_path: Path) -> None:
    """What is stored once is found, what is not stored is missed, what is flagged is explained."""
    at = datetime(2026, 11, 24, tzinfo=UTC)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO readings_noise (sensor, observed_at, received_at, leq_db)"
            " VALUES ('n-1', %s, %s, 50)",
            [at, at],
        )
        conn.execute(
            "INSERT INTO qc_flags (stream, sensor, observed_at, metric, test, flag, value)"
            " VALUES ('noise', 'n-1', %s, 'leq_db', 'spike', 4, 90)",
            [at],
        )
        conn.execute(
            "INSERT INTO last_noise (sensor, observed_at, received_at)"
            " VALUES ('n-1', %s + interval '1 hour', %s)",
            [at, at],
        )
    truth, second = tmp_path / "truth.jsonl", at.timestamp()
    labels = [
        {"kind": "spike", "metric": "leq_db", "at": second},
        {"kind": "duplicate", "at": second},
        {"kind": "duplicate", "at": second + 30},
        {"kind": "missing", "at": second + 60},
    ]
    rows = [json.dumps({"stream": "noise", "sensor": "n-1", **row}) for row in labels]
    truth.write_text("\n".join(rows) + "\n")
    line = [sys.executable, "-m", "simulators", "score", "--truth", str(truth), "--json"]
    env = os.environ | {"CITYOPS_DSN": dsn}
    told = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    found = {row["fault"]: row for row in json.loads(told.stdout)}
    assert found["spike"]["recall"] == found["spike"]["precision"] == 1.0
    assert found["duplicate"]["recall"] == 0.5
    assert found["missing"]["recall"] == 1.0
