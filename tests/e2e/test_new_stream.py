"""A scaffolded stream, no other file touched, goes from the gateway to rows, windows, alerts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from kafka.structs import TopicPartition

from catalog.contracts import decode_transition
from catalog.scaffold import new_stream
from catalog.topics import PARTITIONS, transitions_topic
from dashboards.expand import View, panel_queries
from deploy.ports import free_port
from service.kafka import consumer
from storage.api_keys import add_key
from tests.support.servers import Spawner, wait_until

NAME = "noise_site"
SENSOR = "noise-site-510104-01"
SYSTEM = """
from catalog.model import text
from catalog.system import System

SYSTEM = System(name="heating", title=text("城市供热", "Heating"), icon="thermostat")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a whole system outside the tree, with one stream."""
    made = tmp_path / "heating"
    (made / "streams").mkdir(parents=True)
    (made / "system.py").write_text(SYSTEM)
    file = new_stream(NAME, "environment", made / "streams")
    file.write_text(file.read_text().replace('domain="environment"', 'domain="heating"'))
    return made


def kinds(kafka: str, prefix: str) -> Iterator[str]:
    reader = consumer(kafka, "test", "test")
    parts = [TopicPartition(transitions_topic(prefix), p) for p in range(PARTITIONS)]
    try:
        reader.assign(parts)
        reader.seek_to_beginning(*parts)
        for records in reader.poll(timeout_ms=2000).values():
            for record in records:
                transition = decode_transition(record.value)
                if transition.sensor == SENSOR:
                    yield transition.kind
    finally:
        reader.close()


@pytest.mark.slow
def test_one_file_makes_a_stream(
    kafka: str, empty_dsn: str, topic_prefix: str, spawn: Spawner, folder: Path
) -> None:
    gateway = f"http://127.0.0.1:{free_port()}"
    env = {
        "CITYOPS_SYSTEMS_PATH": str(folder),
        "CITYOPS_DSN": empty_dsn,
        "CITYOPS_GATEWAY": gateway,
    }
    assert (
        spawn("catalog", "check-streams", NAME, env=env, deadline_s=None).child.handle.wait(30) == 0
    )
    assert spawn("storage", "migrate", env=env, deadline_s=None).child.handle.wait(60) == 0
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        key = add_key(conn, "test", ["ingest:*"])
    spawn("storage", "sink", env=env)
    spawn("streams", "worker", env=env, deadline_s=60.0)
    spawn("ingest", "gateway", env=env)

    start = datetime.now(UTC) - timedelta(minutes=3)
    readings = [
        {"sensor": SENSOR, "observed_at": (start + timedelta(seconds=s)).isoformat(), "level": 95}
        for s in range(0, 120, 20)
    ]
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{gateway}/v1/streams/{NAME}/readings"

    def posted() -> bool:
        answer = httpx.post(url, json={"readings": readings}, headers=headers, timeout=30)
        return answer.status_code == 202

    wait_until(posted, 30.0, "readings accepted")

    def rows(query: str) -> int:
        with psycopg.connect(empty_dsn) as conn:
            found = conn.execute(query.encode()).fetchone()
        return found[0] if found else 0

    wait_until(lambda: rows("SELECT count(*) FROM readings_noise_site") == 6, 30.0, "rows")
    query = "SELECT coalesce(sum(level_good), 0) FROM aggregates_noise_site"
    wait_until(lambda: rows(query) == 6, 40.0, "windows")
    wait_until(lambda: "raised" in set(kinds(kafka, topic_prefix)), 30.0, "the alert", 0.5)

    out = folder.parent / "grafana"
    made = spawn("dashboards", "provision", "--out", str(out), env=env, deadline_s=None)
    assert made.child.handle.wait(60) == 0
    board = json.loads((out / "dashboards/zh/cityops-stream-noise-site.json").read_text())
    view = View(start - timedelta(hours=1), datetime.now(UTC))
    shown: dict[str, list[tuple[Any, ...]]] = {}
    with psycopg.connect(empty_dsn) as conn:
        conn.execute("SET ROLE grafana_ro")
        for one in panel_queries(board, view):
            shown.setdefault(one.panel, []).extend(conn.execute(one.sql.encode()))
    # the panel of the new metric shows what was sent
    assert 95 in {value for row in shown["测量值（dB(A)）"] for value in row}
    empty = {panel for panel, rows in shown.items() if not rows}
    # no alerts process here, no battery sent, nothing planned, nothing late
    notes = {"annotation " + name for name in ("告警", "事件", "检修与告警屏蔽", "窗口修订")}
    assert empty - notes == {"未解除告警列表", "电池电压（V）"}
