"""Receivers over HTTP: console, delivery process and reference receiver are real."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.ports import free_port
from tests.support.alerting import Place
from tests.support.servers import wait_until

URL = "https://duty.example.cn/hook"


def test_a_receiver_is_made_tested_and_replayed(place: Place) -> None:
    port = free_port()
    draft = {"name": "duty", "url": f"http://127.0.0.1:{port}/"}
    made = place.call("admin", "POST", "/receivers", json=draft)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["secret"]
    file = place.folder / "secret"
    file.write_text(secret)
    line = ["alerts", "receiver", "--port", str(port), "--secret-file", str(file), "--json"]
    reference = place.spawn(*line, name="receiver")
    place.spawn("alerts", "deliver")

    def lines() -> list[dict[str, Any]]:
        return [json.loads(x) for x in reference.log.read_text().splitlines() if x[:1] == "{"]

    sent = place.call("operator", "POST", "/receivers/duty/test")
    assert sent.status_code == 202, sent.text
    wait_until(lambda: len(lines()) == 1, 20.0, "the test message")
    assert (lines()[0]["status"], "test.message" in lines()[0]["line"]) == (204, True)

    def page() -> Any:
        return place.call("viewer", "GET", f"/deliveries/{sent.json()['id']}").json()

    wait_until(lambda: page()["delivery"]["state"] == "delivered", 20.0, "noted")
    assert [a["status_code"] for a in page()["attempts"]] == [204]
    again = place.call("operator", "POST", f"/deliveries/{sent.json()['id']}/replay")
    assert again.status_code == 202
    wait_until(lambda: len(lines()) == 2, 20.0, "the same again")
    assert "(repeat)" in lines()[1]["line"], "the receiver knows it by its id"
    span = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    stretch = place.call("operator", "POST", "/receivers/duty/replay", json=span)
    assert stretch.json() == {"count": 1}
    wait_until(lambda: len(lines()) == 3, 20.0, "and again")

    rotated = place.call("admin", "POST", "/receivers/duty/rotate").json()["secret"]
    assert rotated != secret
    place.call("operator", "POST", "/receivers/duty/test")
    wait_until(lambda: len(lines()) == 4, 20.0, "signed with both secrets")
    assert lines()[3]["status"] == 204, "the old secret still verifies"
    everything = place.call("viewer", "GET", "/receivers").text + json.dumps(
        [entry.model_dump(mode="json") for entry in place.audits("receiver")]
    )
    assert "whsec" not in everything
    assert secret[6:] not in everything
    wants = {"receiver.create", "receiver.test", "receiver.rotate", "receiver.replay"}
    assert {e.what for e in place.audits("duty")} >= wants
    gone = place.call("admin", "DELETE", "/receivers/duty")
    assert gone.status_code == 204
    assert place.call("viewer", "GET", "/receivers/duty").status_code == 404
    assert place.audits("duty")[0].what == "receiver.remove"


def test_each_role_may_do_its_own_part(place: Place) -> None:
    with_name = {"name": "roles", "url": URL}
    acts = [
        ("POST", "/receivers", with_name, "admin", 201),
        ("GET", "/receivers/roles", None, "viewer", 200),
        ("PATCH", "/receivers/roles", {"min_severity": 2}, "admin", 200),
        ("POST", "/receivers/roles/rotate", None, "admin", 200),
        ("POST", "/receivers/roles/test", None, "operator", 202),
        ("GET", "/deliveries", None, "viewer", 200),
        ("DELETE", "/receivers/roles", None, "admin", 204),
    ]
    order = ["viewer", "operator", "admin"]
    for method, path, body, needed, status in acts:
        for role in order[: order.index(needed)]:
            assert place.call(role, method, path, json=body).status_code == 403, (role, path)
        answer = place.call(needed, method, path, json=body)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "https://evil.example/"}, "body.url"),
        ({"url": "http://duty.example.cn/"}, "body.url"),
        ({"url": "http://127.0.0.1:{database}/"}, "body.url"),
        ({"url": "http://169.254.169.254/"}, "body.url"),
        ({"domains": ["wather"]}, "body.domains"),
        ({"min_severity": 5}, "body.min_severity"),
        ({"secret": "hunter2"}, "body.secret"),
        ({"secret_file": "/etc/passwd"}, "body.secret_file"),
        ({"name": "No Name"}, "body.name"),
    ],
)
def test_what_is_wrong_names_its_field(place: Place, change: dict[str, Any], field: str) -> None:
    port = conninfo_to_dict(place.dsn)["port"]
    change = {k: v.format(database=port) if k == "url" else v for k, v in change.items()}
    answer = place.call("admin", "POST", "/receivers", json={"name": "x", "url": URL} | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert "hunter2" not in answer.text
    assert place.call("viewer", "GET", "/receivers/x").status_code == 404


def test_a_receiver_is_changed_switched_off_and_protected(place: Place) -> None:
    def send(method: str, path: str, **body: Any) -> httpx.Response:
        return place.call("admin", method, path, json=body or None)

    assert send("POST", "/receivers", name="one", url=URL).status_code == 201
    twice = send("POST", "/receivers", name="one", url=URL + "/2")
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:cityops:conflict")
    changed = send("PATCH", "/receivers/one", domains=["water"], enabled=False).json()
    assert (changed["domains"], changed["enabled"], changed["url"]) == (["water"], False, URL)
    assert send("POST", "/receivers/one/test").status_code == 409, "off: nothing new is owed"
    away = send("PATCH", "/receivers/one", url="https://evil.example/")
    assert away.json()["errors"][0]["field"] == "body.url"
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        conn.execute("UPDATE receivers SET origin = 'file' WHERE name = 'one'")
    assert send("PATCH", "/receivers/one", min_severity=1).status_code == 409
    assert send("DELETE", "/receivers/one").status_code == 409
    assert send("PATCH", "/receivers/one", enabled=True).json()["enabled"] is True
    assert send("PATCH", "/receivers/none", enabled=True).status_code == 404
