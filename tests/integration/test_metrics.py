"""What live processes tell Prometheus over HTTP is what docs/metrics.md says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.paths import ROOT
from deploy.ports import free_port
from service.kafka import producer
from storage.api_keys import add_key
from tests.frames import put_raw
from tests.servers import Spawned, Spawner, wait_until

PROCESSES = {
    "gateway": ("ingest", "gateway"),
    "sink": ("storage", "sink"),
    "keep": ("storage", "keep"),
    "worker": ("streams", "worker"),
    "alerts-engine": ("alerts", "engine"),
    "alerts-deliver": ("alerts", "deliver"),
}
DEADLINE_S = 60.0
Value = float | None


@pytest.fixture
def running(
    kafka: str, dsn: str, topic_prefix: str, spawn: Spawner
) -> Iterator[dict[str, Spawned]]:
    env = {"CITYOPS_GATEWAY": f"http://127.0.0.1:{free_port()}"}
    started = {
        name: spawn(*line, name=name, env=env, deadline_s=None) for name, line in PROCESSES.items()
    }
    for process in started.values():
        process.wait_healthy(DEADLINE_S)
    post(env["CITYOPS_GATEWAY"], dsn)
    sender = producer(kafka, "test")
    put_raw(sender, topic_prefix, 0, b"no frame", [])
    sender.close(timeout=5)
    yield started


def post(gateway: str, dsn: str) -> None:
    """Post readings, the same again, and a request that is refused."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        token = add_key(conn, "test", ["ingest:*"], None)
    now = datetime.now(UTC).isoformat()
    readings = [{"sensor": f"m-{n}", "observed_at": now, "leq_db": 50 + n} for n in range(5)]
    url, headers = f"{gateway}/v1/streams/noise/readings", {"Authorization": f"Bearer {token}"}

    def accepted() -> bool:
        return httpx.post(url, json={"readings": readings}, headers=headers).status_code == 202

    wait_until(accepted, DEADLINE_S, "the gateway knows the key")
    assert accepted()
    refused = httpx.post(url, json={"readings": [{"sensor": "m-1"}]}, headers=headers)
    assert refused.status_code == 422


def scrape(process: Spawned) -> dict[str, Any]:
    """Return our families by name, as Prometheus parses them."""
    text = httpx.get(f"{process.url}/metrics").text
    families = text_string_to_metric_families(text)
    ours = {f.name: f for f in families if f.name.startswith("cityops_")}
    return {name: f for name, f in ours.items() if not name.endswith("_created")}


def value(spawned: Spawned, sample: str, **labels: str) -> Value:
    """Return one sample; None when there is none."""
    for family in scrape(spawned).values():
        for found in family.samples:
            if found.name == sample and labels.items() <= found.labels.items():
                return found.value
    return None


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


def test_every_metric_is_told_and_described(running: dict[str, Spawned]) -> None:
    sink, worker, gateway = running["sink"], running["worker"], running["gateway"]
    expected: list[tuple[Spawned, str, dict[str, str], float]] = [
        (gateway, "cityops_gateway_accepted_total", {"stream": "noise"}, 10),
        (gateway, "cityops_gateway_refused_total", {}, 1),
        (gateway, "cityops_gateway_request_readings_count", {}, 2),
        (sink, "cityops_sink_rows_total", {}, 5),
        (sink, "cityops_sink_duplicates_total", {}, 5),
        (sink, "cityops_sink_dead_letters_total", {"code": "headers"}, 1),
        (worker, "cityops_worker_readings_total", {"result": "accepted"}, 5),
        (worker, "cityops_worker_readings_total", {"result": "duplicates"}, 5),
        (worker, "cityops_worker_poison_total", {"code": "headers"}, 1),
    ]
    for process, sample, labels, least in expected:
        reached = lambda p=process, s=sample, k=labels, n=least: (value(p, s, **k) or 0) >= n  # noqa: E731
        wait_until(reached, DEADLINE_S, f"{sample} {labels} >= {least}")
    positive = {
        "cityops_sink_frames_total": sink,
        "cityops_consumer_bytes_total": sink,
        "cityops_consumer_batch_seconds_sum": sink,
        "cityops_worker_frames_total": worker,
        "cityops_worker_bytes_total": worker,
        "cityops_worker_frame_seconds_sum": worker,
        "cityops_worker_checkpoint_bytes": worker,
        "cityops_worker_checkpoint_age_seconds": worker,
        "cityops_gateway_request_seconds_sum": gateway,
        "cityops_gateway_bytes_total": gateway,
        "cityops_producer_frames_total": gateway,
        "cityops_producer_bytes_total": gateway,
        "cityops_producer_ack_seconds_sum": gateway,
    }
    for sample, process in positive.items():
        wait_until(lambda p=process, s=sample: (value(p, s) or 0) > 0, DEADLINE_S, f"{sample} > 0")
    assert value(sink, "cityops_process_healthy", process="sink") == 1
    wait_until(
        lambda: value(sink, "cityops_process_lag_messages") is not None,
        DEADLINE_S,
        "the sink's lag",
    )
    _are_described(running)


def _are_described(running: dict[str, Spawned]) -> None:
    """A process tells all that the table says of it, and nothing that the table does not know."""
    table = documented()
    known = set().union(*table.values())
    for name, process in running.items():
        told = {(f.name, f.type) for f in scrape(process).values()}
        assert table[name] <= told, name
        assert told <= known, name
        assert ("cityops_process_healthy", "gauge") in told
