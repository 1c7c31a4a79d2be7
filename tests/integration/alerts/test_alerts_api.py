"""Alerts, silences, incidents and Alertmanager's API over real HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from psycopg import Connection

from alerts.delivery.links import Links
from alerts.episode.episodes import apply
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import DEFAULT_ROUTES, AlertSettings
from alerts.sources.dispatch import settle
from tests.support.alerting import Place, add_users, of_sensor

SILENCE = {"matchers": [{"name": "district", "value": "510104"}], "reason": "works"}


def raise_two(conn: Connection) -> tuple[str, str]:
    """Raise a red alert in 510104 and an orange one in 510105."""
    pond = of_sensor("waterlogging", "ponding", "waterlogging-510104-01", severity=1)
    trip = of_sensor("feeder", "trip", "feeder-510105-01", severity=2)
    stamp = f"{datetime.now(UTC).timestamp():.6f}"
    made = []
    for t in (pond, trip):
        own = {"id": f"t{stamp}-{t.sensor}", "episode": f"e{stamp}-{t.sensor}"}
        named = msgspec.structs.replace(t, **own)
        assert apply(conn, named)
        made.append(named.episode)
    return made[0], made[1]


def span(**until: float) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"starts_at": now.isoformat(), "ends_at": (now + timedelta(**until)).isoformat()}


def test_what_is_not_there_is_said_as_a_problem_that_names_it(place: Place) -> None:
    for path in (
        "/alerts?stream=nope",
        "/episodes?stream=noise&stream=nope",
        "/transitions?stream=nope",
    ):
        refused = place.call("viewer", "GET", path)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "query.stream")
    for stream in ("noise", "platform", "external"):
        assert place.call("viewer", "GET", f"/alerts?stream={stream}").status_code == 200
    for path, status in (("/nope", 404), ("/alerts/x/y/z", 404), ("/api/nope", 404)):
        for method in ("GET", "POST"):
            gone = place.call("viewer", method, path)
            assert (gone.status_code, gone.json()["status"]) == (status, status)
            assert gone.headers["content-type"] == "application/problem+json"
    other = place.call("viewer", "DELETE", "/alerts")
    assert (other.status_code, other.json()["detail"]) == (405, "v1/alerts knows no DELETE")


def test_alerts_are_found_and_cared_for_by_api(place: Place, conn: Connection) -> None:
    add_users(conn, "wang")
    pond, trip = raise_two(conn)

    def ids(query: str) -> list[str]:
        return [a["id"] for a in place.call("viewer", "GET", f"/alerts?{query}").json()]

    assert ids("") == [pond, trip], "worst first"
    assert ids("domain=water") == ids("district=510104") == ids("severity=1") == [pond]
    assert place.call("viewer", "GET", "/alerts?colour=red").status_code == 422
    for act, body in {
        "assign": {"to": "wang"},
        "comment": {"text": "pump runs"},
        "shelve": {"minutes": 30, "reason": "known"},
        "unshelve": None,
        "ack": {"note": "on it"},
        "unack": None,
    }.items():
        path = f"/alerts/{pond}/{act}"
        assert place.call("viewer", "POST", path, json=body).status_code == 403
        done = place.call("operator", "POST", path, json=body)
        assert done.status_code == 204, done.text
        assert place.audits(f"alert.{act}")[0].target == pond
    page = place.call("viewer", "GET", f"/alerts/{pond}").json()
    acts = ["assign", "comment", "shelve", "unshelve", "ack", "unack"]
    assert [a["act"] for a in page["acts"]] == acts
    assert (page["alert"]["assignee"], page["alert"]["acked_by"]) == ("wang", None)
    nobody = place.call("operator", "POST", f"/alerts/{pond}/assign", json={"to": "no-such"})
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "body.to")
    for act in ("unshelve", "unack"):
        refused = place.call("operator", "POST", f"/alerts/{pond}/{act}")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:cityops:conflict")
    for note in ("first", "second"):
        path = f"/alerts/{pond}/ack"
        assert place.call("operator", "POST", path, json={"note": note}).status_code == 204
    page = place.call("viewer", "GET", f"/alerts/{pond}").json()
    assert (page["alert"]["ack_note"], [a["act"] for a in page["acts"]]) == (
        "first",
        [*acts, "ack"],
    )
    notes = [e.detail["note"] for e in place.audits("alert.ack") if e.target == pond]
    assert notes == ["first", "on it"], "a second acknowledgement is none, in the audit log either"
    place.call("operator", "POST", f"/alerts/{pond}/unack")
    assert [t["kind"] for t in page["transitions"]] == ["raised"]
    bulk = place.call("operator", "POST", "/alerts/ack", json={"ids": [pond, "none"]})
    assert (bulk.status_code, ids("acknowledged=true")) == (404, []), "all or none"
    bulk = place.call("operator", "POST", "/alerts/ack", json={"ids": [pond, trip]})
    assert (bulk.status_code, len(ids("acknowledged=true"))) == (204, 2)
    changes = place.call("viewer", "GET", f"/transitions?episode={pond}").json()
    assert [(c["kind"], c["stream"]) for c in changes] == [("raised", "waterlogging")]
    conn.execute("UPDATE episodes SET cleared_at = now(), status = 'cleared'")
    assert ids("") == []
    past = place.call("viewer", "GET", "/episodes?domain=water").json()
    assert pond in [e["id"] for e in past]


def test_an_alert_in_doubt_is_judged_and_comes_again_under_an_address(
    place: Place, conn: Connection
) -> None:
    doubt: dict[str, Any] = {"confidence": "unconfirmed", "reason": "rate", "episode": "doubted"}
    lone = of_sensor("waterlogging", "ponding", "waterlogging-510107-01", **doubt)
    assert apply(conn, lone)
    at, said = "/alerts/doubted", {"note": "dry"}
    assert place.call("viewer", "POST", f"{at}/withdraw", json=said).status_code == 403
    assert place.call("operator", "POST", f"{at}/withdraw", json={"note": ""}).status_code == 422
    assert place.call("operator", "POST", f"{at}/withdraw", json=said).status_code == 204
    assert place.call("operator", "POST", f"{at}/confirm", json=said).status_code == 409
    sure = msgspec.structs.replace(
        lone, id="borne-out", kind="confirmed", confidence="confirmed", reason=""
    )
    assert apply(conn, sure)
    found = place.call("viewer", "GET", f"{at}.1").json()["alert"]
    assert (found["status"], found["confidence"]) == ("active", "confirmed")
    assert [e.target for e in place.audits("alert.withdraw")] == ["doubted"]


def test_a_silence_is_previewed_set_and_expired(place: Place, conn: Connection) -> None:
    pond, _ = raise_two(conn)
    matchers = {"matchers": SILENCE["matchers"]}
    shown = place.call("viewer", "POST", "/silences/preview", json=matchers).json()
    assert (shown["count"], [a["id"] for a in shown["alerts"]]) == (1, [pond])
    body = SILENCE | span(hours=2)
    assert place.call("viewer", "POST", "/silences", json=body).status_code == 403
    made = place.call("operator", "POST", "/silences", json=body)
    assert (made.status_code, made.json()["author"]) == (201, "operator")
    number = made.json()["id"]
    listed = place.call("viewer", "GET", "/api/v2/silences").json()
    assert [s["status"]["state"] for s in listed] == ["active"]
    found = place.call("viewer", "GET", "/api/v2/alerts?silenced=true&active=false").json()
    assert [a["status"]["silencedBy"] for a in found] == [[listed[0]["id"]]]
    ended = place.call("operator", "DELETE", f"/silences/{number}").json()
    assert (ended["ended_by"], place.call("viewer", "GET", "/silences").json()) == ("operator", [])
    assert [e.what for e in place.audits(str(number))][:2] == ["silence.expire", "silence.create"]
    for wrong, field in (
        ({"matchers": [{"name": "a", "op": "=~", "value": "("}]}, "body.matchers.0.value"),
        ({"matchers": [{"name": "a", "op": "=~", "value": ".*"}]}, "body"),
        ({"reason": ""}, "body.reason"),
        (span(days=40), "body"),
    ):
        refused = place.call("operator", "POST", "/silences", json=body | wrong)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == field
    assert place.call("operator", "DELETE", "/silences/999999").status_code == 404


def test_alertmanagers_clients_read_and_silence(place: Place, conn: Connection) -> None:
    pond, trip = raise_two(conn)
    status = place.call("viewer", "GET", "/api/v2/status").json()
    assert datetime.fromisoformat(status["uptime"]) < datetime.now(UTC)
    assert {"version", "goVersion"} <= status["versionInfo"].keys()
    query = {"filter": ['domain=~"wat.*"', 'severity!="blue"']}
    (alert,) = place.call("viewer", "GET", "/api/v2/alerts", params=query).json()
    assert alert["labels"]["rule"] == "waterlogging.ponding"
    assert (alert["status"]["state"], alert["fingerprint"]) == ("active", pond[:16])
    groups = place.call("viewer", "GET", "/api/v2/alerts/groups").json()
    assert {g["labels"]["alertname"] for g in groups} == {"waterlogging.ponding", "feeder.trip"}
    now = datetime.now(UTC)
    amtool: dict[str, Any] = {
        "matchers": [
            {"name": "alertname", "value": "feeder.*", "isRegex": True, "isEqual": True},
            {"name": "district", "value": "510104", "isRegex": False, "isEqual": False},
        ],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "li",
        "comment": "switching",
    }
    assert place.call("viewer", "POST", "/api/v2/silences", json=amtool).status_code == 403
    made = place.call("operator", "POST", "/api/v2/silences", json=amtool).json()["silenceID"]
    states = {
        a["labels"]["rule"]: a["status"]["state"]
        for a in place.call("viewer", "GET", "/api/v2/alerts").json()
    }
    assert states == {"waterlogging.ponding": "active", "feeder.trip": "suppressed"}, trip
    other = place.call(
        "operator",
        "POST",
        "/api/v2/silences",
        json=amtool | {"id": made, "createdBy": "li (operator)"},
    ).json()
    listed = place.call("viewer", "GET", "/api/v2/silences").json()
    assert {s["id"]: s["status"]["state"] for s in listed} == {
        made: "expired",
        other["silenceID"]: "active",
    }
    one = place.call("viewer", "GET", f"/api/v2/silence/{other['silenceID']}").json()
    assert one["createdBy"] == "li (operator)"
    assert one["matchers"] == amtool["matchers"]
    gone = place.call("operator", "DELETE", f"/api/v2/silence/{other['silenceID']}")
    assert gone.status_code == 200
    assert place.call("viewer", "GET", "/api/v2/silence/nonsense").status_code == 404
    bad = place.call("viewer", "GET", "/api/v2/alerts?filter=nonsense")
    assert bad.json()["errors"][0]["field"] == "query.filter"


def test_incidents_are_read_and_worked_on(place: Place, conn: Connection) -> None:
    settings, notifier = AlertSettings(), Notifier(read_routes(DEFAULT_ROUTES), Links(""))
    add_users(conn, "wang")
    found = []
    for n, district in enumerate(("510106", "510107")):
        t = of_sensor("waterlogging", "ponding", f"waterlogging-{district}-01", 70 + n)
        change = apply(conn, t)
        assert change
        with conn.transaction():
            settle(conn, [change], notifier, settings, datetime.now(UTC))
        query = f"/incidents?district={district}"
        (incident,) = place.call("viewer", "GET", query).json()
        assert (incident["status"], incident["title"]["en"]) == ("candidate", "Urban waterlogging")
        found.append(incident["id"])
    one, other = found
    for path, body in {
        "confirm": None,
        "ack": {"note": "mine"},
        "assign": {"to": "wang"},
        "comment": {"text": "water rises"},
        "tasks/pump/done": None,
        "merge": {"into": other},
    }.items():
        full = f"/incidents/{one}/{path}"
        assert place.call("viewer", "POST", full, json=body).status_code == 403
        done = place.call("operator", "POST", full, json=body)
        assert done.status_code == 204, done.text
    page = place.call("viewer", "GET", f"/incidents/{one}").json()
    acts = [a["act"] for a in page["timeline"]]
    assert acts == ["opened", "confirmed", "ack", "assign", "comment", "task", "merged"]
    assert page["incident"]["merged_into"] == other
    again = place.call("operator", "POST", f"/incidents/{one}/confirm")
    assert (again.status_code, again.json()["type"]) == (409, "urn:cityops:conflict")
    assert place.call("viewer", "GET", "/incidents/none").status_code == 404
    assert place.call("viewer", "GET", f"/incidents/{other}").json()["incident"]["alerts"] == 2
    assert {e.what for e in place.audits(one)} >= {"incident.confirm", "incident.merge"}
    nobody = place.call("operator", "POST", f"/incidents/{other}/assign", json={"to": "no-such"})
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "body.to")
    reopened = place.call("operator", "POST", f"/incidents/{other}/reopen")
    assert reopened.status_code == 409, "it is not over"
    path = f"/incidents/{other}/resolve"
    assert place.call("viewer", "POST", path, json={"note": "dry"}).status_code == 403
    for reason in ({"note": ""}, {"note": " "}, {}):
        assert place.call("operator", "POST", path, json=reason).status_code == 422
    assert place.call("operator", "POST", path, json={"note": "test pumping"}).status_code == 204
    ended = place.call("viewer", "GET", f"/incidents/{other}").json()
    assert (ended["incident"]["status"], ended["incident"]["firing"]) == ("resolved", 2)
    assert ended["timeline"][-1]["note"] == "test pumping"
    act = place.audits("incident.resolve")[0]
    assert act.detail == {"note": "test pumping", "address": "127.0.0.1"}
