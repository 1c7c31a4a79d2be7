"""Alertmanager's own command line, and the requests of Grafana, against our API."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection

from alerts.episode.episodes import apply
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES
from console.alertmanager_config import config_of
from deploy.native import packages
from tests.support.alerting import Place, of_sensor


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

    assert "receiver" in amtool("config", "show")
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


ROUTES = """
fallback = ["duty"]
[route]
receivers = ["*"]
[[route.routes]]
match = { domain = ["water", "grid"], rule = ["*.silent"], severity = ["red"] }
receivers = ["flood-duty", "duty"]
group = { by = ["district"], wait_s = 30, repeat_s = 3600 }
continue = true
[[route.routes.routes]]
match = { district = ["510104"] }
escalate = [{ after_min = 5, to = ["duty"] }]
[[route.routes]]
receivers = []
"""


def test_alertmanager_itself_reads_the_routes_as_its_configuration(tmp_path: Path) -> None:
    """Grafana parses it as YAML by Alertmanager's own rules, and fails on anything else."""
    packages.ensure([], extra=["prometheus-alertmanager"])
    for number, text in enumerate((ROUTES, DEFAULT_ROUTES.read_text())):
        ours = tmp_path / f"{number}.toml"
        ours.write_text(text)
        theirs = tmp_path / f"{number}.yml"
        theirs.write_text(config_of(read_routes(ours)))
        done = subprocess.run(
            ["amtool", "check-config", theirs], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr
    own = json.loads((tmp_path / "0.yml").read_text())
    first = own["route"]["routes"][0]
    assert first["matchers"] == [
        'domain=~"water|grid"',
        'rule=~".*\\\\.silent"',
        'severity="red"',
    ]
    assert (first["receiver"], first["continue"]) == ("flood-duty, duty", True)
    assert first["routes"][0]["matchers"] == ['district="510104"']
    assert own["route"]["routes"][1]["receiver"] == "nobody"


def test_grafanas_data_source_is_answered_as_it_asks(place: Place, conn: Connection) -> None:
    """The requests of Grafana 12 and 13 for the implementation "prometheus", in their order."""
    t = of_sensor("waterlogging", "ponding", "waterlogging-510104-02", severity=1)
    assert apply(conn, msgspec.structs.replace(t, id="t-grafana", episode="grafana-pond"))

    def ask(path: str, role: str = "viewer", method: str = "GET", **more: Any) -> Any:
        answer = place.call(role, method, path, **more)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    for elsewhere in ("/alertmanager/api/v2/status", "/api/v1/status/buildinfo"):
        found = place.call("viewer", "GET", elsewhere, follow_redirects=True)
        assert found.status_code == 404, "else it takes us for Mimir"
    status = ask("/api/v2/status")
    assert {"cluster", "config", "uptime", "versionInfo"} <= status.keys()
    assert json.loads(status["config"]["original"])["route"]["receiver"] == "*"
    query = {"silenced": "true", "active": "true", "inhibited": "true"}
    (group,) = ask("/api/v2/alerts/groups", params=query)
    assert {"labels", "receiver", "alerts"} == group.keys()
    (alert,) = ask("/api/v2/alerts", params=query | {"filter": 'stream="waterlogging"'})
    wanted = {"labels", "annotations", "startsAt", "endsAt", "updatedAt", "fingerprint"}
    assert wanted | {"receivers", "status", "generatorURL"} <= alert.keys()
    assert alert["status"].keys() >= {"state", "silencedBy", "inhibitedBy"}
    assert all(isinstance(value, str) for value in alert["labels"].values())
    now = datetime.now(UTC)
    silence = {
        "matchers": [
            {"name": "stream", "value": "waterlogging", "isEqual": True, "isRegex": False}
        ],
        "startsAt": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "endsAt": (now + timedelta(hours=2)).isoformat(),
        "comment": "created 2026-11-28 10:00",
        "createdBy": "grafana",
    }
    made = ask("/api/v2/silences", "operator", "POST", json=silence)["silenceID"]
    assert [s["id"] for s in ask("/api/v2/silences") if s["status"]["state"] == "active"] == [made]
    assert ask(f"/api/v2/silence/{made}")["comment"] == silence["comment"]
    (hidden,) = ask("/api/v2/alerts", params=query)
    assert hidden["status"]["silencedBy"] == [made]
    ask(f"/api/v2/silence/{made}", "operator", "DELETE")
    assert ask(f"/api/v2/silence/{made}")["status"]["state"] == "expired"
    assert isinstance(ask("/api/v2/receivers"), list)
