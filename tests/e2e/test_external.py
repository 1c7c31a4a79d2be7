"""The platform on servers that somebody else runs: named by address, used, left alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy import supervisor
from deploy.native import kafka as kafka_server
from deploy.native import timescale
from deploy.paths import ROOT, Layout
from deploy.plan import processes
from deploy.process import tail
from tests.servers import outer_environment


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    made = Layout(tmp_path / "state")
    yield made
    for log in sorted(made.logs.glob("*.log")):
        print(f"---- {log.name}\n{tail(log)}")
    supervisor.stop(made)


def deploy(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "deploy", *arguments]
    return subprocess.run(
        line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=170
    )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_addresses_in_the_environment_start_only_our_processes(
    kafka: str, empty_dsn: str, topic_prefix: str, layout: Layout
) -> None:
    given = {
        "CITYOPS_KAFKA": kafka,
        "CITYOPS_DSN": empty_dsn,
        "CITYOPS_TOPIC_PREFIX": topic_prefix,
        "CITYOPS_STATE_DIR": str(layout.state),
    }
    env = outer_environment() | given
    ran = deploy(env, "up", "--detach")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "(external)" in ran.stderr
    ours = {p.name for p in processes()} | {"receiver"}
    assert set(supervisor.states(layout)) == ours
    address = json.loads(layout.env_file.read_text())
    assert (address["CITYOPS_KAFKA"], address["CITYOPS_DSN"]) == (kafka, empty_dsn)
    assert deploy(env, "status").returncode == 0
    with psycopg.connect(empty_dsn) as conn:
        row = conn.execute("SELECT count(*) FROM readings_noise").fetchone()
    assert row and row[0] > 0
    assert deploy(env, "down").returncode == 0
    assert kafka_server.ready(kafka)  # not ours to stop
    assert timescale.ready(empty_dsn)
