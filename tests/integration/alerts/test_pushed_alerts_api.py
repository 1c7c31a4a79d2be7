"""Alerts that Grafana and Alertmanager's clients push, over real HTTP and deliveries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from standardwebhooks import Webhook

from alerts.delivery.links import Links
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES, AlertSettings
from alerts.sources.external import RESOLVE_AFTER, expire
from tests.support.alerting import SECRET, Place, Stub, add_receiver, serving
from tests.support.servers import wait_until


@pytest.fixture(scope="module")
def listener(place: Place) -> Iterator[Stub]:
    """A receiver with the delivery process that serves it."""
    with serving() as stub:
        add_receiver(place.dsn, place.folder, stub, "listener")
        place.spawn("alerts", "deliver")
        yield stub


def test_grafanas_webhook_becomes_an_alert_that_is_delivered(
    place: Place, conn: Connection, listener: Stub
) -> None:
    labels = {"alertname": "Pump hot", "severity": "critical", "domain": "water", "rule": "x"}
    alert: dict[str, Any] = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "Pump 3 is at 95 °C"},
        "startsAt": "2026-11-24T08:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "values": {"A": 95},
    }

    def push(path: str = "/incoming/grafana", role: str = "operator", **change: Any) -> Any:
        body = {"version": "1", "orgId": 1, "alerts": [alert | change]}
        return place.call(role, "POST", path, json=body)

    assert push(role="viewer").status_code == 403
    assert push().json() == {"received": 1, "changed": 1, "notes": []}
    again = push("/incoming/alertmanager").json()
    assert again == {"received": 1, "changed": 0, "notes": []}, "the same"
    wait_until(lambda: len(listener.got) == 1, 20.0, "the webhook")
    headers, body = listener.got[0]
    told = Webhook(SECRET).verify(body, headers)
    assert (told["type"], told["data"]["severity"]["level"]) == ("alert.raised", 1)
    assert told["data"]["annotations"]["summary"] == "Pump 3 is at 95 °C"
    (shown,) = place.call("viewer", "GET", "/alerts?domain=water").json()
    assert (shown["rule"], shown["labels"]["origin"]) == ("external.pump_hot", "external")
    row = conn.execute("SELECT title_zh, domain FROM dash.active_alerts()").fetchone()
    assert row == ("Pump 3 is at 95 °C", "water"), "the wall knows it as well"
    push(status="resolved")
    push(status="resolved")
    wait_until(lambda: len(listener.got) == 2, 20.0, "the end")
    kinds = [Webhook(SECRET).verify(b, h)["type"] for h, b in listener.got]
    assert kinds == ["alert.raised", "alert.cleared"]


def test_a_pushed_alert_ends_when_it_is_not_pushed_again(place: Place, conn: Connection) -> None:
    alert = {"labels": {"alertname": "DiskFull", "instance": "db-1"}} | {
        "startsAt": "0001-01-01T00:00:00Z",  # amtool's way to say nothing
        "endsAt": "0001-01-01T00:00:00Z",
    }
    for _ in range(2):
        assert place.call("operator", "POST", "/api/v2/alerts", json=[alert]).status_code == 200
    (shown,) = place.call("viewer", "GET", "/api/v2/alerts?filter=alertname=DiskFull").json()
    assert shown["labels"]["severity"] == "yellow"
    assert shown["startsAt"] > "2026"
    notifier = Notifier(read_routes(DEFAULT_ROUTES), Links(""))
    now = datetime.now(UTC)
    assert expire(conn, notifier, AlertSettings(), now) == 0
    assert expire(conn, notifier, AlertSettings(), now + RESOLVE_AFTER) == 1
    assert place.call("viewer", "GET", "/api/v2/alerts?filter=alertname=DiskFull").json() == []
    ended = {"endsAt": (now - timedelta(seconds=1)).isoformat()}
    place.call("operator", "POST", "/api/v2/alerts", json=[alert])
    place.call("operator", "POST", "/api/v2/alerts", json=[alert | ended])
    assert place.call("viewer", "GET", "/alerts?rule=external.diskfull").json() == []
