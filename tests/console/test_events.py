"""Live changes as server-sent events, without a gap after a break."""

import json
from typing import Any

import httpx
import psycopg

from alerts.incident.care import comment_incident
from alerts.incident.course import note
from alerts.wake import wake_screens
from tests.console.conftest import Place, ok

POND = "/streams/waterlogging"


def transition(
    conn: psycopg.Connection,
    episode: str,
    kind: str,
    severity: int = 2,
    rule: str = "waterlogging.ponding",
) -> None:
    conn.execute(
        "INSERT INTO transitions (id, episode, rule, stream, sensor, kind, severity, metric, value,"
        " threshold, observed_at, produced_at) VALUES (%s, %s, %s, %s, 'pond-jinxin', %s, %s,"
        " 'depth_m', 0.28, 0.27, now(), now())",
        [f"{episode}-{kind}", episode, rule, rule.split(".")[0], kind, severity],
    )


class Listener:
    """Reads server-sent events one by one."""

    def __init__(self, api: httpx.Client, last: str = "", **filters: str) -> None:
        headers = {"Last-Event-ID": last} if last else {}
        self._manager = api.stream("GET", "/events", params=filters, headers=headers)
        self._answer = self._manager.__enter__()
        assert self._answer.status_code == 200
        self._lines = self._answer.iter_lines()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *error: object) -> None:
        self._manager.__exit__(None, None, None)

    def next(self, *kinds: str) -> dict[str, Any]:
        """Return the next event of these kinds."""
        while True:
            event: dict[str, Any] = {}
            for line in self._lines:
                if not line:
                    break
                name, _, value = line.partition(": ")
                event[name] = value
            if event.get("event") in kinds:
                return {"event": event["event"], "id": event["id"], **json.loads(event["data"])}


def test_a_raised_alert_reaches_a_listener_who_can_go_on_after_a_break(
    api: httpx.Client, conn: psycopg.Connection
) -> None:
    with Listener(api, kind="alert", domain="water") as ear:
        first = ear.next("beat")
        assert first["trouble"] == ""
        transition(conn, "sse-1", "raised")
        heard = ear.next("alert")
        assert (heard["episode"], heard["kind"], heard["unit"]) == ("sse-1", "raised", "m")
        assert heard["district"] == "510104"
    transition(conn, "sse-1", "changed", 1)
    transition(conn, "sse-1", "cleared", 1)
    with Listener(api, heard["id"], kind="alert", domain="water") as ear:
        assert [ear.next("alert")["kind"] for _ in range(2)] == ["changed", "cleared"]


def test_filters_keep_other_domains_away(api: httpx.Client, conn: psycopg.Connection) -> None:
    with Listener(api, kind="alert", domain="grid") as grid, Listener(api, kind="alert") as every:
        every.next("beat")
        grid.next("beat")
        transition(conn, "sse-2", "raised")
        assert every.next("alert")["episode"] == "sse-2"
        transition(conn, "sse-grid", "raised", rule="feeder.trip")
        assert grid.next("alert")["episode"] == "sse-grid", "the first one it hears"


def test_an_incident_is_told_step_by_step_with_its_evidence(
    api: httpx.Client, conn: psycopg.Connection
) -> None:
    with Listener(api, kind="incident", domain="water") as ear:
        ear.next("beat")
        conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " raised_at, changed_at) SELECT 'sse-pond-' || n, 'waterlogging.ponding',"
            " 'waterlogging', 'sse-' || n, 'active', 2, 2, now(), now()"
            " FROM generate_series(1, 2) n"
        )
        with conn.transaction():
            conn.execute(
                "INSERT INTO incidents (id, kind, status, severity, peak_severity, root_episode,"
                " root_sensor, district, opened_at, newest_at, changed_at) VALUES ('sse-inc',"
                " 'waterlogging', 'candidate', 3, 3, 'sse-pond-1', 'sse-1', '510104', now(),"
                " now(), now())"
            )
            conn.execute(
                "INSERT INTO incident_members VALUES"
                " ('sse-pond-1', 'sse-inc', 'trigger', false, now())"
            )
            note(conn, "sse-inc", "cityops", "opened", "sse-pond-1")
            wake_screens(conn)
        heard = ear.next("incident")
        assert (heard["incident"], heard["act"], heard["kind"]) == (
            "sse-inc",
            "opened",
            "waterlogging",
        )
        assert (heard["title"]["zh"], heard["status"]) == ("城市内涝", "candidate")
        conn.execute(
            "INSERT INTO incident_members VALUES ('sse-pond-2', 'sse-inc', 'trigger', false, now())"
        )
        grown = ear.next("incident")
        assert (grown["act"], grown["alerts"], grown["firing"]) == ("evidence", 2, 2)
        comment_incident(conn, "sse-inc", "li", "two pumps")
    with Listener(api, grown["id"], kind="incident") as ear:
        again = ear.next("incident")
        assert (again["act"], again["who"], again["note"]) == ("comment", "li", "two pumps")
    conn.execute("UPDATE incidents SET status = 'resolved', resolved_at = now()")
    conn.execute("UPDATE episodes SET status = 'cleared', cleared_at = now() WHERE id ~ '^sse-'")


def test_a_listener_from_before_is_told_to_read_anew(api: httpx.Client) -> None:
    with Listener(api, "0badcafe-12") as ear:
        told = ear.next("reset", "alert", "state")
        assert (told["event"], told["read"]) == ("reset", ["alerts", "incidents", "sensors"])


def test_a_sensor_that_falls_silent_is_told(api: httpx.Client, conn: psycopg.Connection) -> None:
    with Listener(api, kind="state", stream="waterlogging") as ear:
        ear.next("beat")
        conn.execute(
            "UPDATE sensor_last SET observed_at = now() - interval '1 hour'"
            " WHERE sensor = 'pond-shangmao'"
        )
        told = ear.next("state")
        assert (told["sensor"], told["previous"], told["state"]) == (
            "pond-shangmao",
            "normal",
            "stale",
        )


def test_events_need_a_key_and_the_schema_has_examples(place: Place, api: httpx.Client) -> None:
    assert httpx.get(f"{place.url}/api/v1/events").status_code == 401
    schema = ok(api.get("/openapi.json"))
    for path in ("/sensors", "/streams", "/streams/{stream}/series", "/events"):
        assert f"/api/v1{path}" in schema["paths"]
    assert schema["components"]["schemas"]["Series"]["examples"]
