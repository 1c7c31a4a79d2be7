"""A system outside the tree, from POST to webhook and dashboard: nothing else touched (§9)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import psycopg
import pytest
from standardwebhooks import Webhook

from alerts.sources.records import subscribe
from catalog.registry import streams
from catalog.topics import all_topics
from dashboards.expand import View, panel_queries
from dashboards.record_texts import TEXTS as RECORDS
from dashboards.texts import pick
from deploy.ports import free_port
from deploy.wait import wait_until
from service.kafka import ensure_topics
from storage.api_keys import add_key
from tests.support.alerting import SECRET, Stub, add_receiver, serving
from tests.support.repair import write_system
from tests.support.servers import Spawner, outer_environment

LAMP = {"what": "lamp", "text": "dark", "lon": 104.066, "lat": 30.657}
PUMP = {"what": "pump", "text": "leaks"}
ROUTES = """
[route]
receivers = ["duty"]
[[route.routes]]
match = { rule = ["repair.overdue_*"] }
receivers = ["duty"]
escalate = [{ after_min = 0.01, to = ["chief"] }]
"""


@dataclass
class City:
    """The running processes, seen from outside."""

    dsn: str
    boards: Path
    clients: dict[str, httpx.Client]
    duty: Stub
    chief: Stub

    def call(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        return self.clients[who].request(method, f"/api/v1{path}", **more)

    def move(self, who: str, id: int, move: str, **body: Any) -> httpx.Response:
        return self.call(who, "POST", f"/records/repair/{id}/{move}", json=body)


@pytest.fixture
def city(
    dsn: str, kafka: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[City]:
    system = write_system(tmp_path / "elsewhere")
    file = system / "records" / "repair.py"
    seconds = 'Limit(amount=0.0003, unit="urgent_hours")'  # about one
    file.write_text(file.read_text().replace('Limit(amount=4, unit="urgent_hours")', seconds))
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    url = f"http://127.0.0.1:{free_port()}"
    base = {
        "CITYOPS_SYSTEMS_PATH": str(system),
        "CITYOPS_DSN": dsn,
        "CITYOPS_KAFKA": kafka,
        "CITYOPS_TOPIC_PREFIX": topic_prefix,
        "CITYOPS_CONSOLE": url,
        "CITYOPS_ROUTES_FILE": str(routes),
        "CITYOPS_STATE_DIR": str(tmp_path),
    }
    boards = tmp_path / "boards"
    for line in (("storage", "migrate"), ("dashboards", "build", "--out", str(boards))):
        subprocess.run(  # as every start does
            [sys.executable, "-m", *line], env=outer_environment() | base, check=True, timeout=120
        )
    clients: dict[str, httpx.Client] = {}
    ensure_topics(kafka, all_topics(topic_prefix, tuple(streams())))
    with serving() as duty, serving() as chief, psycopg.connect(dsn, autocommit=True) as conn:
        add_receiver(dsn, tmp_path, duty, "duty")
        add_receiver(dsn, tmp_path, chief, "chief")
        subscribe(conn, "duty", ["repair.*"])
        for name, role in (("anna", "operator"), ("boss", "admin"), ("guest", "viewer")):
            bearer = {"Authorization": f"Bearer {add_key(conn, name, [f'api:{role}'])}"}
            clients[name] = httpx.Client(base_url=url, headers=bearer, timeout=30)
        with Spawner(tmp_path, base).stopping() as spawn:
            for line in (("records", "run"), ("alerts", "engine"), ("alerts", "deliver")):
                spawn(*line, deadline_s=60.0)
            spawn("console", name="console", deadline_s=60.0)
            yield City(dsn, boards, clients, duty, chief)
    for client in clients.values():
        client.close()


def received(stub: Stub) -> list[dict[str, Any]]:
    """Return what came, each with a signature that holds."""
    return [Webhook(SECRET).verify(body, headers) for headers, body in list(stub.got)]


@pytest.mark.slow
def test_from_post_to_list_move_overdue_webhook_kpi_and_dashboard(city: City) -> None:
    openapi = city.call("guest", "GET", "/openapi.json").json()
    assert "/api/v1/records/repair/{id}/give" in openapi["paths"]

    made = city.call("anna", "POST", "/records/repair", json={"fields": PUMP, "key": "p1"})
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    again = city.call("anna", "POST", "/records/repair", json={"fields": PUMP, "key": "p1"})
    assert (again.json()["id"], again.json()["repeated"]) == (id, True)
    listed = city.call("guest", "GET", "/records/repair", params={"field.what": "pump"})
    assert [row["id"] for row in listed.json()] == [id]
    assert listed.headers["X-Total-Count"] == "1"

    assert city.move("guest", id, "give", args={"firm": "north"}).status_code == 403
    assert city.move("anna", id, "mend").status_code == 409
    assert city.move("anna", id, "give").status_code == 422
    assert city.move("anna", id, "give", args={"firm": "east"}).status_code == 422
    assert city.move("anna", 999, "give", args={"firm": "north"}).status_code == 404
    done = city.move("anna", id, "give", args={"firm": "north"}, expected_state="new")
    assert (done.status_code, done.json()["state"]) == (200, "given")

    wait_until(lambda: "escalated" in _kinds(city.chief), 30.0, "the escalation of the overdue")
    board = _board(city)
    wait_until(lambda: _state(city) == "given", 30.0, "the pump of the repair")
    assert board["r.states"][1][:3] == ("已派", 1, 1)  # given: one open, overdue
    assert board["r.queue"][0][:3] == (f"repair-{id}", "泵 · leaks", "已派")
    page = city.call("guest", "GET", f"/records/repair/{id}").json()
    assert page["record"]["overdue"] is True
    assert [entry["move"] for entry in page["log"]][:2] == ["open", "give"]
    assert city.move("anna", id, "mend", args={"hours": 1.5}).status_code == 200
    assert city.move("anna", id, "close", reason="mended").status_code == 200

    told = ("repair.open", "repair.give", "repair.overdue", "repair.mend", "repair.close")
    wait_until(lambda: set(told) <= _types(city.duty), 30.0, "every step's webhook")
    wait_until(lambda: "alert.cleared" in _types(city.duty), 30.0, "the end of the alert")
    schema = city.call("guest", "GET", "/records/repair/schema").json()
    steps = [b for b in received(city.duty) if b["type"].startswith("repair.")]
    for body in steps:
        jsonschema.validate(body, schema, cls=jsonschema.Draft202012Validator)
    versions = [body["data"]["version"] for body in steps]
    assert versions == sorted(versions)

    now = datetime.now(UTC)
    span = {"since": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat()}
    kpis = city.call("guest", "GET", "/records/repair/kpi", params=span).json()
    found = {k["kpi"]: (k["numerator"], k["denominator"], k["value"]) for k in kpis}
    assert found["in_time"] == (0, 1, 0.0)
    assert found["rework"] == (0, 1, 0.0)
    assert found["score"] == (None, None, 10.0)
    late = {**span, "met": "false"}
    counted = city.call("guest", "GET", "/records/repair/kpi/in_time/records", params=late)
    assert counted.json() == [id]
    shares = {row[0]: row[1:5] for row in _board(city)["r.kpis"]}
    assert shares == {
        "按期修复率": (0, 1, 0.0, None),
        "返工率": (0, 1, 0.0, None),
        "得分": (None, None, None, 10.0),
    }
    assert not _board(city)["r.queue"]
    wait_until(lambda: _state(city) == "ok", 30.0, "the pump in order")
    _bulk_files_and_map(city)


def _state(city: City) -> str:
    """Return the state of the one thing that the outside system places."""
    return city.call("guest", "GET", "/things/machine/pump").json()["thing"]["state"]


def _board(city: City) -> dict[str, list[tuple[Any, ...]]]:
    """Return what each panel of the outside record's dashboard is told, by its key."""
    file = city.boards / "dashboards" / "zh" / "cityops-record-repair.json"
    now = datetime.now(UTC) + timedelta(seconds=1)
    view = View(now - timedelta(hours=1), now)
    titles = {pick(words, "zh"): key for key, words in RECORDS.items() if key.startswith("r.")}
    with psycopg.connect(city.dsn) as conn:
        conn.execute("SET LOCAL ROLE grafana_ro")
        return {
            titles[query.panel]: conn.execute(query.sql.encode()).fetchall()
            for query in panel_queries(json.loads(file.read_text()), view)
            if query.kind == "table"
        }


