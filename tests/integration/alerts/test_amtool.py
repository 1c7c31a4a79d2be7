"""Alertmanager's own command line against our API."""

import json
import subprocess
from pathlib import Path

import msgspec
from psycopg import Connection

from alerts.episodes import apply
from deploy.native import packages
from tests.alerting import Place, of_sensor


def test_amtool_itself_works_against_it(place: Place, conn: Connection, tmp_path: Path) -> None:
    packages.ensure([], extra=["prometheus-alertmanager"])
    pond = "amtool-pond-of-16-and-more"
    t = of_sensor("waterlogging", "ponding", "waterlogging-510104-01", severity=1)
    assert apply(conn, msgspec.structs.replace(t, id="t-amtool", episode=pond))
    client = place.clients["operator"]
    key = client.headers["authorization"].removeprefix("Bearer ")
    config = tmp_path / "http.yml"
    config.write_text(f"authorization: {{ credentials: {key} }}\n")

    def amtool(*words: str) -> str:
        own = [f"--alertmanager.url={client.base_url}", f"--http.config.file={config}"]
        done = subprocess.run(["amtool", *own, *words], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    alerts = json.loads(amtool("alert", "query", "-o", "json", "stream=waterlogging"))
    assert [a["fingerprint"] for a in alerts] == [pond[:16]]
    number = amtool("silence", "add", "-a", "li", "-c", "works", "-d", "1h", "rule=~water.*")
    assert amtool("silence", "query", "-q") == number
    assert amtool("alert", "query", "-o", "json", "stream=waterlogging", "--active") == "[]"
    amtool("silence", "expire", number)
    assert amtool("silence", "query", "-q") == ""
    amtool("alert", "add", "amtool_pump", "severity=critical", "--annotation=summary=hot")
    row = conn.execute(
        "SELECT severity, status FROM episodes WHERE rule = 'external.amtool_pump'"
    ).fetchone()
    assert row == (1, "active")
    assert "amtool_pump" in amtool("alert", "query")
