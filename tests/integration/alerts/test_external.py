"""Alerts from elsewhere over real HTTP: each its own episode, none lost, none in our way."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from alerts.delivery.outbox import lock_writers
from alerts.episode.acts import acknowledge
from alerts.episode.models import AlertFilter
from alerts.episode.queries import active_alerts, find_alerts, get_alert
from alerts.sources.ending import RETIRED
from alerts.sources.external import PIECE, take
from alerts.sources.foreign import read_foreign
from storage.audit import entries
from tests.support.alerting import Desk, Place, of_sensor, transition
from tests.support.servers import wait_until

DISK = {"alertname": "DiskFull", "instance": "db-1"}
LEAST_BESIDE = 4
"""So many alerts of ours are recorded one after another while a thousand others are taken."""
WARNING, CRITICAL = DISK | {"severity": "warning"}, DISK | {"severity": "critical"}


def post(place: Place, *alerts: Any, path: str = "/incoming/alertmanager") -> dict[str, Any]:
    body = {"version": "4", "alerts": list(alerts)} if "incoming" in path else list(alerts)
    answer = place.call("operator", "POST", path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def firing(labels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "firing", "labels": labels} | more


def shown(place: Place, query: str = "stream=external") -> list[dict[str, Any]]:
    return place.call("viewer", "GET", f"/alerts?{query}").json()


def taken(desk: Desk, *items: Any, pushed: bool = False) -> int:
    alerts = [alert for alert, _ in map(read_foreign, items) if alert]
    return take(desk.conn, alerts, desk.notifier, desk.settings, pushed=pushed)


def test_two_alerts_that_differ_by_severity_are_two(place: Place, conn: Connection) -> None:
    assert post(place, firing(WARNING), firing(CRITICAL))["changed"] == 2
    for _ in range(5):
        for labels in (WARNING, CRITICAL):
            assert post(place, firing(labels))["changed"] == 0, "a repeat changes nothing"
    assert [a["severity"] for a in shown(place)] == [1, 3]
    assert post(place, {"status": "resolved", "labels": CRITICAL})["changed"] == 1
    assert [a["severity"] for a in shown(place)] == [3], "one ends, the other stays"


def test_who_acknowledged_blue_has_not_acknowledged_red(place: Place, conn: Connection) -> None:
    post(place, firing(DISK | {"severity": "info"}))
    (blue,) = shown(place)
    assert place.call("operator", "POST", f"/alerts/{blue['id']}/ack").status_code == 204
    post(place, firing(CRITICAL))
    (red,) = shown(place, "stream=external&acknowledged=false")
    assert (red["severity"], red["acked_at"]) == (1, None)


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        (firing({"alertname": "B", "host.name": "a"}), {"host_name": "a"}),
        (firing({"alertname": "B"}, annotations=None), {}),
        (firing({"alertname": "B"}, generatorURL=None), {}),
        (firing({"alertname": "B"}, endsAt=""), {}),
        (firing({}), {"alertname": "unnamed"}),
        (firing({"alertname": "B"}, annotations={"text": "x" * 5000}), {}),
        (firing({"alertname": "B"}, annotations={"summary": "a\0b"}), {}),
        (firing({"alertname": "B\0\x07", "\0": "\0"}), {"alertname": "B"}),
        ("no alert", None),
    ],
)
@pytest.mark.parametrize("path", ["/incoming/alertmanager", "/incoming/grafana", "/api/v2/alerts"])
def test_one_odd_alert_never_loses_the_good_one(
    place: Place, conn: Connection, odd: Any, kept: dict[str, str] | None, path: str
) -> None:
    said = post(place, firing({"alertname": "Good"}), odd, path=path)
    alerts = {a["labels"]["alertname"]: a for a in shown(place)}
    assert "Good" in alerts
    assert len(alerts) == (2 if kept is not None else 1)
    if kept is not None:
        (other,) = (a for name, a in alerts.items() if name != "Good")
        assert kept.items() <= other["labels"].items()
    assert all(note["alert"] == 1 for note in said["notes"]), said


def test_the_answer_says_what_was_changed(place: Place, conn: Connection) -> None:
    said = post(place, firing(DISK), firing(DISK | {"host.name": "\0a"}), 5)
    assert said["received"] == 2
    assert said["notes"] == [
        {
            "alert": 1,
            "said": [
                "labels.host.name: control characters taken out",
                "labels.host.name renamed host_name",
            ],
        },
        {"alert": 2, "said": ["left out: an alert is a JSON object"]},
    ]


def test_chinese_names_are_rules_of_their_own(place: Place, conn: Connection) -> None:
    post(place, firing({"alertname": "水泵过热"}), firing({"alertname": "阀门泄漏"}))
    assert {a["rule"] for a in shown(place)} == {"external.水泵过热", "external.阀门泄漏"}
    (one,) = place.call("viewer", "GET", "/alerts", params={"rule": "external.水泵过热"}).json()
    assert one["labels"]["alertname"] == "水泵过热"


def test_an_operator_ends_what_no_message_ends(place: Place, conn: Connection) -> None:
    post(place, firing(DISK))
    (alert,) = shown(place)
    path = f"/alerts/{alert['id']}/end"
    note = {"note": "rule deleted over there"}
    assert place.call("viewer", "POST", path, json=note).status_code == 403
    for wrong in ({}, {"note": ""}, {"note": "  "}):
        assert place.call("operator", "POST", path, json=wrong).status_code == 422
    assert place.call("operator", "POST", path, json=note).status_code == 204
    assert shown(place) == []
    page = place.call("viewer", "GET", f"/alerts/{alert['id']}").json()
    assert [(a["who"], a["act"], a["note"]) for a in page["acts"]] == [
        ("operator", "ended", "rule deleted over there")
    ]
    (line,) = (e for e in place.audits("alert.end") if e.target == alert["id"])
    assert line.detail == note | {"address": "127.0.0.1"}
    assert place.call("operator", "POST", path, json=note).status_code == 409, "it is over"
    assert place.call("operator", "POST", "/alerts/none/end", json=note).status_code == 404
    post(place, firing(DISK))
    assert len(shown(place)) == 1, "what still fires over there begins again"


def test_a_rule_of_ours_ends_its_alert_itself_unless_it_is_gone(
    place: Place, conn: Connection
) -> None:
    note = {"note": "x"}
    for rule, status in (("noise.night", 409), ("noise.gone", 204), ("platform.stalled", 409)):
        conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " raised_at, changed_at) VALUES (%s, %s, 'noise', %s, 'active', 2, 2, now(), now())",
            [f"end-{rule}", rule, rule],
        )
        answer = place.call("operator", "POST", f"/alerts/end-{rule}/end", json=note)
        assert answer.status_code == status, rule
    conn.execute("UPDATE episodes SET status = 'cleared', cleared_at = now() WHERE id ~ '^end-'")


def test_retiring_a_sensor_ends_its_alerts_with_that_reason(desk: Desk) -> None:
    pond, other = "waterlogging-510104-01", "waterlogging-510105-01"
    desk.take(*(of_sensor("waterlogging", "ponding", s, severity=1) for s in (pond, other)))
    desk.conn.execute("UPDATE sensors SET status = 'retired' WHERE sensor = %s", [pond])
    desk.later(seconds=1)
    (left,) = active_alerts(desk.conn)
    assert left.sensor == other
    page = get_alert(desk.conn, f"waterlogging.ponding/{pond}/1")
    assert [(a.who, a.act, a.note) for a in page.acts] == [("cityops", "ended", RETIRED)]
    assert (page.alert.status, desk.said()[-1]) == ("cleared", "cleared")
    (line,) = entries(desk.conn, search="alert.end")
    assert line.target == page.alert.id
    told = len(desk.said())
    again = [{"kind": "changed", "severity": 2}, {"kind": "cleared"}, {"n": 2, "severity": 1}]
    for more in again:
        desk.take(of_sensor("waterlogging", "ponding", pond, **more))
        desk.later(seconds=1)
    assert [a.sensor for a in active_alerts(desk.conn)] == [other], "it raises nothing any more"
    assert len(desk.said()) == told
    rows = desk.conn.execute("SELECT count(*) FROM transitions WHERE sensor = %s", [pond])
    assert rows.fetchone() == (5,), "what the worker said is on record all the same"


OLD_RULE, OLD_SUBJECT = "external.diskfull", "db-1 46fcbef3"
"""As the release before kept ``DISK``: an identity without ``severity``."""


@pytest.fixture
def old(desk: Desk) -> Iterator[str]:
    """An episode that the release before left open, last told as critical."""
    desk.take(
        transition(1, stream="external", rule=OLD_RULE, sensor=OLD_SUBJECT, severity=1, metric=None)
    )
    yield "e-1"


def test_an_episode_of_an_older_release_goes_on_as_the_alert_of_its_level(
    desk: Desk, old: str
) -> None:
    acknowledge(desk.conn, old, "li", "", desk.now)
    assert taken(desk, firing(WARNING), firing(CRITICAL)) == 1, "the warning is new"
    by_level = {a.severity: a for a in active_alerts(desk.conn)}
    assert (by_level[1].id, by_level[1].acked_by) == (old, "li")
    assert by_level[3].id != old
    assert taken(desk, firing(CRITICAL), firing(WARNING)) == 0
    assert taken(desk, {"status": "resolved", "labels": CRITICAL}) == 1
    assert [a.severity for a in active_alerts(desk.conn)] == [3]


def test_an_episode_of_an_older_release_is_ended_by_its_message(desk: Desk, old: str) -> None:
    assert taken(desk, {"status": "resolved", "labels": WARNING}) == 0
    assert taken(desk, {"status": "resolved", "labels": CRITICAL}) == 1
    assert active_alerts(desk.conn) == []


def test_the_same_alert_twice_in_one_body_is_taken_in_order(desk: Desk) -> None:
    over = {"status": "resolved", "labels": DISK}
    assert taken(desk, firing(DISK), firing(DISK), over, firing(DISK), over, firing(DISK)) == 5
    assert len(active_alerts(desk.conn)) == 1
    assert len(find_alerts(desk.conn, AlertFilter(state="all"))) == 3


def test_a_storm_from_elsewhere_lets_our_own_alerts_pass(desk: Desk, dsn: str) -> None:
    """Whoever waits for the lock of the writers gets it after the piece that is under way."""
    storm = [firing(DISK | {"instance": f"i{n}"}) for n in range(1000)]
    done = threading.Event()
    passed: list[float] = []

    def wait_in_line() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not done.is_set():
                begun = datetime.now(UTC)
                with conn.transaction():
                    lock_writers(conn)
                passed.append((datetime.now(UTC) - begun).total_seconds())

    waiting = threading.Thread(target=wait_in_line, daemon=True)
    waiting.start()
    try:
        wait_until(lambda: bool(passed), 10.0, "somebody who waits in line")
        begun, before = datetime.now(UTC), len(passed)
        assert taken(desk, *storm) == 1000
        took = (datetime.now(UTC) - begun).total_seconds()
    finally:
        done.set()
        waiting.join(30)
    during = passed[before:]
    print(f"1000 alerts in {took:.2f} s, {len(during)} passed, longest wait {max(during):.2f} s")
    assert len(during) >= 1000 / PIECE - 1, "one between each two pieces"
    assert max(during) < max(1.0, took / 4)
    messages = desk.conn.execute("SELECT count(*), max(events) FROM outbox").fetchone()
    assert messages == (1000 / PIECE, PIECE), "few messages all the same"


def test_our_own_red_alert_passes_a_webhook_of_a_thousand(
    place: Place, conn: Connection, kafka: str, topic_prefix: str, send: Any
) -> None:
    """Console and engine as they run: the webhook by HTTP, our own transitions through Kafka."""
    env = {"CITYOPS_KAFKA": kafka, "CITYOPS_TOPIC_PREFIX": topic_prefix}
    engine = place.spawn("alerts", "engine", env=env)

    def recorded_after(n: int) -> float:
        own = transition(n, severity=1, id=f"own-{n}", episode=f"own-{n}", sensor=f"own-{n}")
        row, begun = "SELECT 1 FROM transitions WHERE id = %s", time.monotonic()
        send(own)
        wait_until(lambda: conn.execute(row.encode(), [own.id]).fetchone(), 60.0, "our own alert")
        return time.monotonic() - begun

    try:
        quiet = sorted(recorded_after(n) for n in range(5))[2]
        storm = [firing(DISK | {"instance": f"i{n}"}) for n in range(1000)]
        posting = threading.Thread(target=post, args=(place, *storm), daemon=True)
        posted = time.monotonic()
        posting.start()
        began = "SELECT 1 FROM episodes WHERE stream = 'external' AND cleared_at IS NULL LIMIT 1"
        wait_until(lambda: conn.execute(began.encode()).fetchone(), 30.0, "the storm")
        during, n = [], 10
        while posting.is_alive():
            during.append(recorded_after(n))
            n += 1
        took = time.monotonic() - posted
    finally:
        engine.stop()
    assert len(shown(place, "stream=external&limit=5000")) == 1000
    print(f"quiet {quiet:.3f} s, beside the storm {max(during):.3f} s of {len(during)}")
    # as one transaction it lets none of ours pass before its end, and one at most after it
    assert len(during) >= LEAST_BESIDE, f"{len(during)} of ours in {took:.2f} s"
    assert max(during) < max(1.0, took / 3)


def test_a_storm_that_is_not_pushed_again_ends_in_pieces_too(desk: Desk) -> None:
    pushed = [firing(DISK | {"instance": f"i{n}"}) for n in range(3 * PIECE)]
    assert taken(desk, *pushed, pushed=True) == 3 * PIECE
    desk.conn.execute("UPDATE episodes SET expires_at = %s", [desk.now])
    transactions = "SELECT count(DISTINCT xmin::text) FROM transitions WHERE kind = 'cleared'"
    desk.later(seconds=1)
    assert active_alerts(desk.conn) == []
    assert desk.conn.execute(transactions.encode()).fetchone() == (3,)
