"""The platform on servers that somebody else runs, with a Grafana beside it.

Given servers are used and left alone; a stream declared later is taken in by a reload. The Grafana
is the stand-in of `tests/support/grafana_archive.py`.
"""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from catalog.scaffold import new_stream
from deploy import supervisor
from deploy.grafana_fetch import unpack
from deploy.native import kafka as kafka_server
from deploy.native import timescale
from deploy.paths import ROOT, Layout
from deploy.plan import processes
from deploy.process import tail
from tests.support.grafana_archive import archive
from tests.support.servers import OwnServers, outer_environment, wait_until


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
        line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=400
    )


def stored(dsn: str, stream: str) -> int:
    """Return how many readings of a stream are in its table."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(f"SELECT count(*) FROM readings_{stream}".encode()).fetchone()
    return row[0] if row else 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_given_servers_a_grafana_that_is_here_and_a_stream_that_comes_later(
    kafka: str, topic_prefix: str, own_servers: OwnServers, layout: Layout, tmp_path: Path
) -> None:
    streams = tmp_path / "streams"
    streams.mkdir()
    dsn = own_servers.start_database()  # role grafana_ro gets a password, which a server shares
    given = {
        "CITYOPS_RUNTIME": "external",
        "CITYOPS_KAFKA": kafka,
        "CITYOPS_DSN": dsn,
        "CITYOPS_TOPIC_PREFIX": topic_prefix,
        "CITYOPS_STATE_DIR": str(layout.state),
        "CITYOPS_PORTS": "any",
        "CITYOPS_STREAMS_PATH": str(streams),
    }
    env = outer_environment() | given
    layout.grafana_home.mkdir(parents=True)
    unpack(io.BytesIO(archive()), layout.grafana_home)
    ran = deploy(env, "up", "--detach")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "(external)" in ran.stderr
    ours = {p.name for p in processes()} | {"receiver", "grafana"}
    assert set(supervisor.states(layout)) == ours
    address = json.loads(layout.env_file.read_text())
    assert (address["CITYOPS_KAFKA"], address["CITYOPS_DSN"]) == (kafka, dsn)
    _look_at_grafana(layout, address["CITYOPS_GRAFANA"])
    _has_an_account_for_the_wall(layout)
    status = deploy(env, "status")
    assert status.returncode == 0, status.stdout
    assert {line.split()[0] for line in status.stdout.splitlines() if "✓" in line} == ours | {
        "kafka",
        "postgres",
    }
    assert stored(dsn, "noise")
    new_stream("noise_site", "environment", streams)
    ran = deploy(env, "reload")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert set(supervisor.states(layout)) == ours
    wait_until(lambda: stored(dsn, "noise_site"), 60.0, "readings of the new stream")
    assert (layout.grafana_site / "dashboards/zh/cityops-stream-noise-site.json").exists()
    assert deploy(env, "down").returncode == 0
    assert kafka_server.ready(kafka)  # not ours to stop
    assert timescale.ready(dsn)


def _look_at_grafana(layout: Layout, url: str) -> None:
    """It answers on loopback, reads schema dash, has our dashboards and none of our secrets."""
    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{url}/api/health").json()["database"] == "ok"
    assert len(list((layout.grafana_site / "dashboards" / "zh").glob("*.json"))) >= 20
    pid = supervisor.states(layout)["grafana"]["pid"]
    told = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    (key,) = [entry.partition(b"=")[2].decode() for entry in told if b"CITYOPS_API_KEY" in entry]
    assert not [entry for entry in told if b"CITYOPS_DSN" in entry and b"postgresql" in entry]
    _report_as_grafana(layout, key)


def _has_an_account_for_the_wall(layout: Layout) -> None:
    """Nobody looks anonymously: the start has made an account that may look."""
    asked = json.loads((layout.grafana_site / "asked.json").read_text())
    made = [json.loads(body) for verb, path, body in asked if path == "/api/admin/users"]
    password = (layout.grafana_site / "secrets" / "wall-password").read_text()
    assert [(one["login"], one["password"]) for one in made] == [("wall", password)]
    assert ["PATCH", "/api/org/users/2", '{"role":"Viewer"}'] in asked


def _report_as_grafana(layout: Layout, key: str) -> None:
    """The key Grafana was told opens the console's door for its notifications, and no other."""
    address = json.loads(layout.env_file.read_text())
    bearer = {"Authorization": f"Bearer {key}"}
    url = f"{address['CITYOPS_CONSOLE']}/api/v1/incoming/grafana"
    assert httpx.post(url, json={"alerts": []}, timeout=10).status_code == 401
    assert httpx.post(url, json={"alerts": []}, headers=bearer, timeout=10).status_code < 300
    gateway = f"{address['CITYOPS_GATEWAY']}/v1/streams/noise/readings"
    assert httpx.post(gateway, json={"readings": []}, headers=bearer, timeout=10).status_code == 403
