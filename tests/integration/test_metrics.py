"""What live processes tell Prometheus over HTTP: all that docs/metrics.md says, and it moves.

One small story brings everything about: readings, copies of them, another body for a known key, a
late one, one too late, a stranger, a request that is refused, bytes that are no frame and others
that are no transition, an alert.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalog.topics import transitions_topic
from deploy.paths import ROOT
from deploy.ports import free_port
from service.kafka import producer
from storage.api_keys import add_key
from tests.support.alerting import add_receiver, ask, serving
from tests.support.databases import Databases
from tests.support.frames import put_raw
from tests.support.servers import Spawned, Spawner, wait_until
from tests.support.topics import delete_topics, unique_prefix

PROCESSES = {
    "gateway": ("ingest", "gateway"),
    "sink": ("storage", "sink"),
    "facts": ("storage", "facts"),
    "keep": ("storage", "keep"),
    "worker": ("streams", "worker"),
    "alerts-engine": ("alerts", "engine"),
    "alerts-deliver": ("alerts", "deliver"),
    "records": ("records", "run"),
    "city": ("simulators", "live", "--stream", "weather"),
    "console": ("console",),
}
MOVES = {
    "gateway": (
        "cityops_gateway_accepted_total noise",
        "cityops_gateway_bytes_total",
        "cityops_gateway_dead_letters_total unknown_sensor",
        "cityops_gateway_refused_total",
        "cityops_gateway_request_readings_count",
        "cityops_gateway_request_seconds_count",
        "cityops_producer_frames_total",
        "cityops_producer_bytes_total",
        "cityops_producer_ack_seconds_count",
    ),
    "city": (
        "cityops_producer_frames_total",
        "cityops_producer_bytes_total",
        "cityops_producer_ack_seconds_count",
    ),
    "sink": (
        "cityops_sink_rows_total",
        "cityops_sink_frames_total",
        "cityops_sink_batch_readings_count",
        "cityops_sink_duplicates_total",
        "cityops_sink_conflicts_total",
        "cityops_sink_dead_letters_total headers",
        "cityops_sink_dead_letters_total conflict",
        "cityops_sink_dead_letters_total unknown_sensor",
        "cityops_sink_windows_total",
        "cityops_sink_corrections_total",
        "cityops_sink_flags_total",
        "cityops_consumer_bytes_total sink",
        "cityops_consumer_batch_records_count sink",
        "cityops_consumer_batch_seconds_count sink",
    ),
    "worker": (
        "cityops_worker_readings_total accepted",
        "cityops_worker_readings_total duplicates",
        "cityops_worker_readings_total late",
        "cityops_worker_frames_total",
        "cityops_worker_bytes_total",
        "cityops_worker_frame_readings_count",
        "cityops_worker_frame_seconds_count",
        "cityops_worker_corrections_total",
        "cityops_worker_poison_total headers",
        "cityops_worker_outputs_total",
        "cityops_worker_transitions_total raised",
        "cityops_worker_checkpoint_age_seconds",
        "cityops_worker_checkpoint_bytes",
        "cityops_worker_checkpoint_seconds_count",
    ),
    "keep": (
        "cityops_keep_marks_total",
        "cityops_keep_rollups_total 15m",
        "cityops_keep_rollups_total 1h",
        "cityops_keep_rollups_total 1d",
        "cityops_keep_round_seconds_count",
    ),
    "alerts-engine": (
        "cityops_alerts_transitions_total raised",
        "cityops_alerts_dead_letters_total transition",
        "cityops_consumer_bytes_total alerts",
        "cityops_consumer_batch_records_count alerts",
        "cityops_consumer_batch_seconds_count alerts",
    ),
    "alerts-deliver": (
        "cityops_deliver_attempts_total",
        "cityops_deliver_attempt_seconds_count",
        "cityops_alert_latency_seconds_count observed",
        "cityops_alert_latency_seconds_count produced",
    ),
}
"""What the story moves: a sample, and a value of one of its labels."""
LAGS = ("gateway", "sink", "worker", "keep", "alerts-engine", "alerts-deliver")
DEADLINE_S = 60.0
NOISE, FEEDER = "noise-510104-01", "feeder-510104-01"
BASE = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
"""Event time of the story: windows of a day ago end with the next tick."""


@dataclass
class Running:
    """The running processes, and what is needed to speak to them."""

    processes: dict[str, Spawned]
    dsn: str
    gateway: str
    token: str

    def post(self, stream: str, *readings: dict[str, Any]) -> int:
        """Post readings; return the status."""
        url = f"{self.gateway}/v1/streams/{stream}/readings"
        headers = {"Authorization": f"Bearer {self.token}"}
        body = {"readings": list(readings)}
        return httpx.post(url, json=body, headers=headers, timeout=30).status_code


@pytest.fixture(scope="module")
def running(
    kafka: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    prefix, folder = unique_prefix(), tmp_path_factory.mktemp("metrics")
    gateway, console = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    with databases.fresh(migrated=True) as dsn, serving() as stub:
        add_receiver(dsn, folder, stub)
        with psycopg.connect(dsn, autocommit=True) as conn:
            token = add_key(conn, "test", ["ingest:*"], None)
        env = {"CITYOPS_KAFKA": kafka, "CITYOPS_DSN": dsn, "CITYOPS_TOPIC_PREFIX": prefix}
        env |= {"CITYOPS_GATEWAY": gateway, "CITYOPS_CONSOLE": console}
        env |= {"CITYOPS_REGISTER": "strict", "CITYOPS_CHECKPOINT_S": "1"}
        spawn = Spawner(folder, env)
        try:
            lines = PROCESSES.items()
            started = {name: spawn(*line, name=name, deadline_s=None) for name, line in lines}
            for process in started.values():
                process.wait_healthy(DEADLINE_S)
            made = Running(started, dsn, gateway, token)
            wait_until(lambda: made.post("noise", noise(10, 50.0)) == 202, DEADLINE_S, "the key")
            tell(made)
            sender = producer(kafka, "test")
            put_raw(sender, prefix, 0, b"no frame", [])
            sender.send(transitions_topic(prefix), value=b"no transition", partition=0)
            sender.close(timeout=5)
            yield made
        finally:
            spawn.stop_all()
            delete_topics(kafka, prefix)


def noise(second: float, level: float, sensor: str = NOISE) -> dict[str, Any]:
    """Return a noise reading so many seconds after BASE."""
    at = BASE + timedelta(seconds=second)
    return {"sensor": sensor, "observed_at": at.isoformat(), "leq_db": level}


def tell(running: Running) -> None:
    """Post everything but the late reading."""
    first = [noise(10, 50.0), noise(40, 51.0), noise(130, 52.0)]
    dead = [
        {"sensor": FEEDER, "observed_at": (BASE + timedelta(seconds=s)).isoformat(), "ua_kv": 0.0}
        for s in range(0, 60, 15)
    ]
    assert running.post("noise", *first) == 202
    assert running.post("noise", *first) == 202
    assert running.post("noise", noise(10, 77.0)) == 202  # another body
    assert running.post("noise", noise(-400, 50.0)) == 202  # beyond lateness (300 s)
    assert running.post("noise", noise(10, 50.0, "stranger")) == 202  # a dead letter
    assert running.post("noise", {"sensor": NOISE}) == 422
    assert running.post("feeder", *dead) == 202


Value = float | None


def scrape(process: Spawned) -> dict[str, Any]:
    """Return our families by name, as Prometheus parses them."""
    text = httpx.get(f"{process.url}/metrics").text
    families = text_string_to_metric_families(text)
    ours = {f.name: f for f in families if f.name.startswith("cityops_")}
    return {name: f for name, f in ours.items() if not name.endswith("_created")}


def value(spawned: Spawned, sample: str, label: str = "") -> Value:
    """Return the sum of a sample, of those with this label value if one is given; None for none."""
    found = [
        s.value
        for family in scrape(spawned).values()
        for s in family.samples
        if s.name == sample and (not label or label in s.labels.values())
    ]
    return sum(found) if found else None


def documented() -> dict[str, set[tuple[str, str]]]:
    """Return (name, type) by process, from the table in docs/metrics.md."""
    found: dict[str, set[tuple[str, str]]] = {}
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (.+?) \|", (ROOT / "docs/metrics.md").read_text(), re.M
    )
    for name, kind, process in rows:
        for each in process.split(", "):
            found.setdefault(each, set()).add((name, kind))
    return found


def test_a_late_reading_corrects_minute_quarter_hour_and_day(running: Running) -> None:
    """Each has its next revision and the whole of its readings; the counters say so."""

    def stored(kind: str) -> list[Any]:
        table = "aggregates_noise" if kind == "1m" else f"rollup_{kind}_noise"
        query = f"SELECT revision, n, leq_db_sum FROM {table} WHERE sensor = '{NOISE}'"
        return ask(running.dsn, f"{query} ORDER BY window_start LIMIT 1")

    def rolled(count: int) -> bool:
        marks = ask(running.dsn, f"SELECT 1 FROM rollup_dirty WHERE sensor = '{NOISE}'")
        return not marks and [n for _, n, _ in stored("1d")] == [count]

    wait_until(lambda: rolled(3), DEADLINE_S, "the day with three readings")
    before = {kind: stored(kind)[0][0] for kind in ("1m", "15m", "1h", "1d")}
    assert before["1m"] == 1
    assert running.post("noise", noise(20, 60.0)) == 202
    wait_until(lambda: rolled(4), DEADLINE_S, "the day with four readings")
    after = {kind: stored(kind)[0] for kind in before}
    assert after["1m"] == (2, 3, 161.0)
    for kind in ("15m", "1h", "1d"):
        assert after[kind] == (before[kind] + 1, 4, 213.0), kind
    for name, sample in (("worker", "worker"), ("sink", "sink")):
        process = running.processes[name]
        wait_until(
            lambda p=process, s=sample: value(p, f"cityops_{s}_corrections_total") == 1.0,
            DEADLINE_S,
            f"the correction of {name}",
        )
    assert running.processes["sink"].health()["details"]["windows_corrected"] == 1
    wait_until(
        lambda: running.processes["worker"].health()["details"].get("readings_too_late") == 1,
        DEADLINE_S,
        "the reading that came too late",
    )


def test_every_metric_is_told_and_moves(running: Running) -> None:
    for name, samples in MOVES.items():
        process = running.processes[name]
        for sample in samples:
            full, _, label = sample.partition(" ")
            moved = lambda p=process, s=full, x=label: (value(p, s, x) or 0) > 0  # noqa: E731
            wait_until(moved, DEADLINE_S, f"{name}: {sample} > 0")
    for name in PROCESSES:
        assert value(running.processes[name], "cityops_process_healthy", name) == 1, name
    for name in LAGS:
        process = running.processes[name]
        told = lambda p=process: value(p, "cityops_process_lag_messages") is not None  # noqa: E731
        wait_until(told, DEADLINE_S, f"the lag of {name}")
    age = "cityops_worker_checkpoint_age_seconds"
    worker = running.processes["worker"]
    first = value(worker, age)
    wait_until(lambda: value(worker, age) != first, DEADLINE_S, "the age moves")


def test_every_metric_is_described(running: Running) -> None:
    """A process tells all that the table says of it, and nothing that the table does not know."""
    table = documented()
    known = set().union(*table.values())
    assert {*table} <= {*PROCESSES, "every process"}
    for name, process in running.processes.items():
        told = {(f.name, f.type) for f in scrape(process).values()}
        assert table.get(name, set()) <= told, name
        assert told <= known, name
        assert ("cityops_process_healthy", "gauge") in told