def _bulk_files_and_map(city: City) -> None:
    ids = [
        city.call("anna", "POST", "/records/repair", json={"fields": LAMP}).json()["id"]
        for _ in range(2)
    ]
    path = f"/records/repair/bulk/give?ids={ids[0]},{ids[1]},999"
    bulk = city.call("anna", "POST", path, json={"args": {"firm": "south"}}).json()
    assert [(one["id"], one["state"]) for one in bulk] == [
        (ids[0], "given"),
        (ids[1], "given"),
        (999, None),
    ]
    photo = b"\xff\xd8\xff" + b"x" * 2000
    kept = city.call(
        "anna",
        "POST",
        "/records/repair/attachments?name=before.jpg",
        content=photo,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert kept.status_code == 201, kept.text
    file = kept.json()["id"]
    assert city.move("anna", ids[0], "mend", args={"photos": [file]}).status_code == 200
    assert city.move("anna", ids[1], "mend", args={"photos": [file]}).status_code == 422
    assert city.call("guest", "GET", f"/attachments/{file}").content == photo
    script = city.call(
        "anna",
        "POST",
        "/records/repair/attachments",
        content=b"<script>",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert script.status_code == 422
    layer = city.call("guest", "GET", "/records/repair/map").json()
    assert {f["id"] for f in layer["features"]} == set(ids)
    sheet = city.call("guest", "GET", "/records/repair.csv").text
    assert sheet.splitlines()[0].startswith("id,state,opened_at")
    board = city.call("guest", "GET", "/records/repair/states").json()
    assert {s["state"]: s["open"] for s in board} == {
        "new": 0,
        "given": 1,
        "waiting": 0,
        "done": 1,
    }
    undone = city.call("anna", "POST", f"/records/repair/{ids[1]}/undo")
    assert (undone.status_code, undone.json()["state"]) == (200, "new")


def _types(stub: Stub) -> set[str]:
    return {body["type"] for body in received(stub)}


def _kinds(stub: Stub) -> set[str]:
    return {json.loads(body)["type"].rpartition(".")[2] for _, body in list(stub.got)}
